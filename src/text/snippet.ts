// A snippet: the part of a text that matches a query best, word for
// word, with an ellipsis where a sentence is cut. Pure.

import { queryTerms, terms, UNSPACED } from "./analyzer.ts";
import { remembered } from "./remembered.ts";
import { type Sentence, sentences } from "./sentences.ts";

/** In UTF-16 units; less in scripts without spaces. */
const LENGTH_MAX = 280;
const UNSPACED_LENGTH_MAX = 120;

const WORDS = new RegExp(`[${UNSPACED}]|[^\\s${UNSPACED}]{1,40}`, "gv");
const UNSPACED_CHARACTERS = new RegExp(`[${UNSPACED}]`, "gv");

/** Of texts whose terms are kept, in UTF-16 units: a few megabytes with them. */
const REMEMBERED_MAX = 300_000;

interface ReadSentence extends Sentence {
  readonly terms: ReadonlySet<string>;
}

/** Popular passages come again with most questions. */
const readSentences = remembered(
  (text): readonly ReadSentence[] =>
    sentences(text).map((sentence) => ({ ...sentence, terms: new Set(terms(sentence.text)) })),
  REMEMBERED_MAX,
);

/** Gives the snippets of texts for a query, which is analysed once. */
export function snippets(query: string): (text: string) => string {
  const wanted = new Set(queryTerms(query));
  return (text) => snippet(text, wanted);
}

/** The best sentence, with the sentences after and before it that fit. */
function snippet(text: string, wanted: ReadonlySet<string>): string {
  const all = readSentences(text);
  let first = indexOfMost(all.map((sentence) => shared(sentence.terms, wanted)));
  let last = first;
  const best = all[first];
  if (best === undefined) return "";
  const unspaced = best.text.match(UNSPACED_CHARACTERS)?.length ?? 0;
  const lengthMax = unspaced > best.text.length / 2 ? UNSPACED_LENGTH_MAX : LENGTH_MAX;
  if (best.text.length > lengthMax) return excerpt(best.text, wanted, lengthMax);

  const fits = (from?: Sentence, to?: Sentence) => from && to && to.end - from.start <= lengthMax;
  while (fits(all[first], all[last + 1])) last += 1;
  while (fits(all[first - 1], all[last])) first -= 1;
  return text.slice(all[first]?.start, all[last]?.end);
}

/** The part of a long sentence that matches best, cut between words. */
function excerpt(sentence: string, wanted: ReadonlySet<string>, lengthMax: number): string {
  const words = Array.from(sentence.matchAll(WORDS), ({ 0: word, index }) => ({
    start: index,
    end: index + word.length,
    terms: terms(word).filter((term) => wanted.has(term)),
  }));
  // The window that begins at each word, and the terms it shares.
  const windows = words.map((word, from) => {
    let to = from;
    const held = new Set<string>();
    for (let next = words[to]; next && next.end - word.start <= lengthMax; next = words[++to]) {
      for (const term of next.terms) held.add(term);
    }
    return { start: word.start, end: words[to - 1]?.end ?? word.end, count: held.size };
  });
  const best = windows[indexOfMost(windows.map((window) => window.count))];
  if (best === undefined) return sentence.slice(0, lengthMax);
  const start = best.start === words[0]?.start ? 0 : best.start;
  const end = best.end === words.at(-1)?.end ? sentence.length : best.end;
  return `${start > 0 ? "…" : ""}${sentence.slice(start, end)}${end < sentence.length ? "…" : ""}`;
}

function shared(held: ReadonlySet<string>, wanted: ReadonlySet<string>): number {
  return [...wanted].filter((term) => held.has(term)).length;
}

/** The index of the first maximum; -1 if there are no numbers. */
function indexOfMost(numbers: readonly number[]): number {
  return numbers.indexOf(numbers.reduce((most, number) => Math.max(most, number), 0));
}
