// What a search reads of a vocabulary.

export interface KnownTerm {
  readonly term: string;
  readonly passages: number;
}

export interface TermSource {
  /** The number of passages that have each term, up to `rowsMax` terms that any has. */
  frequencies(terms: readonly string[], rowsMax: number): ReadonlyMap<string, number>;
  /** Whether a passage has one term right before the other. */
  hasNeighbours(before: string, after: string): boolean;
  /** Terms with this beginning, sorted. */
  startingWith(beginning: string, limit: number): readonly KnownTerm[];
}
