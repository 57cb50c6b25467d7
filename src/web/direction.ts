// The direction of a text is that of its first letter. We do not use `dir="auto"`:
// a browser then rereads an answer without letters each time it grows.

const LETTER = /\p{L}/u;
/** Unicode blocks of right-to-left letters. */
const FROM_THE_RIGHT =
  /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;

/** Undefined if the text has no letter. */
export function directionOf(text: string): "ltr" | "rtl" | undefined {
  const letter = LETTER.exec(text)?.[0];
  if (letter === undefined) return undefined;
  return FROM_THE_RIGHT.test(letter) ? "rtl" : "ltr";
}
