// What different spellings of a letter have in common: width, accents,
// ligatures, Simplified and Traditional Chinese, the forms of Arabic
// letters. Pure.

/// <reference path="./opencc-dict.d.ts" />

import SIMPLIFIED from "opencc-js/dict/TSCharacters";

// Sorting the marks of a letter takes quadratic time. The limit is that
// of Unicode's Stream-Safe Text Format (UAX #15).
const MARKS = /(\p{M}{30})\p{M}+/gu;

/**
 * NFKC can make 18 characters of one: a text that grows more than this
 * is cut.
 */
const GROWTH_MAX = 3;
const GROWTH_ROOM = 1_000;

const SOFT_HYPHENS = /[\u00ad\u0640]/g;
const ASCII = /^[a-z0-9]+$/;
const BEYOND_ASCII = /[\u0080-\uffff]/;
// The accents of European scripts, and the vowel points of Hebrew and
// Arabic, often omitted. The marks of Indic scripts are as good as
// letters, and stay.
const ACCENTS = /[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]/g;

/** Letters that Unicode does not take apart. */
const LETTERS: Readonly<Record<string, string>> = {
  ...{ ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ħ: "h", ŧ: "t" },
  ...{ ı: "i", ŋ: "n", ς: "σ", ٱ: "ا", ى: "ي", ة: "ه", ی: "ي", ک: "ك" },
};
const EACH_LETTER = new RegExp(`[${Object.keys(LETTERS).join("")}]`, "g");

/** By the traditional character. The first of several is the usual one. */
const SIMPLIFIED_CHARACTERS = new Map(
  SIMPLIFIED.split("|").map((entry) => {
    const [traditional = "", simplified = ""] = entry.split(" ");
    return [traditional, simplified] as const;
  }),
);

const TRADITIONAL = new RegExp(`[${[...SIMPLIFIED_CHARACTERS.keys()].join("")}]`, "gu");

/** The text in one width, with simplified characters; the case stays. */
export function foldText(text: string): string {
  if (!BEYOND_ASCII.test(text)) return text;
  return text
    .replace(MARKS, "$1")
    .normalize("NFKC")
    .slice(0, GROWTH_MAX * text.length + GROWTH_ROOM)
    .replace(SOFT_HYPHENS, "")
    .replace(TRADITIONAL, (character) => SIMPLIFIED_CHARACTERS.get(character) ?? character);
}

/** A folded word in lower case and without accents. */
export function foldWord(word: string): string {
  const lower = word.toLowerCase();
  if (ASCII.test(lower)) return lower;
  return lower
    .normalize("NFD")
    .replace(ACCENTS, "")
    .normalize()
    .replace(EACH_LETTER, (letter) => LETTERS[letter] ?? letter);
}
