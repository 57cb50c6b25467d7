// The direction of a text: that of its first letter. `dir="auto"` would be the same, but for it a browser
// reads all of an answer that has no letters again, each time the answer grows.

const LETTER = /\p{L}/u;
/** The blocks of Unicode whose letters are written from the right. */
const FROM_THE_RIGHT =
  /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;

/** Undefined where the text has no letter. */
export function directionOf(text: string): "ltr" | "rtl" | undefined {
  const letter = LETTER.exec(text)?.[0];
  if (letter === undefined) return undefined;
  return FROM_THE_RIGHT.test(letter) ? "rtl" : "ltr";
}
