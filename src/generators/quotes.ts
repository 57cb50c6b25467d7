// The sentences that answer a query best, word for word out of its passages: ranked by the terms they
// share with the query, rare ones counting most, by the company they keep, and by their passage; and
// with the best, the one that goes on from there. How they are put before the user is in
// extractive.ts. Pure.

import type { Passage } from "../answer/retriever.ts";
import { queryTerms, terms } from "../text/analyzer.ts";
import { sentences } from "../text/sentences.ts";

/** One sentence, or several in a row. */
export interface Quote {
  /** The number of its passage, from 1. */
  readonly n: number;
  readonly text: string;
}

const SENTENCES_MAX = 4;
/** A sentence gains so much of its better neighbour's share, and of its passage's. */
const NEIGHBOUR_WEIGHT = 0.15;
const PASSAGE_WEIGHT = 0.6;
/** It loses so much for repeating what was picked before. */
const REPETITION_WEIGHT = 0.3;
/** And is not worth quoting with less than this share of the best score. */
const SCORE_SHARE_MIN = 0.6;

interface Candidate {
  /** The place of its passage, from 0. */
  readonly place: number;
  readonly start: number;
  readonly end: number;
  readonly terms: ReadonlySet<string>;
}

interface Scored extends Candidate {
  readonly score: number;
}

/** In the order in which they stand, best passage first. */
export function quotes(query: string, passages: readonly Passage[]): Quote[] {
  const scored = score(candidates(passages), new Set(queryTerms(query)), passages);
  const picked = pick(scored);
  const wanted = [...picked, ...continuation(picked[0], scored, passages)];
  wanted.sort((a, b) => a.place - b.place || a.start - b.start);

  const joined: { place: number; start: number; end: number }[] = [];
  for (const { place, start, end } of wanted) {
    const last = joined.at(-1);
    if (last?.place === place && start < last.end) continue;
    const between = passages[place]?.text.slice(last?.end, start) ?? "";
    if (last?.place === place && between.trim() === "") last.end = end;
    else joined.push({ place, start, end });
  }
  return joined.map(({ place, start, end }) => ({
    n: place + 1,
    text: passages[place]?.text.slice(start, end) ?? "",
  }));
}

/** Every sentence once, though neighbouring passages overlap in one; code only where all is code. */
function candidates(passages: readonly Passage[]): Candidate[] {
  const seen = new Set<string>();
  const all = passages.flatMap((passage, place) =>
    sentences(passage.text)
      .filter(({ text }) => !seen.has(text) && seen.add(text))
      .map(({ text, start, end }) => ({
        place,
        start,
        end,
        terms: new Set(terms(text)),
        code: isCode(text),
      })),
  );
  const prose = all.filter(({ code }) => !code);
  return prose.length > 0 ? prose : all;
}

// What prose has few of: braces, operators, the quotation marks of JSON and shells, and flags.
const CODE_MARK = /[{}<>=\\$;]|"(?=[:,}\]$])|(?<=[{,:[])"|(?<=\s)--?[a-z]/gi;
const CODE_SHARE_MIN = 0.04;

/** Half a line of code out of an example answers nobody. */
function isCode(text: string): boolean {
  return (text.match(CODE_MARK)?.length ?? 0) > CODE_SHARE_MIN * text.length;
}

function score(
  candidates: readonly Candidate[],
  wanted: ReadonlySet<string>,
  passages: readonly Passage[],
): Scored[] {
  const weights = new Map(Array.from(wanted, (term) => [term, weight(term, candidates)]));
  const shared = candidates.map(({ terms }) => {
    let sum = 0;
    for (const [term, weight] of weights) if (terms.has(term)) sum += weight;
    return sum;
  });
  const sharedMax = Math.max(...shared, Number.MIN_VALUE);
  const passageMax = Math.max(...passages.map((passage) => passage.score), Number.MIN_VALUE);
  const neighbour = (i: number, place: number) =>
    candidates[i]?.place === place ? (shared[i] ?? 0) : 0;
  return candidates.map((candidate, i) => {
    const { place } = candidate;
    const own = (shared[i] ?? 0) / sharedMax;
    const company = Math.max(neighbour(i - 1, place), neighbour(i + 1, place)) / sharedMax;
    const passage = (passages[place]?.score ?? 0) / passageMax;
    return {
      ...candidate,
      score: own + NEIGHBOUR_WEIGHT * company + PASSAGE_WEIGHT * passage,
    };
  });
}

/** The root of the idf: without it, one rare word would outweigh all the others. */
function weight(term: string, candidates: readonly Candidate[]): number {
  const n = candidates.filter(({ terms }) => terms.has(term)).length;
  return Math.sqrt(Math.log(1 + (candidates.length - n + 0.5) / (n + 0.5)));
}

/** Maximal marginal relevance: the best, then whatever adds most to what was picked. */
function pick(scored: readonly Scored[]): Scored[] {
  const picked: Scored[] = [];
  const rest = new Set(scored);
  while (picked.length < SENTENCES_MAX) {
    let best: Scored | undefined;
    let bestGain = Number.NEGATIVE_INFINITY;
    for (const candidate of rest) {
      const repetition = Math.max(0, ...picked.map((other) => overlap(candidate, other)));
      const gain = candidate.score - REPETITION_WEIGHT * repetition;
      if (gain > bestGain) [best, bestGain] = [candidate, gain];
    }
    if (best === undefined) break;
    if (best.score < SCORE_SHARE_MIN * (picked[0]?.score ?? 0)) break;
    picked.push(best);
    rest.delete(best);
  }
  return picked;
}

/**
 * The sentence after the best, in the same paragraph. Often the best only takes up what was asked,
 * and the answer goes on from it: "A token is needed. To get one, ..."
 */
function continuation(
  best: Scored | undefined,
  scored: readonly Scored[],
  passages: readonly Passage[],
): Scored[] {
  if (best === undefined) return [];
  const next = scored[scored.indexOf(best) + 1];
  if (next?.place !== best.place) return [];
  return passages[best.place]?.text.slice(best.end, next.start).includes("\n") ? [] : [next];
}

function overlap(a: Candidate, b: Candidate): number {
  const [few, many] = a.terms.size < b.terms.size ? [a.terms, b.terms] : [b.terms, a.terms];
  let both = 0;
  for (const term of few) if (many.has(term)) both += 1;
  return both / Math.max(1, few.size);
}
