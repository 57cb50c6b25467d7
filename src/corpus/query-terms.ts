// What a collection knows of the words of a query. What several know adds up
// to what one index of all their passages would know. Pure.

import type { KnownTerm, TermSource } from "./term-source.ts";

export interface QueryTerms {
  /** All passages of the collection. */
  readonly passages: number;
  /** As BM25 counts: passages, and the terms in them. */
  readonly statistics: { readonly passages: number; readonly terms: number };
  /** How many passages have each term. */
  readonly frequencies: readonly KnownTerm[];
  /** Beginnings of words, and terms with each. */
  readonly beginnings: readonly Beginning[];
  /** Pairs of terms of which a passage has one right before the other. */
  readonly neighbours: readonly string[];
}

interface Beginning {
  readonly beginning: string;
  readonly terms: readonly KnownTerm[];
}

/** Of a collection without passages. */
export const NO_TERMS: QueryTerms = {
  passages: 0,
  statistics: { passages: 0, terms: 0 },
  frequencies: [],
  beginnings: [],
  neighbours: [],
};

/** Notes what is read of the vocabulary of a collection. */
export class NotedTerms implements TermSource {
  readonly #source: TermSource;
  readonly #frequencies = new Map<string, number>();
  readonly #beginnings = new Map<string, readonly KnownTerm[]>();
  readonly #neighbours: string[] = [];

  constructor(source: TermSource) {
    this.#source = source;
  }

  frequencies(terms: readonly string[], rowsMax: number): ReadonlyMap<string, number> {
    const found = this.#source.frequencies(terms, rowsMax);
    for (const [term, passages] of found) if (passages > 0) this.#frequencies.set(term, passages);
    return found;
  }

  hasNeighbours(before: string, after: string): boolean {
    const has = this.#source.hasNeighbours(before, after);
    if (has) this.#neighbours.push(pairOf(before, after));
    return has;
  }

  startingWith(beginning: string, limit: number): readonly KnownTerm[] {
    const found = this.#source.startingWith(beginning, limit);
    if (found.length > 0) this.#beginnings.set(beginning, found);
    return found;
  }

  get noted(): Omit<QueryTerms, "passages" | "statistics"> {
    return {
      frequencies: Array.from(this.#frequencies, ([term, passages]) => ({ term, passages })),
      beginnings: Array.from(this.#beginnings, ([beginning, terms]) => ({ beginning, terms })),
      neighbours: this.#neighbours,
    };
  }
}

/** The vocabulary of several collections. */
export class JoinedTerms implements TermSource {
  readonly #frequencies = new Map<string, number>();
  readonly #beginnings = new Map<string, Map<string, number>>();
  readonly #neighbours = new Set<string>();

  constructor(known: readonly QueryTerms[]) {
    for (const { frequencies, beginnings, neighbours } of known) {
      for (const { term, passages } of frequencies) add(this.#frequencies, term, passages);
      for (const { beginning, terms } of beginnings) {
        const all = this.#beginnings.get(beginning) ?? new Map<string, number>();
        this.#beginnings.set(beginning, all);
        for (const { term, passages } of terms) add(all, term, passages);
      }
      for (const pair of neighbours) this.#neighbours.add(pair);
    }
  }

  frequencies(terms: readonly string[]): ReadonlyMap<string, number> {
    return new Map(terms.map((term) => [term, this.#frequencies.get(term) ?? 0]));
  }

  hasNeighbours(before: string, after: string): boolean {
    return this.#neighbours.has(pairOf(before, after));
  }

  startingWith(beginning: string, limit: number): readonly KnownTerm[] {
    const all = Array.from(this.#beginnings.get(beginning) ?? [], ([term, passages]) => ({
      term,
      passages,
    }));
    return all.sort((a, b) => (a.term < b.term ? -1 : 1)).slice(0, limit);
  }
}

function pairOf(before: string, after: string): string {
  return `${before} ${after}`;
}

function add(sums: Map<string, number>, term: string, passages: number): void {
  sums.set(term, (sums.get(term) ?? 0) + passages);
}
