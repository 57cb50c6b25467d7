// The direction of a text: that of its first letter. `dir="auto"` gives the
// same, but reads a whole answer without letters again at each change.

const LETTER = /\p{L}/u;
/** Unicode blocks whose letters run from right to left. */
const FROM_THE_RIGHT =
  /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;

/** Undefined where the text has no letter. */
export function directionOf(text: string): "ltr" | "rtl" | undefined {
  const letter = LETTER.exec(text)?.[0];
  if (letter === undefined) return undefined;
  return FROM_THE_RIGHT.test(letter) ? "rtl" : "ltr";
}
