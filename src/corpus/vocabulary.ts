// The terms of the passages, and how many passages have each.

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
   * The number of passages that have the term. Singly,
   * since a list of terms reads one row more for each.
   */
  frequency(term: string): number {
    const [row] = this.#sql
      .exec<{ passages: number }>("SELECT doc AS passages FROM vocabulary WHERE term = ?", term)
      .toArray();
    return row?.passages ?? 0;
  }

  /** Whether a passage has one term right before the other. Reads a row at most. */
  hasNeighbours(before: string, after: string): boolean {
    const match = `"${before} ${after}"`;
    const rows = this.#sql.exec(
      "SELECT 1 FROM passage_terms WHERE passage_terms MATCH ? LIMIT 1",
      match,
    );
    return rows.toArray().length > 0;
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
