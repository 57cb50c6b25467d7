// The groups of the operators' report take time linear in the questions.

import { expect, it } from "vitest";
import { type GroupedQuestion, questionGroups } from "../../src/text/question-groups.ts";
import { cpuMs, EXPONENT_MAX, growth } from "../support/growth.ts";

/** The report reads 10,000 at most. */
const QUESTIONS = { from: 1_000, to: 8_000, msMax: 4_000 };
const GROUPS = 100;

const WORDS: Readonly<Record<string, (n: number) => readonly string[]>> = {
  "that share one word": (n) => ["kayak", `a${n}`, `b${n}`],
  "that share nothing": (n) => [`a${n}`, `b${n}`, `c${n}`],
  "in many groups": (n) => [`a${n % 500}`, `b${n % 37}`, `c${n % 7}`],
  "misspelt in every way": (n) => [
    "rent",
    "kayak",
    `ka${letters(n)}yak`,
    `k${letters(n % 97)}ayak`,
  ],
  "of many words": (n) => Array.from({ length: 24 }, (_, i) => `w${(n * (i + 1)) % 1_000}`),
};

/** A number in letters. */
function letters(n: number): string {
  return n < 26 ? String.fromCharCode(97 + n) : letters(Math.floor(n / 26)) + letters(n % 26);
}

it.each(Object.entries(WORDS))("questions %s are grouped in linear time", async (_, wordsOf) => {
  const asked = (count: number, from: number) =>
    Array.from({ length: count }, (_, n): GroupedQuestion => {
      const typed = wordsOf(from + n);
      return { typed, words: typed.map((text) => ({ text, terms: [text] })), times: 1 };
    });
  const { exponent, ms, msMax } = await growth((count) => {
    const questions = asked(count, 0);
    const others = asked(count, 2 * count);
    return cpuMs(() => questionGroups(questions, others, GROUPS));
  }, QUESTIONS);
  expect(exponent).toBeLessThan(EXPONENT_MAX);
  expect(ms).toBeLessThan(msMax);
});
