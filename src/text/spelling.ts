// Which known word a misspelt one may be. Pure.

import { editDistance } from "./edit-distance.ts";
import { stem } from "./words.ts";

/** English endings that a stem may have lost. */
const ENDINGS =
  "s es e ed ing er or ment ments ion ions ation ations ity ly able al ness ive y ies".split(" ");

const WORD = /^\p{L}+$/u;
const ASCII = /^[a-z]+$/;
/** Letters that are often missing or wrong. */
const COMMON_LETTERS = [..."aeiouhrlnts"];
/** Common slips are sought in these first letters. */
const BEGINNING_LENGTH = 4;

const ASKING =
  "which what when where does should could would there their because about with have".split(" ");

/** Whether it is a misspelt word of questions, as "wich". */
export function isMisspeltAsking(word: string): boolean {
  return ASKING.some(
    (asking) =>
      word[0] === asking[0] && word.length <= asking.length && distance(word, asking, 1) <= 1,
  );
}

/** Whether it has the length and letters of a word. */
export function isCorrectable(word: string): boolean {
  return word.length >= BEGINNING_LENGTH && WORD.test(word);
}

/** The most that a slip costs, by the length of the word. */
function distanceMax(word: string, isName: boolean): number {
  if (word.length < 6 || isName) return 1;
  return word.length < 9 ? 1.5 : 2;
}

/**
 * How far a word is from a known term; undefined
 * if it is no slip. The first letter is never wrong.
 */
export function slip(word: string, term: string, isName: boolean): number | undefined {
  if (word[0] !== term[0] || !WORD.test(term) || term.length < 3) return undefined;
  const max = distanceMax(word, isName);
  // The stem may have lost what is misspelt: `compres` has no ending.
  let least = Math.min(distance(stem(word), term, max), distance(word, term, max));
  if (ASCII.test(word) && term.length < word.length) {
    for (const ending of ENDINGS) {
      const whole = term + ending;
      if (stem(whole) === term) least = Math.min(least, distance(word, whole, max));
    }
  }
  return least <= max ? least : undefined;
}

function distance(a: string, b: string, max: number): number {
  return Math.abs(a.length - b.length) > max ? Number.POSITIVE_INFINITY : editDistance(a, b);
}

/** What known terms may begin with, the longest first. */
export function beginnings(word: string): string[] {
  const long = word.slice(0, Math.max(BEGINNING_LENGTH, word.length - 3));
  return [...new Set([long, word.slice(0, BEGINNING_LENGTH)])];
}

/**
 * Terms from which the word is one slip away, in its
 * first letters a common one. Looking for what does
 * not exist reads no row.
 */
export function nearTerms(word: string, isName: boolean): string[] {
  const near = new Set<string>();
  for (let i = 1; i < word.length; i++) {
    const [before, after] = [word.slice(0, i), word.slice(i + 1)];
    near.add(before + after);
    near.add(before + word.charAt(i) + word.slice(i));
    if (after !== "") near.add(before + after.charAt(0) + word.charAt(i) + after.slice(1));
  }
  if (!isName && ASCII.test(word)) {
    for (let i = 1; i < BEGINNING_LENGTH; i++) {
      for (const letter of COMMON_LETTERS) {
        near.add(word.slice(0, i) + letter + word.slice(i));
        if (word.length >= 6) near.add(word.slice(0, i) + letter + word.slice(i + 1));
      }
    }
  }
  near.delete(word);
  return [...new Set([...near].map(stem))];
}
