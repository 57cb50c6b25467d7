// What to show of an unfinished text. Marks at its end are held back, so that they
// do not flash up. They appear as soon as more text comes.

/** Only marks: a list, rule, table or heading may follow. Or a table's head. */
const UNDECIDED =
  /^(?:\|[^\n]*|[ \t>]*(?:[-+*=#~`_|:][-+*=#~`_|: \t]*|\d{1,9}[.)]?[ \t]*|[-+*][ \t]+\[[ xX]?\]?[ \t]*)?)$/;

/** Marks at the end that may continue. */
const OPEN_MARKS =
  /(?:[*_~`]{1,16}|\[[\d\s,，、]{0,40}|【[^】\n]{0,100}|!\[|\\|&#?\w{0,31}|<[^\s<>]{0,300})$/;
/** A link whose words are complete and whose address is not. */
const OPEN_LINK = /!?\[(?![\d\s,，、]*\]?$)([^[\]\n]{1,200})(?:\](?:\(<?[^()\s]{0,2048})?)?$/;

/** Whether the kind of the line is not known yet. */
export function isUndecided(line: string): boolean {
  return line !== "" && line.length <= 1_000 && UNDECIDED.test(line);
}

/** The text without unfinished marks at its end. */
export function asIfWhole(text: string): string {
  return text.replace(OPEN_LINK, "$1").replace(OPEN_MARKS, "");
}
