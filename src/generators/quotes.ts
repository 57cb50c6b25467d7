// What the passages say that answers a query best, word for word: sentences
// of paragraphs, list items, rows and code. Their rank: the query's words that
// they and their heading have, weighed by rarity, then the neighbours and the
// passage. The best comes with the sentence after it and what it introduces.
// extractive.ts shows the quotes. Pure.

import type { Passage } from "../answer/retriever.ts";
import { terms } from "../text/analyzer.ts";
import { AskedWords } from "./asked-words.ts";
import { asksToDestroy, isDestructive } from "./destructive.ts";
import { expectsCode, expectsList, expectsNumber, hasNumber } from "./expected.ts";
import { isSameSection, type Lead, leadOf, wordCount } from "./lead.ts";
import {
  codeAfter,
  companyOf,
  isLeadIn,
  isQuotable,
  isWholeCode,
  listOf,
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
/** The weight of words that only the innermost heading has. */
const NAMED_WEIGHT = 0.6;
/** The weights of the better neighbour, the passage, and all its headings. */
const NEIGHBOUR_WEIGHT = 0.15;
const PASSAGE_WEIGHT = 0.6;
const HEADING_WEIGHT = 0.15;
/** The penalty for each passage that the search ranked better. */
const RANK_WEIGHT = 0.07;
/** The weight of lists where the query expects one. */
const LIST_WEIGHT = 0.15;
/** The weight of code against prose. */
const CODE_WEIGHT = 0.3;
/** The penalty for repeating picked units. */
const REPETITION_WEIGHT = 0.3;
/** Units below this share of the best score are not quoted. */
const SCORE_SHARE_MIN = 0.62;
/** Nor those of passages below this share of the best passage's score. */
const PASSAGE_SHARE_MIN = 0.66;
/** A number that is added to an answer without one is this near, in units. */
const NUMBER_DISTANCE_MAX = 2;
/** Code that is added to an answer without code, in UTF-16 units. */
const ADDED_CODE_LENGTH_MAX = 600;
/** Further quotes end here, in UTF-16 units. */
const LENGTH_MAX = 2_000;

interface Scored extends Unit {
  readonly score: number;
}

/** What all steps read. */
interface Work {
  readonly query: string;
  readonly passages: readonly Passage[];
  /** The units of each passage. */
  readonly all: readonly (readonly Unit[])[];
  readonly asked: AskedWords;
  /** Whether a unit destroys nothing, or that is asked. */
  readonly isSafe: (unit: Unit) => boolean;
}

/** The best first, then the rest of its passage, then the others. */
export function quotes(query: string, passages: readonly Passage[]): Quote[] {
  const all = passages.map(unitsOf);
  const mayDestroy = asksToDestroy(query);
  const isSafe = (unit: Unit) => mayDestroy || !isDestructive(unit.text);
  const isRelevant = relevance(passages, (place) => mayDestroy || isHarmless(place, all, passages));
  const units = candidates(all, isRelevant, isSafe);
  const asked = new AskedWords(
    query,
    units.map(({ terms }) => terms),
  );
  const work = { query, passages, all, asked, isSafe };
  const lead = leadOf(query, asked, all, passages, isRelevant);
  const picked = pick(inLead(lead, score(query, units, asked, passages), passages), lead?.unit);
  const [best] = picked;
  return best === undefined ? [] : inOrder(withCompany(picked, best, work), best, work);
}

/** The picked units with all that belongs to them. */
function withCompany(
  picked: readonly Unit[],
  best: Unit,
  { query, passages, all, asked, isSafe }: Work,
): Set<Unit | undefined> {
  const unitsAt = (place: number) => all[place] ?? [];
  const around = unitsAt(best.place);
  const chosen = [...picked, ...continuation(best, around).filter(isSafe)];
  const company = chosen.flatMap((unit) => [
    ...companyOf(unit, unitsAt(unit.place)),
    ...listOf(unit, unitsAt(unit.place)),
  ]);
  company.push(...codeAfter(best, around));
  const shown = new Set(
    [...chosen, ...company.filter(isSafe)].map(({ place, index }) => unitsAt(place)[index]),
  );
  if (expectsCode(query) && ![...shown].some((unit) => unit?.block.kind === "code")) {
    const code = addedCode(best, all, asked, passages);
    if (code !== undefined && isSafe(code)) shown.add(code);
  }
  if (expectsNumber(query) && ![...shown].some((unit) => unit && hasNumber(unit.text))) {
    const number = nearestNumber(best, around);
    if (number !== undefined && isSafe(number)) shown.add(number);
  }
  return shown;
}

function inOrder(
  shown: ReadonlySet<Unit | undefined>,
  best: Unit,
  { passages, all, asked }: Work,
): Quote[] {
  const found = passages.flatMap((passage, place) =>
    runs((all[place] ?? []).filter((unit) => shown.has(unit))).map((run) => ({
      ...{ n: place + 1, text: markdownOf(passage, run) },
      isBest: run.some(({ index }) => place === best.place && index === best.index),
      // A list or table alone does not say what it is about.
      isBare: run[0]?.block.kind === "item" || run[0]?.block.kind === "table",
    })),
  );
  const inBest = ({ n }: { n: number }) => Number(n === best.place + 1);
  found.sort((a, b) => inBest(b) - inBest(a) || Number(b.isBest) - Number(a.isBest));
  let length = 0;
  return found.flatMap(({ n, text, isBare }, i) => {
    length += text.length;
    if (i > 0 && length > LENGTH_MAX) return [];
    const passage = passages[n - 1];
    const isFirst = found.findIndex((other) => other.n === n) === i;
    return [{ n, text: passage && isFirst ? headed(passage, text, asked, isBare) : text }];
  });
}

/** The nearest unit with a number, a few units from the best. */
function nearestNumber(best: Unit, all: readonly Unit[]): Unit | undefined {
  return all
    .filter((unit) => Math.abs(unit.index - best.index) <= NUMBER_DISTANCE_MAX)
    .filter((unit) => unit.block.kind !== "code" && isQuotable(unit, all) && hasNumber(unit.text))
    .sort((a, b) => Math.abs(a.index - best.index) - Math.abs(b.index - best.index))[0];
}

/** The code of the best's section, or of a section below, which tells most. */
function addedCode(
  best: Unit,
  all: readonly (readonly Unit[])[],
  asked: AskedWords,
  passages: readonly Passage[],
): Unit | undefined {
  const of = passages[best.place];
  if (of === undefined) return undefined;
  let found: Unit | undefined;
  let most = -1;
  for (const [place, passage] of passages.entries()) {
    if (passage.documentId !== of.documentId || passage.collection !== of.collection) continue;
    if (!of.heading.every((name, i) => passage.heading[i] === name)) continue;
    const heads = terms([passage.title, ...passage.heading].join("\n"));
    for (const unit of all[place] ?? []) {
      if (!isWholeCode(unit) || unit.text.length > ADDED_CODE_LENGTH_MAX) continue;
      const share = asked.share(new Set([...heads, ...unit.terms]));
      if (share > most) [found, most] = [unit, share];
    }
  }
  return found;
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
 * Whether a passage covers enough of the query, against the best. Those that
 * only tell how to destroy something do not count.
 */
function relevance(
  passages: readonly Passage[],
  isSafe: (place: number) => boolean,
): (place: number) => boolean {
  const scores = passages.map(({ score }, place) => (isSafe(place) ? score : 0));
  const least = PASSAGE_SHARE_MIN * Math.max(...scores);
  return (place) => isSafe(place) && (scores[place] ?? 0) >= least;
}

/** Whether a passage is not about destroying something, by command. */
function isHarmless(
  place: number,
  all: readonly (readonly Unit[])[],
  passages: readonly Passage[],
): boolean {
  const { title, heading } = passages[place] as Passage;
  if (!asksToDestroy(heading.at(-1) ?? title)) return true;
  return !all[place]?.some(({ text }) => isDestructive(text));
}

/**
 * Each text once, since passages overlap. Code in part only if all is code,
 * and a lead-in only with what it introduces.
 */
function candidates(
  all: readonly (readonly Unit[])[],
  isRelevant: (place: number) => boolean,
  isSafe: (unit: Unit) => boolean,
): Unit[] {
  const seen = new Set<string>();
  const units = all.filter((_, place) => isRelevant(place)).flat();
  const quotable = units.filter((unit) => {
    const around = all[unit.place] ?? [];
    return isQuotable(unit, around) && isSafe(unit) && companyOf(unit, around).every(isSafe);
  });
  return (quotable.length > 0 ? quotable : units).filter(
    ({ text }) => !seen.has(text) && seen.add(text),
  );
}

/** Only those of the lead's section, if its heading asks just the query. */
function inLead(
  lead: Lead | undefined,
  units: readonly Scored[],
  passages: readonly Passage[],
): readonly Scored[] {
  if (!lead?.isWhole) return units;
  const section = passages[lead.unit.place];
  return units.filter(({ place }) => isSameSection(passages[place], section));
}

/** With the innermost heading, if that tells more about the query. */
function headed(
  { title, heading }: Passage,
  text: string,
  asked: AskedWords,
  isBare: boolean,
): string {
  const name = heading.at(-1) ?? title;
  const told = asked.held(new Set(terms(text)));
  const named = asked.held(new Set(terms(name)));
  // The question need not be repeated.
  if (named.size === asked.count && named.size === wordCount(name)) return text;
  const adds = [...named].some((word) => !told.has(word));
  const isNeeded = heading.length > 0 && (isBare || IDENTIFIER.test(name));
  const isMissing = isNeeded && !text.includes(name);
  return adds || isMissing ? `**${name.replace(/[*_<`\\]/g, "\\$&")}**\n\n${text}` : text;
}

/** The name of an option or a function, which the text below may leave out. */
const IDENTIFIER = /[\p{L}\p{N}]_[\p{L}\p{N}]|\p{Ll}\p{Lu}|^[\p{L}\p{N}_.]+[:(]|^`[^`]+`$/u;

function score(
  query: string,
  units: readonly Unit[],
  asked: AskedWords,
  passages: readonly Passage[],
): Scored[] {
  const names = passages.map(({ title, heading }) => terms(heading.at(-1) ?? title));
  const shared = units.map(({ place, terms, block }) => {
    const own = asked.share(terms);
    const named = asked.share(new Set([...terms, ...(names[place] ?? [])])) - own;
    return (block.kind === "code" ? CODE_WEIGHT : 1) * (own + NAMED_WEIGHT * named);
  });
  const sharedMax = Math.max(...shared, Number.MIN_VALUE);
  const passageMax = Math.max(...passages.map((passage) => passage.score), Number.MIN_VALUE);
  const heads = passages.map(({ title, heading }) =>
    asked.share(new Set(terms([title, ...heading].join("\n")))),
  );
  const neighbour = (i: number, place: number) =>
    units[i]?.place === place ? (shared[i] ?? 0) : 0;
  const wantsList = expectsList(query);
  const isList = (unit: Unit) =>
    unit.block.kind === "item" || unit.block.kind === "table" || isLeadIn(unit);
  return units.map((unit, i) => {
    const { place } = unit;
    const company = Math.max(neighbour(i - 1, place), neighbour(i + 1, place));
    const score =
      (shared[i] ?? 0) / sharedMax +
      (NEIGHBOUR_WEIGHT * company) / sharedMax +
      (PASSAGE_WEIGHT * (passages[place]?.score ?? 0)) / passageMax +
      HEADING_WEIGHT * (heads[place] ?? 0) +
      (wantsList && isList(unit) ? LIST_WEIGHT : 0) -
      RANK_WEIGHT * place;
    return { ...unit, score };
  });
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
  return isQuotable(next, all) ? [next] : [];
}

function overlap(a: Unit, b: Unit): number {
  const [few, many] = a.terms.size < b.terms.size ? [a.terms, b.terms] : [b.terms, a.terms];
  let both = 0;
  for (const term of few) if (many.has(term)) both += 1;
  return both / Math.max(1, few.size);
}
