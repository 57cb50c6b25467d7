// The terms that the passages have, and the number of passages of each.

export interface KnownTerm {
  readonly term: string;
  readonly passages: number;
}

export class Vocabulary {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /**
   * The number of passages that have the term. Singly, since a list of
   * terms reads one row more for each.
   */
  frequency(term: string): number {
    const [row] = this.#sql
      .exec<{ passages: number }>("SELECT doc AS passages FROM vocabulary WHERE term = ?", term)
      .toArray();
    return row?.passages ?? 0;
  }

  /** Terms with this beginning, sorted. Reads a row for each. */
  startingWith(beginning: string, limit: number): KnownTerm[] {
    return this.#sql
      .exec<{ term: string; passages: number }>(
        "SELECT term, doc AS passages FROM vocabulary WHERE term >= ? AND term < ? LIMIT ?",
        ...[beginning, `${beginning}\u{10ffff}`, limit],
      )
      .toArray();
  }
}
