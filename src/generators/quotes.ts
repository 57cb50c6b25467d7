// What the passages say that answers a query best, word for word: sentences
// of paragraphs, list items, rows and code. Their rank: terms shared with the
// query, weighted by rarity, then the neighbours and the passage. The sentence
// after the best comes along, and what a lead-in introduces. extractive.ts
// shows the quotes. Pure.

import type { Passage } from "../answer/retriever.ts";
import { queryTerms, terms } from "../text/analyzer.ts";
import {
  codeAfter,
  companyOf,
  isCode,
  isLeadIn,
  isWholeCode,
  markdownOf,
  type Unit,
  unitsOf,
} from "./units.ts";

/** One part of a passage, or several in a row, as Markdown. */
export interface Quote {
  /** The number of its passage, from 1. */
  readonly n: number;
  readonly text: string;
}

const UNITS_MAX = 4;
/** The weights of the better neighbour and of the passage. */
const NEIGHBOUR_WEIGHT = 0.15;
const PASSAGE_WEIGHT = 0.6;
/** The penalty for repeating picked units. */
const REPETITION_WEIGHT = 0.3;
/** Units below this share of the best score are not quoted. */
const SCORE_SHARE_MIN = 0.6;
/** Nor those of passages below this share of the best passage's score. */
const PASSAGE_SHARE_MIN = 0.7;
/** The share of the query's weight in a heading that asks the query. */
const HEADING_SHARE_MIN = 0.7;
/** The weight of code against prose. */
const CODE_WEIGHT = 0.5;

interface Scored extends Unit {
  readonly score: number;
}

/** The best first, then the rest of its passage, then the others. */
export function quotes(query: string, passages: readonly Passage[]): Quote[] {
  const wanted = new Set(queryTerms(query));
  const all = passages.map(unitsOf);
  const units = candidates(all, passages);
  const weights = new Map(Array.from(wanted, (term) => [term, weight(term, units)]));
  const lead = opening(weights, all, passages);
  const picked = pick(score(units, weights, passages), lead);
  const [best] = picked;
  if (best === undefined) return [];

  const unitsAt = (place: number) => all[place] ?? [];
  const chosen = [...picked, ...continuation(best, unitsAt(best.place))];
  const company = chosen.flatMap((unit) => companyOf(unit, unitsAt(unit.place)));
  company.push(...codeAfter(best, unitsAt(best.place)));
  const shown = new Set(
    [...chosen, ...company].map(({ place, index }) => unitsAt(place)[index]),
  );
  const found = passages.flatMap((passage, place) =>
    runs(unitsAt(place).filter((unit) => shown.has(unit))).map((run) => ({
      ...{ n: place + 1, text: markdownOf(passage, run) },
      isBest: run.some(({ index }) => place === best.place && index === best.index),
    })),
  );
  const inBest = ({ n }: { n: number }) => Number(n === best.place + 1);
  found.sort((a, b) => inBest(b) - inBest(a) || Number(b.isBest) - Number(a.isBest));
  return found.map(({ n, text }, i) => {
    const passage = passages[n - 1];
    const isFirst = found.findIndex((other) => other.n === n) === i;
    return { n, text: passage && isFirst ? headed(passage, text, wanted) : text };
  });
}

/** Neighbours together. */
function runs(units: readonly Unit[]): Unit[][] {
  const found: Unit[][] = [];
  for (const unit of units) {
    const open = found.at(-1);
    if (open?.at(-1)?.index === unit.index - 1) open.push(unit);
    else found.push([unit]);
  }
  return found;
}

/**
 * Each text once, since passages overlap. Code in part only if all is code,
 * and a lead-in only with what it introduces.
 */
function candidates(all: readonly (readonly Unit[])[], passages: readonly Passage[]): Unit[] {
  const scoreMax = Math.max(...passages.map(({ score }) => score));
  const seen = new Set<string>();
  const units = all
    .filter((_, place) => (passages[place]?.score ?? 0) >= PASSAGE_SHARE_MIN * scoreMax)
    .flat();
  const quotable = units.filter((unit) => isQuotable(unit, all[unit.place] ?? []));
  return (quotable.length > 0 ? quotable : units).filter(
    ({ text }) => !seen.has(text) && seen.add(text),
  );
}

function isQuotable(unit: Unit, all: readonly Unit[]): boolean {
  if (unit.block.kind === "heading") return false;
  if (isLeadIn(unit)) return companyOf(unit, all).length > 0;
  return !isCode(unit) || isWholeCode(unit);
}

/** What comes first under a heading that asks the query. */
function opening(
  weights: ReadonlyMap<string, number>,
  all: readonly (readonly Unit[])[],
  passages: readonly Passage[],
): Unit | undefined {
  const whole = sum(weights.values());
  if (whole === 0) return undefined;
  const scoreMax = Math.max(...passages.map(({ score }) => score));
  let best: number | undefined;
  let bestShare = HEADING_SHARE_MIN;
  for (const [place, { title, heading, score }] of passages.entries()) {
    if (score < PASSAGE_SHARE_MIN * scoreMax) continue;
    const held = new Set(terms(heading.at(-1) ?? title));
    const share = sum([...weights].map(([term, w]) => (held.has(term) ? w : 0))) / whole;
    if (share < bestShare || (share === bestShare && best !== undefined)) continue;
    [best, bestShare] = [place, share];
  }
  if (best === undefined) return undefined;
  const units = all[beginning(best, passages)] ?? [];
  const first = units.find(({ block }) => block.kind !== "heading");
  return first !== undefined && isQuotable(first, units) ? first : undefined;
}

/** The index of the first passage of the section. */
function beginning(place: number, passages: readonly Passage[]): number {
  const section = (passage: Passage | undefined) =>
    JSON.stringify([passage?.documentId, passage?.heading]);
  const number = ({ id }: Passage) => Number(id.slice(id.lastIndexOf("#") + 1));
  const of = section(passages[place]);
  return passages.reduce((first, passage, i) => {
    const before = passages[first];
    return section(passage) === of && before && number(passage) < number(before) ? i : first;
  }, place);
}

/** With the innermost heading, if that tells more about the query. */
function headed({ title, heading }: Passage, text: string, wanted: ReadonlySet<string>): string {
  const name = heading.at(-1) ?? title;
  const told = new Set(terms(text));
  const adds = terms(name).some((term) => wanted.has(term) && !told.has(term));
  return adds ? `**${name.replace(/[*`\\]/g, "\\$&")}**\n\n${text}` : text;
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

function score(
  units: readonly Unit[],
  weights: ReadonlyMap<string, number>,
  passages: readonly Passage[],
): Scored[] {
  const shared = units.map(({ terms, block }) => {
    const own = sum([...weights].map(([term, weight]) => (terms.has(term) ? weight : 0)));
    return block.kind === "code" ? CODE_WEIGHT * own : own;
  });
  const sharedMax = Math.max(...shared, Number.MIN_VALUE);
  const passageMax = Math.max(...passages.map((passage) => passage.score), Number.MIN_VALUE);
  const neighbour = (i: number, place: number) =>
    units[i]?.place === place ? (shared[i] ?? 0) : 0;
  return units.map((unit, i) => {
    const { place } = unit;
    const own = (shared[i] ?? 0) / sharedMax;
    const company = Math.max(neighbour(i - 1, place), neighbour(i + 1, place)) / sharedMax;
    const passage = (passages[place]?.score ?? 0) / passageMax;
    return { ...unit, score: own + NEIGHBOUR_WEIGHT * company + PASSAGE_WEIGHT * passage };
  });
}

/** The root of the idf, so that one rare word does not outweigh all others. */
function weight(term: string, units: readonly Unit[]): number {
  const n = units.filter(({ terms }) => terms.has(term)).length;
  return Math.sqrt(Math.log(1 + (units.length - n + 0.5) / (n + 0.5)));
}

/** Maximal marginal relevance: the best first, then what adds most. */
function pick(scored: readonly Scored[], lead: Unit | undefined): Unit[] {
  const picked: Unit[] = lead === undefined ? [] : [lead];
  const rest = new Set(
    scored.filter(({ place, index }) => place !== lead?.place || index !== lead.index),
  );
  const scoreMax = Math.max(...scored.map(({ score }) => score));
  while (picked.length < UNITS_MAX) {
    let best: Scored | undefined;
    let bestGain = Number.NEGATIVE_INFINITY;
    for (const candidate of rest) {
      const repetition = Math.max(0, ...picked.map((other) => overlap(candidate, other)));
      const gain = candidate.score - REPETITION_WEIGHT * repetition;
      if (gain > bestGain) [best, bestGain] = [candidate, gain];
    }
    if (best === undefined || best.score < SCORE_SHARE_MIN * scoreMax) break;
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
function continuation(best: Unit, all: readonly Unit[]): Unit[] {
  const next = all[best.index + 1];
  if (next?.block !== best.block || best.block.kind !== "paragraph") return [];
  return isCode(next) ? [] : [next];
}

function overlap(a: Unit, b: Unit): number {
  const [few, many] = a.terms.size < b.terms.size ? [a.terms, b.terms] : [b.terms, a.terms];
  let both = 0;
  for (const term of few) if (many.has(term)) both += 1;
  return both / Math.max(1, few.size);
}
