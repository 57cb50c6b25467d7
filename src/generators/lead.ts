// What leads an answer: the beginning of a section whose heading asks the
// query. Pure.

import type { Passage } from "../answer/retriever.ts";
import { queryWords, terms } from "../text/analyzer.ts";
import type { AskedWords } from "./asked-words.ts";
import { isQuotable, type Unit } from "./units.ts";

/** The share of the query's weight in a heading that asks the query. */
const SHARE_MIN = 0.7;
/** The share of the heading's words that the query asks. */
const ASKED_MIN = 0.4;
/** The share if the query asks the whole heading, of at least two words. */
const WHOLE_SHARE_MIN = 0.5;
/** The match of a heading that asks all of the query and nothing else: 2. */
const WHOLE_MATCH = 1.99;

/** "What cannot be returned" is no heading for "How do I return it?". */
const NEGATION =
  /(?<![\p{L}\p{N}])(?:not|cannot|never|no|without|nicht|kein\p{L}*|ohne|pas|sans|nunca|sin|senza|niet|geen|не|нет|без)(?![\p{L}\p{N}])|n['’]t(?!\p{L})|不能|不可以|不得|无法|無法|ない/iu;
const OPPOSITE_PENALTY = 0.5;

export interface Lead {
  readonly unit: Unit;
  /** Whether the heading asks just what the query asks. */
  readonly isWhole: boolean;
}

/**
 * @param all The units of each passage.
 * @param isRelevant Whether a passage covers enough of the query.
 */
export function leadOf(
  query: string,
  asked: AskedWords,
  all: readonly (readonly Unit[])[],
  passages: readonly Passage[],
  isRelevant: (place: number) => boolean,
): Lead | undefined {
  let best: number | undefined;
  let bestMatch = 0;
  for (const [place, { title, heading }] of passages.entries()) {
    const name = heading.at(-1) ?? title;
    const isOpposite = NEGATION.test(name) !== NEGATION.test(query);
    const match = matchOf(name, asked, isRelevant(place)) - (isOpposite ? OPPOSITE_PENALTY : 0);
    if (match > bestMatch) [best, bestMatch] = [place, match];
  }
  if (best === undefined) return undefined;
  const units = all[beginning(best, passages)] ?? [];
  const unit = units.find(({ block }) => block.kind !== "heading");
  if (unit === undefined || !isQuotable(unit, units)) return undefined;
  return { unit, isWhole: bestMatch > WHOLE_MATCH };
}

/** From 0 to 2: of two headings that ask the query, one may ask more. */
function matchOf(name: string, asked: AskedWords, isRelevant: boolean): number {
  const held = new Set(terms(name));
  const share = asked.share(held);
  const count = asked.held(held).size;
  const words = wordCount(name);
  const isAsked = isRelevant && share >= SHARE_MIN && count >= ASKED_MIN * words;
  const isWhole = count >= Math.max(2, words) && share >= WHOLE_SHARE_MIN;
  return isAsked || isWhole ? share + Math.min(1, count / words) : 0;
}

/** The index of the first passage of the section. */
function beginning(place: number, passages: readonly Passage[]): number {
  const number = ({ id }: Passage) => Number(id.slice(id.lastIndexOf("#") + 1));
  return passages.reduce((first, passage, i) => {
    const before = passages[first];
    const isBefore = before !== undefined && number(passage) < number(before);
    return isBefore && isSameSection(passage, passages[place]) ? i : first;
  }, place);
}

export function isSameSection(one: Passage | undefined, other: Passage | undefined): boolean {
  return sectionOf(one) === sectionOf(other);
}

function sectionOf(passage: Passage | undefined): string {
  return JSON.stringify([passage?.collection, passage?.documentId, passage?.heading]);
}

/** The number of a heading's words that tell something, at least 1. */
export function wordCount(heading: string): number {
  return Math.max(1, queryWords(heading).length);
}
