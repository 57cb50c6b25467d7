// Which passages have a vector in the index, and which vectors
// are stale: their passage is gone. The row is made for the
// first vector, so a full-text search writes nothing here.
// vector-sync.ts makes and removes the vectors.

import type { NearVector } from "../answer/vector-index.ts";
import type { NearPassage } from "./passage-index.ts";

type VectorStateRow = {
  model: string;
  /** Prefix of the vector ids. Another model begins another series. */
  series: string;
  /** Passages up to this id have a vector, or cannot be embedded. */
  madeTo: number;
  /** When the last vector was made, in milliseconds since the epoch. */
  madeAt: number;
  /** How often in a row the work failed. */
  failures: number;
  /** Why it failed the last time. */
  failure: string | null;
};

/** Vectors of consecutive passages. */
type StaleRow = {
  number: number;
  series: string;
  first: number;
  last: number;
};

export const VECTOR_TABLES = `
  CREATE TABLE IF NOT EXISTS vectors (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    model TEXT NOT NULL,
    series TEXT NOT NULL,
    made_to INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    failures INTEGER NOT NULL CHECK (failures >= 0),
    failure TEXT
  ) STRICT;
  CREATE TABLE IF NOT EXISTS stale_vectors (
    number INTEGER PRIMARY KEY,
    series TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL CHECK (last >= first)
  ) STRICT;
`;

export class VectorState {
  readonly #sql: SqlStorage;
  readonly #tablesExist: () => boolean;

  constructor(sql: SqlStorage, tablesExist: () => boolean) {
    this.#sql = sql;
    this.#tablesExist = tablesExist;
  }

  /** Undefined before the first `begin`. */
  state(): VectorStateRow | undefined {
    if (!this.#tablesExist()) return undefined;
    return this.#sql
      .exec<VectorStateRow>(
        `SELECT model, series, made_to AS madeTo, made_at AS madeAt, failures, failure
         FROM vectors`,
      )
      .toArray()[0];
  }

  /** Makes all vectors stale, and begins a series. Call it in a transaction. */
  begin(model: string): void {
    this.removedAll();
    this.#sql.exec(
      `INSERT INTO vectors VALUES (1, ?1, ?2, 0, 0, 0, NULL)
       ON CONFLICT (one) DO UPDATE
       SET model = ?1, series = ?2, made_to = 0, failures = 0, failure = NULL`,
      ...[model, crypto.randomUUID().slice(0, 8)],
    );
  }

  /** Makes all vectors stale. Call it in a transaction. */
  removedAll(): void {
    // One range per document: most ids between them may be unused.
    this.#sql.exec(
      `INSERT INTO stale_vectors (series, first, last)
       SELECT series, first_passage, first_passage + passages - 1
       FROM vectors, documents WHERE passages > 0`,
    );
  }

  /** Of a copy: which vectors of the original's are valid. */
  follow({ model, series }: Pick<VectorStateRow, "model" | "series">): void {
    this.#sql.exec(
      `INSERT INTO vectors VALUES (1, ?1, ?2, 0, 0, 0, NULL)
       ON CONFLICT (one) DO UPDATE SET model = ?1, series = ?2
       WHERE model <> ?1 OR series <> ?2`,
      ...[model, series],
    );
  }

  /** Makes vectors stale, in the transaction that removes passages. */
  removed(first: number, count: number): void {
    if (count === 0) return;
    const last = first + count - 1;
    this.#sql.exec(
      "INSERT INTO stale_vectors (series, first, last) SELECT series, ?, ? FROM vectors",
      ...[first, last],
    );
  }

  /** Records that all passages up to an id have a vector. */
  made(to: number, now: number): void {
    this.#sql.exec(
      "UPDATE vectors SET made_to = ?, made_at = ?, failures = 0, failure = NULL",
      ...[to, now],
    );
  }

  failed(failure: string): void {
    this.#sql.exec("UPDATE vectors SET failures = failures + 1, failure = ?", failure);
  }

  anyStale(): boolean {
    if (!this.#tablesExist()) return false;
    return this.#sql.exec("SELECT 1 FROM stale_vectors LIMIT 1").toArray().length > 0;
  }

  /**
   * The ids of at most `limit` stale vectors. Call
   * `dropped` after the index has removed them.
   */
  takeStale(limit: number): { readonly ids: readonly string[]; readonly dropped: () => void } {
    const ids: string[] = [];
    const ranges: { readonly number: number; readonly to: number }[] = [];
    for (const { number, series, first, last } of this.#stale(limit)) {
      const to = Math.min(last, first + limit - ids.length - 1);
      if (to < first) break;
      for (let passage = first; passage <= to; passage++) ids.push(vectorId(series, passage));
      ranges.push({ number, to });
    }
    return { ids, dropped: () => this.#dropped(ranges) };
  }

  /** The id of a passage's vector in the index. */
  idOf(passage: number): string {
    return vectorId(this.state()?.series ?? "", passage);
  }

  /** The passages of vectors, in their order, without those of other series. */
  passagesOf(vectors: readonly NearVector[]): NearPassage[] {
    const series = this.state()?.series;
    return vectors.flatMap(({ id, similarity }) => {
      const [, of, passage] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(id) ?? [];
      return of !== undefined && of === series ? { id: Number(passage), similarity } : [];
    });
  }

  #stale(limit: number): StaleRow[] {
    return this.#sql
      .exec<StaleRow>(
        "SELECT number, series, first, last FROM stale_vectors ORDER BY number LIMIT ?",
        limit,
      )
      .toArray();
  }

  /** Each range is stale no longer, up to `to`. */
  #dropped(ranges: readonly { readonly number: number; readonly to: number }[]): void {
    for (const { number, to } of ranges) {
      this.#sql.exec("DELETE FROM stale_vectors WHERE number = ? AND last <= ?", number, to);
      this.#sql.exec("UPDATE stale_vectors SET first = ? WHERE number = ?", to + 1, number);
    }
    this.#sql.exec("UPDATE vectors SET failures = 0, failure = NULL WHERE failures > 0");
  }
}

/** At most 24 bytes. Vectorize accepts 64. */
function vectorId(series: string, passage: number): string {
  return `${series}-${passage}`;
}
