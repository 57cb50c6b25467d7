// The terms that a query wants, weighed by rarity:
// what to match, and how much of it a passage covers.

import { QUERY_TERMS_MAX, type QueryWord } from "../text/analyzer.ts";
import { beginnings, isCorrectable, isMisspeltAsking, nearTerms, slip } from "../text/spelling.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** Terms that are read to find the right spelling of a word. */
const SPELLINGS_MAX = 15;
/** Words of a query that are corrected. */
const CORRECTIONS_MAX = 3;
/** A spelling of one passage may be wrong itself. */
const SPELLING_PASSAGES_MIN = 2;

/** A lesser share of a word's parts is chance. */
const PARTS_SHARE_MIN = 0.5;

/** What is asked about an unknown name is not known. */
const NAME_WEIGHT = 2;

interface Weighed {
  /** Each holds the word. */
  readonly terms: readonly string[];
  readonly parts: readonly string[];
  readonly weight: number;
}

export class WantedTerms {
  readonly #vocabulary: Vocabulary;
  readonly #frequencies = new Map<string, number>();
  readonly #weighed: readonly Weighed[];
  readonly #wanted: ReadonlySet<string>;
  readonly #whole: number;
  /** Rows of the vocabulary that may still be read. */
  #left = QUERY_TERMS_MAX;

  /** @param count The number of all passages. */
  constructor(words: readonly QueryWord[], vocabulary: Vocabulary, count: number) {
    this.#vocabulary = vocabulary;
    for (const { term } of words) this.#read(term);
    const forms = words.map((word) => this.#formsOf(word));
    // Two words that documents write as one.
    words.forEach(({ joined }, i) => {
      if (joined === undefined || this.#read(joined.whole) === 0) return;
      forms[i]?.push(joined.whole);
      forms[words.findIndex(({ term }) => term === joined.next)]?.push(joined.whole);
    });
    for (const { exact, parts } of words) {
      if (exact !== undefined) this.#read(exact);
      for (const part of parts) this.#read(part);
    }
    this.#correct(words, forms);

    const isKnown = ({ term, parts }: QueryWord, i: number) =>
      [term, ...(forms[i] ?? []), ...parts].some((any) => this.#frequency(any) > 0);
    const known = words.map(isKnown);
    const knownAsides = new Set(words.filter((_, i) => known[i]).map(({ aside }) => aside));
    const hasKnown = known.includes(true);
    this.#weighed = words.flatMap((word, i) => {
      // Greetings without a list: no document says them.
      if (hasKnown && word.aside !== undefined && !knownAsides.has(word.aside)) return [];
      if (hasKnown && !known[i] && isMisspeltAsking(word.text)) return [];
      const hasExact = word.exact !== undefined && this.#frequency(word.exact) > 0;
      const terms = hasExact ? [word.exact] : [word.term, ...(forms[i] ?? [])];
      const frequency = Math.max(...terms.map((term) => this.#frequency(term)));
      // No document is about "Node 99", though many have a 99.
      if (hasKnown && this.#isUnknownNumber(word)) {
        return [{ terms: [], parts: [], weight: idf(0, count) }];
      }
      const rarity = idf(frequency, count) * word.weight;
      const weight = word.isName && !known[i] ? NAME_WEIGHT * rarity : rarity;
      return [{ terms, parts: word.parts, weight }];
    });
    this.#wanted = new Set(this.#weighed.flatMap(({ terms, parts }) => [...terms, ...parts]));
    this.#whole = this.#weighed.reduce((sum, { weight }) => sum + weight, 0);
  }

  /** The rarest terms that passages have, up to a number of hits. */
  affordable(hitsMax: number): string[] {
    const affordable: string[] = [];
    let hits = 0;
    const sorted = Array.from(this.#wanted, (term) => [term, this.#frequency(term)] as const)
      .filter(([, frequency]) => frequency > 0)
      .sort(([, a], [, b]) => a - b);
    for (const [term, frequency] of sorted) {
      hits += frequency;
      if (affordable.length > 0 && hits > hitsMax) break;
      affordable.push(term);
    }
    return affordable;
  }

  /**
   * The share of the query's words that a passage has;
   * rare words weigh more. BM25 sorts passages well, but
   * its values have no scale that could be shown or
   * compared with a threshold.
   * @param terms All terms of the passage.
   */
  coverage(terms: Iterable<string>): number {
    if (this.#whole === 0) return 0;
    const held = new Set<string>();
    for (const term of terms) if (this.#wanted.has(term)) held.add(term);
    let sum = 0;
    for (const { terms, parts, weight } of this.#weighed) {
      if (terms.some((term) => held.has(term))) sum += weight;
      else if (parts.length > 0) {
        const share = parts.filter((part) => held.has(part)).length / parts.length;
        if (share >= PARTS_SHARE_MIN) sum += share * share * weight;
      }
    }
    return sum / this.#whole;
  }

  /**
   * A form counts if at least as many passages have it
   * as have the word. Otherwise, only passages that were
   * taken for another language have it.
   */
  #formsOf({ term, forms }: QueryWord): string[] {
    return forms.filter((form) => {
      const frequency = this.#read(form);
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
    this.#left -= 1;
    return !this.#vocabulary.hasNeighbours(name, term);
  }

  #nearest({ text, isName }: QueryWord): string | undefined {
    let best: { term: string; distance: number; passages: number } | undefined;
    const consider = (term: string, passages: number) => {
      const distance = slip(text, term, isName);
      if (distance === undefined || passages < SPELLING_PASSAGES_MIN) return;
      const isBetter =
        best === undefined ||
        distance < best.distance ||
        (distance === best.distance && passages > best.passages);
      if (isBetter) best = { term, distance, passages };
    };
    for (const term of nearTerms(text, isName)) consider(term, this.#read(term));
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

  /** Reads a term of the index, while there are rows left. */
  #read(term: string): number {
    const known = this.#frequencies.get(term);
    if (known !== undefined || this.#left <= 0) return known ?? 0;
    const frequency = this.#vocabulary.frequency(term);
    if (frequency > 0) this.#left -= 1;
    this.#frequencies.set(term, frequency);
    return frequency;
  }

  #frequency(term: string): number {
    return this.#frequencies.get(term) ?? 0;
  }
}

function idf(frequency: number, count: number): number {
  const n = Math.min(frequency, count);
  return Math.log(1 + (count - n + 0.5) / (n + 0.5));
}
