// Deletes queries and their words RETENTION_DAYS after they were asked, and all
// words once SHARE_QUERIES is false. Totals stay.

import { KEYS_PER_MS } from "./directory-schema.ts";

/** Queries that one transaction deletes. */
const BATCH = 2_000;

export class DirectoryRetention {
  readonly #sql: SqlStorage;
  /** No query before this key has words. */
  #wordlessTo = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /**
   * Deletes one batch; call it in a transaction. Returns when more is due, in
   * ms since the epoch; undefined if nothing is stored.
   */
  prune(now: number, retentionMs: number, shareQueries: boolean): number | undefined {
    const end = (now - retentionMs) * KEYS_PER_MS;
    const last = this.#sql
      .exec<{ key: number }>(
        "SELECT key FROM queries WHERE key <= ? ORDER BY key LIMIT 1 OFFSET ?",
        ...[end, BATCH - 1],
      )
      .toArray()[0]?.key;
    const to = last ?? end;
    this.#sql.exec("DELETE FROM queries WHERE key <= ?", to);
    if (!shareQueries && this.hasWords()) {
      this.#deleteWords();
      return now;
    }
    const [oldest] = this.#sql
      .exec<{ key: number }>("SELECT key FROM queries ORDER BY key LIMIT 1")
      .toArray();
    return oldest && Math.floor(oldest.key / KEYS_PER_MS) + retentionMs + 1;
  }

  hasWords(): boolean {
    return this.#sql.exec("SELECT 1 FROM has_words").toArray().length > 0;
  }

  #deleteWords(): void {
    const keys = this.#sql
      .exec<{ key: number }>(
        `SELECT key FROM queries WHERE key > ? AND
           (question IS NOT NULL OR answer IS NOT NULL OR comment IS NOT NULL)
         ORDER BY key LIMIT ${BATCH}`,
        this.#wordlessTo,
      )
      .toArray();
    const last = keys.at(-1)?.key ?? this.#wordlessTo;
    this.#sql.exec(
      `UPDATE queries SET question = NULL, answer = NULL, comment = NULL
       WHERE key > ? AND key <= ?
         AND (question IS NOT NULL OR answer IS NOT NULL OR comment IS NOT NULL)`,
      ...[this.#wordlessTo, last],
    );
    this.#wordlessTo = last;
    if (keys.length < BATCH) this.#sql.exec("DELETE FROM has_words");
  }
}
