// The sentences of the passages that answer a query best, word for
// word. Their rank: terms shared with the query, weighted by rarity,
// then the neighbours and the passage. The sentence after the best
// comes along. extractive.ts shows them. Pure.

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
/** The weights of the better neighbour and of the passage. */
const NEIGHBOUR_WEIGHT = 0.15;
const PASSAGE_WEIGHT = 0.6;
/** The penalty for repeating picked sentences. */
const REPETITION_WEIGHT = 0.3;
/** Sentences below this share of the best score are not quoted. */
const SCORE_SHARE_MIN = 0.6;

interface Candidate {
  /** The index of its passage. */
  readonly place: number;
  readonly start: number;
  readonly end: number;
  readonly terms: ReadonlySet<string>;
}

interface Scored extends Candidate {
  readonly score: number;
}

/** In the order of the text, best passage first. */
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

/** Each sentence once, since passages overlap. Code only if all is code. */
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

// Rare in prose: braces, operators, quotation marks of JSON and shells, flags.
const CODE_MARK = /[{}<>=\\$;]|"(?=[:,}\]$])|(?<=[{,:[])"|(?<=\s)--?[a-z]/gi;
const CODE_SHARE_MIN = 0.04;

/** Part of an example's code is no answer. */
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

/** The root of the idf, so that one rare word does not outweigh all others. */
function weight(term: string, candidates: readonly Candidate[]): number {
  const n = candidates.filter(({ terms }) => terms.has(term)).length;
  return Math.sqrt(Math.log(1 + (candidates.length - n + 0.5) / (n + 0.5)));
}

/** Maximal marginal relevance: the best first, then what adds most. */
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
 * The sentence after the best, in the same paragraph. The best may only
 * repeat the question, before the answer: "A token is needed. To get
 * one, ..."
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
