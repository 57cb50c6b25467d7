// The terms that a query wants, weighed by rarity:
// what to match, and how much of it a passage covers.

import { QUERY_TERMS_MAX, type QueryWord } from "../text/analyzer.ts";
import { beginnings, isCorrectable, isMisspeltAsking, nearTerms, slip } from "../text/spelling.ts";
import { isMarked, isPaired } from "../text/words.ts";
import { Coverage, type WantedWord } from "./coverage.ts";
import { bm25Idf } from "./matches.ts";
import type { KnownTerm, TermSource } from "./term-source.ts";

/** Terms that are read to find the right spelling of a word. */
const SPELLINGS_MAX = 15;
/** Words of a query that are corrected. */
const CORRECTIONS_MAX = 3;
/** A spelling of one passage may be wrong itself, if there are many passages. */
const SPELLING_PASSAGES_MIN = 2;
const MANY_PASSAGES = 200;

/** That a word is in no passage tells little if there are few. */
const FEW_PASSAGES = 10;

/**
 * Rare terms decide the order of passages. The commonest
 * have most of the hits and the rest of the rarity.
 */
const RARITY_SHARE = 0.95;
/** Fewer take no time. */
const HITS_MIN = 1_000;

/** What is asked about an unknown name is not known. */
const NAME_WEIGHT = 2;

export class WantedTerms {
  readonly #vocabulary: TermSource;
  readonly #count: number;
  readonly #frequencies = new Map<string, number>();
  readonly #words: readonly WantedWord[];
  readonly #coverage: Coverage;
  /** Rows of the vocabulary that may still be read. */
  #left = QUERY_TERMS_MAX;

  /** @param count The number of all passages. */
  constructor(words: readonly QueryWord[], vocabulary: TermSource, count: number) {
    this.#vocabulary = vocabulary;
    this.#count = count;
    this.#readAll([
      ...words.map(({ term }) => term),
      ...words.flatMap(({ forms }) => forms),
      ...words.flatMap(({ joined }) => joined?.whole ?? []),
      ...words.flatMap(({ exact, parts }) => [...(exact === undefined ? [] : [exact]), ...parts]),
    ]);
    const forms = words.map((word) => this.#formsOf(word));
    // Two words that documents write as one.
    words.forEach(({ joined }, i) => {
      if (joined === undefined || this.#frequency(joined.whole) === 0) return;
      forms[i]?.push(joined.whole);
      forms[words.findIndex(({ term }) => term === joined.next)]?.push(joined.whole);
    });
    this.#correct(words, forms);

    const isKnown = ({ term, parts }: QueryWord, i: number) =>
      [term, ...(forms[i] ?? []), ...parts].some((any) => this.#frequency(any) > 0);
    const known = words.map(isKnown);
    const knownAsides = new Set(words.filter((_, i) => known[i]).map(({ aside }) => aside));
    const hasKnown = known.includes(true);
    this.#words = words.flatMap((word, i) => {
      // Greetings without a list: no document says them.
      if (hasKnown && word.aside !== undefined && !knownAsides.has(word.aside)) return [];
      if (hasKnown && !known[i] && isMisspeltAsking(word.text)) return [];
      const rarity = (...terms: readonly string[]) =>
        idf(Math.max(0, ...terms.map((term) => this.#frequency(term))), count) * word.weight;
      const missing = {
        terms: [],
        forms: [],
        parts: [],
        around: [],
        formWeight: 0,
        partsWeight: 0,
      };
      // No document is about "Node 99", though many have a 99.
      if (hasKnown && this.#isUnknownNumber(word)) return [{ ...missing, weight: idf(0, count) }];
      if (!known[i]) return [{ ...missing, weight: rarity() * (word.isName ? NAME_WEIGHT : 1) }];
      const hasExact = word.exact !== undefined && this.#frequency(word.exact) > 0;
      const found = forms[i] ?? [];
      const terms = hasExact
        ? [word.exact]
        : [word.term, ...found.filter((form) => !isMarked(form))];
      const others = hasExact ? [] : found.filter(isMarked);
      const parts = word.parts.filter((part) => this.#frequency(part) > 0);
      const partsRarity = Math.max(0, ...parts.map((part) => rarity(part)));
      // An unknown form of a common word is no rare word.
      const shared = parts.length > 0 ? partsRarity : rarity(...terms, ...others);
      const weight = (rarity(...terms) + Math.min(rarity(...terms), shared)) / 2;
      return [
        {
          ...{ terms, forms: others, parts: word.parts, around: around(words, i), weight },
          formWeight: Math.min(weight, rarity(...others)),
          partsWeight: Math.min(weight, partsRarity),
        },
      ];
    });
    this.#coverage = new Coverage(this.#words);
  }

  /** Of the vocabulary. */
  get rowsRead(): number {
    return QUERY_TERMS_MAX - this.#left;
  }

  /** The rarest terms that passages have, up to a number of hits, the rarest first. */
  affordable(hitsMax: number): KnownTerm[] {
    const affordable: KnownTerm[] = [];
    const wanted = this.#words.flatMap(({ terms, forms, parts }) => [...terms, ...forms, ...parts]);
    const sorted = [...new Set(wanted)]
      .map((term) => ({ term, frequency: this.#frequency(term) }))
      .filter(({ frequency }) => frequency > 0)
      .map((known) => ({ ...known, rarity: bm25Idf(known.frequency, this.#count) }))
      .sort((a, b) => a.frequency - b.frequency);
    let hits = 0;
    let left = sorted.reduce((sum, { rarity }) => sum + rarity, 0);
    const leftMin = (1 - RARITY_SHARE) * left;
    for (const { term, frequency, rarity } of sorted) {
      hits += frequency;
      const isTooMany = hits > hitsMax || (hits > HITS_MIN && left <= leftMin);
      if (affordable.length > 0 && isTooMany) break;
      affordable.push({ term, passages: frequency });
      left -= rarity;
    }
    return affordable;
  }

  /**
   * How much of the query a passage covers. BM25 sorts
   * passages well, but its values have no scale that could
   * be shown or compared with a threshold.
   * @param terms All terms of the passage, in order.
   */
  coverage(terms: Iterable<string>): number {
    return this.#coverage.of(terms);
  }

  /**
   * A form counts if at least as many passages have it
   * as have the word. Otherwise, only passages that were
   * taken for another language have it.
   */
  #formsOf({ term, forms }: QueryWord): string[] {
    return forms.filter((form) => {
      const frequency = this.#frequency(form);
      return frequency > 0 && frequency >= this.#frequency(term);
    });
  }

  /** Adds the nearest terms of words that no passage has. */
  #correct(words: readonly QueryWord[], forms: string[][]): void {
    let corrections = 0;
    words.forEach((word, i) => {
      const { term, text, parts } = word;
      if (this.#frequency(term) > 0 || forms[i]?.length !== 0 || parts.length > 0) return;
      if (!isCorrectable(text) || isMisspeltAsking(text)) return;
      if (corrections === CORRECTIONS_MAX) return;
      corrections += 1;
      const nearest = this.#nearest(word);
      if (nearest !== undefined) forms[i]?.push(nearest);
    });
  }

  #isUnknownNumber({ name, term }: QueryWord): boolean {
    if (name === undefined || this.#frequency(name) === 0 || this.#left <= 0) return false;
    if (this.#frequency(term) === 0) return true;
    this.#left -= 1;
    return !this.#vocabulary.hasNeighbours(name, term);
  }

  #nearest({ text, isName }: QueryWord): string | undefined {
    let best: { term: string; distance: number; passages: number } | undefined;
    const spellingPassagesMin = this.#count < MANY_PASSAGES ? 1 : SPELLING_PASSAGES_MIN;
    const consider = (term: string, passages: number) => {
      if (passages < spellingPassagesMin) return;
      const distance = slip(text, term, isName);
      if (distance === undefined) return;
      const isBetter =
        best === undefined ||
        distance < best.distance ||
        (distance === best.distance && passages > best.passages);
      if (isBetter) best = { term, distance, passages };
    };
    const near = nearTerms(text, isName);
    this.#readAll(near);
    for (const term of near) consider(term, this.#frequency(term));
    for (const beginning of beginnings(text)) {
      if (best !== undefined || this.#left <= 0) break;
      const limit = Math.min(SPELLINGS_MAX, this.#left);
      const known = this.#vocabulary.startingWith(beginning, limit);
      this.#left -= known.length;
      for (const { term, passages } of known) {
        this.#frequencies.set(term, passages);
        consider(term, passages);
      }
    }
    return best?.term;
  }

  /** Reads terms of the index in this order, while there are rows left. */
  #readAll(terms: readonly string[]): void {
    const unknown = terms.filter((term) => !this.#frequencies.has(term));
    for (const [term, passages] of this.#vocabulary.frequencies(unknown, this.#left)) {
      this.#frequencies.set(term, passages);
      if (passages > 0) this.#left -= 1;
    }
  }

  #frequency(term: string): number {
    return this.#frequencies.get(term) ?? 0;
  }
}

function idf(frequency: number, count: number): number {
  const least = 0.5 * Math.min(1, FEW_PASSAGES / count);
  const n = Math.min(Math.max(least, frequency), count);
  return Math.log(1 + (count - n + 0.5) / (n + 0.5));
}

/** The pairs of a run beside one of its characters. */
function around(words: readonly QueryWord[], i: number): string[] {
  const { term } = words[i] as QueryWord;
  if (!isPaired(term)) return [];
  const beside = words.slice(Math.max(0, i - 1), i + 2).map(({ term }) => term);
  return beside.filter((other) => other !== term && other.includes(term));
}
