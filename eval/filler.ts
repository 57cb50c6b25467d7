// Documents that fill a corpus up: random runs of the
// collection's own words, a tenth of them exchanged, so that
// questions match as many passages as in a real collection of
// that size. The same each time.

import type { Document } from "./collection.ts";

const WORDS_A_PARAGRAPH = 150;
const PARAGRAPHS = 20;
const EXCHANGED_SHARE = 0.1;

// A word with what follows, or one character of a script without spaces.
const WORDS =
  /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}][\p{P}\s]*|[^\s\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}]+\s*/gu;

/** Endless. */
export function* filler(documents: Iterable<Document>): Generator<Document, never> {
  const words = wordsOf(documents);
  const random = randomNumbers();
  const below = (count: number) => Math.floor(random() * count);
  const paragraph = () => {
    const start = below(Math.max(1, words.length - WORDS_A_PARAGRAPH));
    return words
      .slice(start, start + WORDS_A_PARAGRAPH)
      .map((word) => (random() < EXCHANGED_SHARE ? words[below(words.length)] : word))
      .join("");
  };
  for (let i = 1; ; i++) {
    const text = Array.from({ length: PARAGRAPHS }, paragraph).join("\n\n");
    const at = i % words.length;
    yield { id: `filler ${i}`, title: words.slice(at, at + 3).join(""), text };
  }
}

/** Questions of the maximum length, 4,000 characters of the collection. */
export function longQuestions(documents: Iterable<Document>, count: number): string[] {
  const text = wordsOf(documents).join("");
  const random = randomNumbers();
  return Array.from({ length: count }, () => {
    const start = Math.floor(random() * Math.max(1, text.length - 4_000));
    return text.slice(start, start + 4_000).toWellFormed();
  });
}

function wordsOf(documents: Iterable<Document>): string[] {
  return Array.from(documents, ({ text }) => `${text}\n`.match(WORDS) ?? []).flat();
}

/** In [0, 1): a linear congruential generator with a fixed seed. */
function randomNumbers(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state / 0x8000_0000;
  };
}
