// Whether a text contains the words of a search, as readers expect who do not
// care for case, accents or width. A part of a word is enough, so that scripts
// without spaces need no words. Pure.

import { foldText, foldWord } from "./folding.ts";
import { isVisible } from "./visible.ts";

/** Phones put them where keyboards have `'`. */
const APOSTROPHES = /[\u2018\u2019\u02bc]/g;

/** The words of a search, folded; none if it has nothing to look for. */
export function searchWords(search: string): string[] {
  const words = folded(search).split(/\s+/u);
  return [...new Set(words)].filter(isVisible);
}

/** @param words Of `searchWords`. */
export function containsAll(text: string, words: readonly string[]): boolean {
  const own = folded(text);
  return words.every((word) => own.includes(word));
}

function folded(text: string): string {
  return foldWord(foldText(text)).replace(APOSTROPHES, "'");
}
