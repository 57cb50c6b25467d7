// The words of a query, weighed by their rarity among the units that may be
// quoted. Pure.

import { queryWords } from "../text/analyzer.ts";
import { isCorrectable, slip } from "../text/spelling.ts";

/** A lesser share of a word's parts is chance. */
const PARTS_SHARE_MIN = 0.5;
/** Words that are corrected. Each is compared with every term. */
const CORRECTIONS_MAX = 10;

type Terms = ReadonlySet<string>;

interface AskedWord {
  /** Each holds the word. */
  readonly terms: readonly string[];
  readonly parts: readonly string[];
  readonly weight: number;
}

export class AskedWords {
  readonly #words: readonly AskedWord[];
  readonly #whole: number;

  /** @param units The terms of all units. */
  constructor(query: string, units: readonly Terms[]) {
    const known = new Set(units.flatMap((terms) => [...terms]));
    const count = (term: string) => units.filter((held) => held.has(term)).length;
    let corrections = 0;
    this.#words = queryWords(query).map(({ text, term, forms, parts, isName, weight }) => {
      // As in a search: otherwise, the unit was taken for another language.
      const terms = [term, ...forms.filter((form) => count(form) >= count(term))];
      const isUnknown = ![...terms, ...parts].some((any) => known.has(any));
      if (isUnknown && isCorrectable(text) && corrections < CORRECTIONS_MAX) {
        corrections += 1;
        terms.push(...nearest(text, isName, known));
      }
      const n = units.filter((held) => shareOf({ terms, parts }, held) > 0).length;
      // The root of the idf, so that a rare word does not outweigh all others.
      const rarity = Math.sqrt(Math.log(1 + (units.length - n + 0.5) / (n + 0.5)));
      return { terms, parts, weight: rarity * weight };
    });
    this.#whole = this.#words.reduce((sum, { weight }) => sum + weight, 0);
  }

  /** The number of words. */
  get count(): number {
    return this.#words.length;
  }

  /** The share of the query's weight that terms hold, in [0, 1]. */
  share(held: Terms): number {
    if (this.#whole === 0) return 0;
    const sum = this.#words.reduce((sum, word) => sum + shareOf(word, held) * word.weight, 0);
    return sum / this.#whole;
  }

  /** The words that terms hold. */
  held(terms: Terms): ReadonlySet<AskedWord> {
    return new Set(this.#words.filter((word) => shareOf(word, terms) > 0));
  }
}

function shareOf({ terms, parts }: Omit<AskedWord, "weight">, held: Terms): number {
  if (terms.some((term) => held.has(term))) return 1;
  const share = parts.filter((part) => held.has(part)).length / Math.max(1, parts.length);
  return share >= PARTS_SHARE_MIN ? share * share : 0;
}

/** The known terms that a misspelt word is nearest to. */
function nearest(word: string, isName: boolean, known: Terms): string[] {
  let least = Number.POSITIVE_INFINITY;
  let found: string[] = [];
  for (const term of known) {
    const distance = slip(word, term, isName) ?? Number.POSITIVE_INFINITY;
    if (distance > least || distance === Number.POSITIVE_INFINITY) continue;
    if (distance < least) found = [];
    least = distance;
    found.push(term);
  }
  return found;
}
