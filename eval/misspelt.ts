// A text with one typing error. Pure.

import type { Random } from "../test/support/random.ts";

const LETTERS_MIN = 5;

/** As it is, if it has no long word. */
export function misspelt(text: string, random: Random): string {
  const words = text.split(" ");
  const long = [...words.keys()].filter((i) => [...(words[i] ?? "")].length >= LETTERS_MIN);
  if (long.length === 0) return text;
  const place = random.pick(long);
  const letters = [...(words[place] ?? "")];
  const at = random.whole(1, letters.length - 3);
  const [letter = "", next = ""] = letters.slice(at, at + 2);
  const typed = random.pick([[next, letter], [next], [letter, letter, next]]);
  words[place] = letters.toSpliced(at, 2, ...typed).join("");
  return words.join(" ");
}
