// What to show of an unfinished text, so that no mark flashes up that turns
// out to be formatting. It is shown as soon as more arrives.

/**
 * A line of marks alone, which may begin a list, a rule, a table or a
 * heading.
 */
const MARKS =
  /^[ \t>]*(?:[-+*=#~`_|:][-+*=#~`_|: \t]*|\d{1,9}[.)]?[ \t]*|[-+*][ \t]+\[[ xX]?\]?[ \t]*)?$/;
/** The head of a possible table. */
const HEAD = /^\|[^\n]*$/;

/** Marks at the end that may continue or close. */
const OPEN_MARKS =
  /(?:[*_~`]{1,16}|\[[\d\s,，、]{0,40}|【[^】\n]{0,100}|!\[|\\|&#?\w{0,31}|<[^\s<>]{0,300})$/;
/** An unfinished link: its text is shown already. */
const OPEN_LINK = /!?\[(?![\d\s,，、]*\]?$)([^[\]\n]{1,200})(?:\](?:\(<?[^()\s]{0,2048})?)?$/;

/** Whether it is not known yet what the line is. */
export function isUndecided(line: string): boolean {
  return line !== "" && line.length <= 1_000 && (MARKS.test(line) || HEAD.test(line));
}

/** The text without what has only begun at its end. */
export function asIfWhole(text: string): string {
  return text.replace(OPEN_LINK, "$1").replace(OPEN_MARKS, "");
}
