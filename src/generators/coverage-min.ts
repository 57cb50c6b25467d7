// The coverage of a query that its best passage
// needs to hold an answer. Pure.

import { queryLanguage, queryWords, UNSPACED } from "../text/analyzer.ts";

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

// Measured on XQuAD in twelve languages, JSQuAD and KorQuAD:
// 4 to 6 of 100 questions with an answer fall short, and
// 73 to 99 of 100 questions of MIRACL, which have none.
const ENGLISH: Scale = { words: 2, greatest: 0.62, fall: 0.21, floor: 0.38 };
const ROMANCE: Scale = { words: 2, greatest: 0.74, fall: 0.36, floor: 0.36 };
/** Words have more forms than their common terms hold together. */
const INFLECTED: Scale = { words: 2, greatest: 0.74, fall: 0.42, floor: 0.31 };
/** Names from other scripts are written in several ways. */
const OTHER_SCRIPT: Scale = { words: 2, greatest: 0.6, fall: 0.25, floor: 0.31 };
/** What other languages do by endings, these do by words of their own. */
const INDIC: Scale = { words: 2, greatest: 0.7, fall: 0.39, floor: 0.4 };
/** Its terms are stems. */
const ARABIC: Scale = { words: 2, greatest: 0.77, fall: 0.39, floor: 0.34 };
/** Parts of words are shared by chance. */
const PARTED: Scale = { words: 2, greatest: 0.7, fall: 0.36, floor: 0.26 };
/** Its syllables are words, and common ones. */
const VIETNAMESE: Scale = { words: 2, greatest: 0.62, fall: 0.03, floor: 0.4 };
/** Units of a script without spaces are more and rarer. */
const CHINESE: Scale = { words: 8, greatest: 0.5, fall: 0.29, floor: 0.27 };
/** All passages have its particles. */
const JAPANESE: Scale = { words: 12, greatest: 0.68, fall: 0.21, floor: 0.44 };
const THREES: Scale = { words: 12, greatest: 0.68, fall: 0.24, floor: 0.34 };

const ROMANCE_LANGUAGES: ReadonlySet<string> = new Set(["es", "pt", "fr", "it", "ro"]);
const ARABIC_LETTER = /\p{Script=Arabic}/u;
const INDIC_LETTER =
  /[\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gujarati}\p{Script=Gurmukhi}]/u;
const KANA = /[\p{Script=Hiragana}\p{Script=Katakana}]/u;
const HAN = /\p{Script=Han}/u;
const LETTER = /\p{L}/u;
const LATIN = /\p{Script=Latin}/u;
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
  if (ARABIC_LETTER.test(query)) return ARABIC;
  if (words.some(({ parts }) => parts.length > 0)) return PARTED;
  if (INDIC_LETTER.test(query)) return INDIC;
  if (words.some(({ text }) => LETTER.test(text) && !LATIN.test(text))) return OTHER_SCRIPT;
  const language = queryLanguage(query, 1) ?? "en";
  if (language === "en") return ENGLISH;
  return ROMANCE_LANGUAGES.has(language) ? ROMANCE : INFLECTED;
}
