// The coverage of a query that its best passage
// needs to hold an answer. Pure.

import { queryWords, UNSPACED } from "../text/analyzer.ts";

/**
 * Words of a long query are never all found. The least
 * coverage falls with the logarithm of their number.
 */
interface Scale {
  /** Up to this number of words it is the greatest. */
  readonly words: number;
  readonly greatest: number;
  readonly fall: number;
  readonly floor: number;
}

// Measured on XQuAD in twelve languages, half of it indexed:
// 3 to 6 of 100 questions with an answer fall short, and
// 70 to 90 of 100 without one.
const ENGLISH: Scale = { words: 2, greatest: 0.54, fall: 0.15, floor: 0.22 };
/** Words have more forms than their common terms hold together. */
const INFLECTED: Scale = { ...ENGLISH, greatest: 0.52 };
/** Parts of words are shared by chance. */
const PARTED: Scale = { ...ENGLISH, greatest: 0.57 };
/** Its syllables are words, and common ones. */
const VIETNAMESE: Scale = { words: 2, greatest: 0.75, fall: 0.15, floor: 0.4 };
/** Units of a script without spaces are more and rarer. */
const CHINESE: Scale = { words: 8, greatest: 0.42, fall: 0.13, floor: 0.22 };
const JAPANESE: Scale = { ...CHINESE, floor: 0.36 };
const THREES: Scale = { words: 15, greatest: 0.38, fall: 0.08, floor: 0.29 };

const KANA = /[\p{Script=Hiragana}\p{Script=Katakana}]/u;
const HAN = /\p{Script=Han}/u;
const UNSPACED_CHARACTER = new RegExp(`[${UNSPACED}]`, "v");

export function coverageMin(query: string): number {
  const words = queryWords(query);
  const { greatest, fall, floor, words: few } = scaleOf(query, words);
  return Math.max(floor, greatest - fall * Math.log(Math.max(1, words.length / few)));
}

function scaleOf(query: string, words: ReturnType<typeof queryWords>): Scale {
  if (KANA.test(query)) return JAPANESE;
  if (HAN.test(query)) return CHINESE;
  if (UNSPACED_CHARACTER.test(query)) return THREES;
  if (words.some(({ exact }) => exact !== undefined)) return VIETNAMESE;
  if (words.some(({ parts }) => parts.length > 0)) return PARTED;
  return words.some(({ forms }) => forms.length > 0) ? INFLECTED : ENGLISH;
}
