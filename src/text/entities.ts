// Backslash escapes, and the entities of HTML that models write, as
// characters. Pure.

/** Sticky. */
export const ESCAPED = /\\([!-/:-@[-`{-~])|&(?:#(\d{1,7}|x[\da-f]{1,6})|([a-z]\w{1,31}));/iy;
const EACH_ESCAPED = new RegExp(ESCAPED, "gi");

/** Each name with its character behind it. */
const NAMED =
  "amp& lt< gt> quot\" apos' nbsp\u00A0 ndash– mdash— hellip… bull• middot· copy© reg® trade™ " +
  "deg° times× le≤ ge≥ larr← rarr→";
const CHARACTERS = new Map(NAMED.split(" ").map((name) => [name.slice(0, -1), name.slice(-1)]));

/** An unknown name stays as it is. */
export function unescaped(text: string): string {
  return text.replace(EACH_ESCAPED, (all, escaped, digits, name) => {
    if (digits === undefined) return escaped ?? CHARACTERS.get(name) ?? all;
    const code = Number(`0${digits}`);
    // No character has this number.
    if (code === 0 || code > 0x10ffff) return "\uFFFD";
    return String.fromCodePoint(code).toWellFormed();
  });
}
