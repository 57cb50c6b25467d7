// The statistics that BM25 counts with: how many passages were ever
// indexed, and how many terms. FTS5 does not take deleted passages off,
// so they depend on the history of an index, and the ranks with them.

export interface IndexStatistics {
  readonly passages: number;
  readonly terms: number;
}

/** Beyond the id of every passage. */
const FILLER_ID = 2 ** 52;

/** Call it in a transaction, which writes out what FTS5 has in memory. */
export function indexStatistics(sql: SqlStorage): IndexStatistics {
  const [row] = sql
    .exec<{ block: ArrayBuffer }>("SELECT block FROM passage_terms_data WHERE id = 1")
    .toArray();
  const [passages = 0, ...terms] = varints(new Uint8Array(row?.block ?? new ArrayBuffer()));
  return { passages, terms: terms.reduce((sum, ofColumn) => sum + ofColumn, 0) };
}

/**
 * Indexes and deletes fillers, up to `limit`, until an index has these
 * statistics. Returns whether it does. Call it in a transaction.
 */
export function raiseStatistics(sql: SqlStorage, to: IndexStatistics, limit: number): boolean {
  const from = indexStatistics(sql);
  const missing = Math.max(0, to.passages - from.passages);
  if (missing === 0) return true;
  const fillers = Math.min(missing, limit);
  for (let i = 0; i < fillers; i++) {
    // The last has all the terms.
    const terms = i + 1 === missing ? Math.max(0, to.terms - from.terms) : 0;
    sql.exec(
      "INSERT INTO passage_terms (rowid, title, text) VALUES (CAST(? AS INTEGER), ?, '')",
      ...[FILLER_ID + i, "x ".repeat(terms)],
    );
  }
  sql.exec(
    "DELETE FROM passage_terms WHERE rowid BETWEEN CAST(? AS INTEGER) AND CAST(? AS INTEGER)",
    ...[FILLER_ID, FILLER_ID + fillers - 1],
  );
  return fillers === missing;
}

/** As SQLite writes them: 7 bits a byte, most significant first; 64 bits in 9 bytes. */
function varints(bytes: Uint8Array): number[] {
  const numbers: number[] = [];
  let number = 0;
  let length = 0;
  for (const byte of bytes) {
    length += 1;
    const isLast = length === 9 || byte < 0x80;
    number = length === 9 ? number * 256 + byte : number * 128 + (byte & 0x7f);
    if (!isLast) continue;
    numbers.push(number);
    number = 0;
    length = 0;
  }
  return numbers;
}
