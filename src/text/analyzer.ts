// The analyzer: the terms of a text, by which documents and queries meet. Words where a script puts
// spaces between them, single characters and pairs of neighbours where it does not. Written out here
// rather than left to SQLite or ICU, so that a new version of either cannot part the index from the
// queries. Pure. Which words a query can do without stands in stop-words.ts.

import { stemmer } from "stemmer";
import { STOP_WORDS } from "./stop-words.ts";

/**
 * To be raised with every change to the terms of a text or to how a document becomes passages: an
 * index of another version is then made anew.
 */
export const ANALYZER_VERSION = 3;

/**
 * A query's further terms are left out: each is a row more to read, of the hundred that a search may
 * cost, and hardly changes what is found.
 */
const QUERY_TERMS_MAX = 50;

/** The scripts without spaces between words. */
export const UNSPACED = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー々〆`;

const UNSPACED_CHARACTER = new RegExp(`[${UNSPACED}]`, "v");

// A word of more than 64 characters is nobody's word: it counts as several.
const RUN = new RegExp(`[${UNSPACED}]+|[[\\p{L}\\p{M}\\p{N}]--[${UNSPACED}]]{1,64}`, "gv");

// No language puts this many marks on a letter, and to sort them takes quadratic time. The limit is that
// of the Stream-Safe Text Format of Unicode (UAX #15).
const MARKS = /(\p{M}{30})\p{M}+/gu;

/** Normalized, one character can become 18: a text that grows to more than this is cut. */
const GROWTH_MAX = 3;
const GROWTH_ROOM = 1_000;

// The accents of European scripts, and the vowel points of Hebrew and Arabic, which most writers
// leave out. The marks of Indic scripts are letters in all but name, and stay.
const ACCENTS = /[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]/g;
const SOFT_HYPHENS = /\u00ad/g;
const ASCII = /^[a-z0-9]+$/;

/** The terms of a text in their order, with repeats. Letters and digits only. */
export function terms(text: string): string[] {
  return words(text).map(stem);
}

/** The terms to look for: those of the query without stop words, unless nothing would be left. */
export function queryTerms(query: string): string[] {
  const all = words(query);
  const telling = all.filter((word) => !STOP_WORDS.has(word));
  return (telling.length > 0 ? telling : all).slice(0, QUERY_TERMS_MAX).map(stem);
}

/** An FTS5 query for any of the terms. Each is quoted, so that none can be an operator. */
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

/** English words by their stem. It hardly touches those of other languages, and both sides alike. */
function stem(word: string): string {
  return ASCII.test(word) ? stemmer(word) : word;
}
