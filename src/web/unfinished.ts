// What to show of a text that is still being written, so that no mark flashes up which turns out to
// be no text. Nothing is lost: what is held back here is shown as soon as more has come.

/** A line of nothing but marks, which may begin a list, a rule, a table or a heading. */
const MARKS =
  /^[ \t>]*(?:[-+*=#~`_|:][-+*=#~`_|: \t]*|\d{1,9}[.)]?[ \t]*|[-+*][ \t]+\[[ xX]?\]?[ \t]*)?$/;
/** The head of what may be a table. */
const HEAD = /^\|[^\n]*$/;

/** Marks at the end that may go on, or be ended. */
const OPEN_MARKS =
  /(?:[*_~`]{1,16}|\[[\d\s,，、]{0,40}|【[^】\n]{0,100}|!\[|\\|&#?\w{0,31}|<[^\s<>]{0,300})$/;
/** A link that is still being written: its words are there already. */
const OPEN_LINK = /!?\[(?![\d\s,，、]*\]?$)([^[\]\n]{1,200})(?:\](?:\(<?[^()\s]{0,2048})?)?$/;

/** Whether it cannot be known yet what the line is. */
export function isUndecided(line: string): boolean {
  return line !== "" && line.length <= 1_000 && (MARKS.test(line) || HEAD.test(line));
}

/** The text without what has only begun at its end. */
export function asIfWhole(text: string): string {
  return text.replace(OPEN_LINK, "$1").replace(OPEN_MARKS, "");
}
