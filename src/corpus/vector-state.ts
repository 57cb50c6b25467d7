// Which passages have a vector in the index, and which vectors there stand for nothing any more. The
// tables are made for the first vector: who searches words alone writes and reads no row here. Where all
// vectors become stale, their numbers are read from the table of documents.ts, within SQL. Making and
// removing vectors is in vector-sync.ts.

/** What is known of the vectors as a whole. */
type VectorStateRow = {
  readonly model: string;
  /** With it the ids of all vectors begin that count. Another begins with another model. */
  readonly series: string;
  /** Passages up to this id have their vector, unless a line in the log says otherwise. */
  readonly madeTo: number;
  /** When the last of them was made, in milliseconds since the epoch. */
  readonly madeAt: number;
  /** The highest id of a passage that was removed: none is given out twice, since its vector may remain. */
  readonly removedTo: number;
  /** How often in a row it has failed, and how the last time. */
  readonly failures: number;
  readonly failure: string | null;
};

/** Vectors of which some were taken to be removed from the index. */
interface Taken {
  readonly number: number;
  /** The last that was taken; up to which there are some. */
  readonly to: number;
  readonly last: number;
}

interface StaleRow extends Record<string, SqlStorageValue> {
  number: number;
  series: string;
  first: number;
  last: number;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS vectors (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    model TEXT NOT NULL,
    series TEXT NOT NULL,
    made_to INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    removed_to INTEGER NOT NULL,
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

function statements(sql: SqlStorage) {
  return {
    exists: () =>
      sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'vectors'").toArray().length > 0,

    create: () => {
      sql.exec(SCHEMA);
      sql.exec("INSERT INTO vectors VALUES (1, '', '', 0, 0, 0, 0, NULL)");
    },

    state: () =>
      sql
        .exec<VectorStateRow>(
          `SELECT model, series, made_to AS madeTo, made_at AS madeAt, removed_to AS removedTo,
                  failures, failure
           FROM vectors`,
        )
        .one(),

    begin: (model: string, series: string) => {
      sql.exec(
        "UPDATE vectors SET model = ?, series = ?, made_to = 0, failures = 0, failure = NULL",
        ...[model, series],
      );
    },

    made: (to: number, at: number) => {
      sql.exec(
        "UPDATE vectors SET made_to = ?, made_at = ?, failures = 0, failure = NULL",
        ...[to, at],
      );
    },

    failed: (failure: string) => {
      sql.exec("UPDATE vectors SET failures = failures + 1, failure = ?", failure);
    },

    worked: () => {
      sql.exec("UPDATE vectors SET failures = 0, failure = NULL WHERE failures > 0");
    },

    removed: (series: string, first: number, last: number) => {
      sql.exec("UPDATE vectors SET removed_to = max(removed_to, ?)", last);
      if (series === "") return;
      sql.exec(
        "INSERT INTO stale_vectors (series, first, last) VALUES (?, ?, ?)",
        ...[series, first, last],
      );
    },

    // One range for each document: between them may lie many ids of documents long gone.
    allStale: (series: string) => {
      sql.exec(
        `INSERT INTO stale_vectors (series, first, last)
         SELECT ?, first_passage, first_passage + passages - 1 FROM documents WHERE passages > 0`,
        series,
      );
    },

    anyStale: () => sql.exec("SELECT 1 FROM stale_vectors LIMIT 1").toArray().length > 0,

    stale: (limit: number) =>
      sql
        .exec<StaleRow>(
          "SELECT number, series, first, last FROM stale_vectors ORDER BY number LIMIT ?",
          limit,
        )
        .toArray(),

    dropped: ({ number, to, last }: Taken) => {
      if (to < last) {
        sql.exec("UPDATE stale_vectors SET first = ? WHERE number = ?", to + 1, number);
      } else sql.exec("DELETE FROM stale_vectors WHERE number = ?", number);
    },
  };
}

export class VectorState {
  readonly #do: ReturnType<typeof statements>;
  #exists: boolean;

  constructor(sql: SqlStorage) {
    this.#do = statements(sql);
    this.#exists = this.#do.exists();
  }

  /** Undefined where none was ever to be made. */
  state(): VectorStateRow | undefined {
    return this.#exists ? this.#do.state() : undefined;
  }

  /** Begins anew: all passages are without a vector, and all vectors of before are stale. In a transaction. */
  begin(model: string): void {
    if (!this.#exists) this.#do.create();
    this.#exists = true;
    const { series } = this.#do.state();
    if (series !== "") this.#do.allStale(series);
    this.#do.begin(model, crypto.randomUUID().slice(0, 8));
  }

  /** Passages were removed; in the transaction that removed them. */
  removed(first: number, count: number): void {
    if (!this.#exists || count === 0) return;
    this.#do.removed(this.#do.state().series, first, first + count - 1);
  }

  /** All passages up to one have their vector, but for those that cannot be embedded. */
  made(to: number, now: number): void {
    this.#do.made(to, now);
  }

  /** What was tried did not work, and is to be tried again. */
  failed(failure: string): void {
    this.#do.failed(failure);
  }

  anyStale(): boolean {
    return this.#exists && this.#do.anyStale();
  }

  /** The ids of at most so many stale vectors, and what to call once the index has let go of them. */
  takeStale(limit: number): { readonly ids: readonly string[]; readonly dropped: () => void } {
    const ids: string[] = [];
    const taken: Taken[] = [];
    for (const { number, series, first, last } of this.#do.stale(limit)) {
      const to = Math.min(last, first + limit - ids.length - 1);
      if (to < first) break;
      for (let passage = first; passage <= to; passage++) ids.push(vectorId(series, passage));
      taken.push({ number, to, last });
    }
    const dropped = () => {
      for (const one of taken) this.#do.dropped(one);
      this.#do.worked();
    };
    return { ids, dropped };
  }

  /** The id in the index of a passage's vector. */
  idOf(passage: number): string {
    return vectorId(this.#do.state().series, passage);
  }

  /** The passages of ids in the index, in their order, without those that do not count any more. */
  passagesOf(ids: readonly string[]): number[] {
    const series = this.state()?.series;
    return ids.flatMap((id) => {
      const [, of, passage] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(id) ?? [];
      return of !== undefined && of === series ? Number(passage) : [];
    });
  }
}

/** At most 24 bytes, of the 64 that Vectorize takes. */
function vectorId(series: string, passage: number): string {
  return `${series}-${passage}`;
}
