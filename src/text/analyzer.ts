// The analyzer: the terms of documents and queries. Words in scripts
// with spaces; single characters and pairs of neighbours in the others.
// It is our own, so that a new version of SQLite or ICU cannot make
// queries differ from the index. Pure.

import { stemmer } from "stemmer";
import { STOP_WORDS } from "./stop-words.ts";

/**
 * Raise it with every change of terms or passages: an index of another
 * version is built again.
 */
export const ANALYZER_VERSION = 3;

/**
 * Further terms of a query are dropped. Each costs a row of the hundred
 * that a search may read, and changes little.
 */
const QUERY_TERMS_MAX = 50;

/** Scripts without spaces between words. */
export const UNSPACED = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー々〆`;

const UNSPACED_CHARACTER = new RegExp(`[${UNSPACED}]`, "v");

// A longer run than 64 characters is no word: it counts as several.
const RUN = new RegExp(`[${UNSPACED}]+|[[\\p{L}\\p{M}\\p{N}]--[${UNSPACED}]]{1,64}`, "gv");

// Sorting the marks of a letter takes quadratic time. The limit is that
// of Unicode's Stream-Safe Text Format (UAX #15).
const MARKS = /(\p{M}{30})\p{M}+/gu;

/**
 * NFKC can make 18 characters of one: a text that grows more than this
 * is cut.
 */
const GROWTH_MAX = 3;
const GROWTH_ROOM = 1_000;

// The accents of European scripts, and the vowel points of Hebrew and
// Arabic, often omitted. The marks of Indic scripts are as good as
// letters, and stay.
const ACCENTS = /[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]/g;
const SOFT_HYPHENS = /\u00ad/g;
const ASCII = /^[a-z0-9]+$/;

/** The terms in order, with repeats. Letters and digits only. */
export function terms(text: string): string[] {
  return words(text).map(stem);
}

/** The terms of a query, without stop words unless there are no others. */
export function queryTerms(query: string): string[] {
  const all = words(query);
  const telling = all.filter((word) => !STOP_WORDS.has(word));
  return (telling.length > 0 ? telling : all).slice(0, QUERY_TERMS_MAX).map(stem);
}

/** An FTS5 query for any of the terms. Quoted, none is an operator. */
export function matchQuery(terms: readonly string[]): string {
  return terms.map((term) => `"${term}"`).join(" OR ");
}

function words(text: string): string[] {
  const found: string[] = [];
  const folded = text
    .replace(MARKS, "$1")
    .normalize("NFKC")
    .slice(0, GROWTH_MAX * text.length + GROWTH_ROOM)
    .toLowerCase()
    .replace(SOFT_HYPHENS, "");
  for (const [run] of folded.matchAll(RUN)) {
    if (UNSPACED_CHARACTER.test(run)) {
      let previous = "";
      for (const character of run) {
        if (previous !== "") found.push(previous + character);
        found.push(character);
        previous = character;
      }
    } else {
      const word = ASCII.test(run) ? run : run.normalize("NFD").replace(ACCENTS, "").normalize();
      if (word !== "") found.push(word);
    }
  }
  return found;
}

/**
 * The stem of an English word. Other languages change little, and alike
 * on both sides.
 */
function stem(word: string): string {
  return ASCII.test(word) ? stemmer(word) : word;
}
