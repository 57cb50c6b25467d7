// The query log: one row a query, with its state, its answer and what the user said of it.
// Each state is left once, which the statements themselves see to; the counters that must move in
// the same transaction are in ledger.ts.

import { withCitations } from "../answer/citations.ts";
import type {
  Ask,
  Finish,
  OnDisconnect,
  QueryState,
  Rating,
  Receipt,
  RefundReason,
  Source,
} from "../protocol.ts";
import type { Failure } from "./failures.ts";
import type { AskKey } from "./keys.ts";
import { isLeft } from "./ledger.ts";

/** Times are in milliseconds since the epoch, durations in milliseconds. */
export type QueryRow = {
  number: number;
  id: string;
  state: QueryState;
  reason: RefundReason | null;
  window: string;
  /** The hash that the ask is known by in keys.ts, kept to forget it by; null where it has none. */
  key: string | null;
  asked_at: number;
  resolved_at: number | null;
  on_disconnect: OnDisconnect;
  /** Which of the readers that share the object has asked; null where it is one user's own. */
  identity: string | null;
  query: string | null;
  answer: string | null;
  /** Source[] as JSON. */
  sources: string | null;
  finish: Finish | null;
  /** The lengths of the answer's token events in UTF-16 units, as JSON: its transcript, cut at these. */
  token_lengths: string | null;
  first_token_ms: number | null;
  total_ms: number | null;
  rating: Rating | null;
  comment: string | null;
};

// There is no index, since each would cost a billed row for each ask. A row is found by its number,
// which its id begins with, and proved by the rest of the id. What is reserved is found from the newest
// row back, as many as the ledger says there are: a run lasts minutes, so they are never far.
export const QUERIES_SCHEMA = `
  CREATE TABLE IF NOT EXISTS queries (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('reserved', 'charged', 'refunded')),
    reason TEXT CHECK (reason IN ('disconnected', 'cancelled', 'failed', 'expired', 'operator')),
    window TEXT NOT NULL,
    key TEXT,
    asked_at INTEGER NOT NULL,
    resolved_at INTEGER,
    on_disconnect TEXT NOT NULL CHECK (on_disconnect IN ('cancel', 'wait', 'continue')),
    identity TEXT,
    query TEXT,
    answer TEXT,
    sources TEXT,
    finish TEXT CHECK (finish IN ('stop', 'length')),
    token_lengths TEXT,
    first_token_ms INTEGER,
    total_ms INTEGER,
    rating TEXT CHECK (rating IN ('up', 'down')),
    comment TEXT,
    CHECK ((state = 'refunded') = (reason IS NOT NULL)),
    CHECK ((state = 'reserved') = (resolved_at IS NULL))
  ) STRICT;
`;

/** What retention needs to know of a query. */
export type AgedQuery = Pick<
  QueryRow,
  "number" | "id" | "state" | "reason" | "window" | "key" | "asked_at"
>;

export type RowCount = Pick<QueryRow, "window" | "state" | "reason"> & { rows: number };

/** What is stored with a reservation. */
export interface NewQuery {
  readonly ask: Ask;
  readonly key: AskKey;
  readonly identity: string | null;
  readonly window: string;
  /** In milliseconds since the epoch. */
  readonly askedAt: number;
}

/** What is stored with a charge. */
export interface Answer {
  readonly tokens: readonly string[];
  readonly sources: readonly Source[];
  readonly finish: Finish;
  readonly firstTokenMs: number | null;
  readonly totalMs: number;
}

/** What a page of the log may hold, in UTF-16 units, if it is more than one row. */
const PAGE_LENGTH_MAX = 1024 * 1024;

/** How many rows back a new incarnation looks for what failed lately. */
const RECENT_ROWS = 100;

function statements(sql: SqlStorage) {
  return {
    columns: () =>
      sql
        .exec<{ name: string }>("SELECT name FROM pragma_table_info('queries')")
        .toArray()
        .map(({ name }) => name),
    addIdentity: () => sql.exec("ALTER TABLE queries ADD COLUMN identity TEXT"),
    // Never a number again: retention has passed it, though the row that had it may be gone.
    nextNumber: () =>
      sql
        .exec<{ number: number }>(
          `SELECT max((SELECT coalesce(max(number), 0) FROM queries), forgotten_to, emptied_to) + 1
             AS number FROM settings`,
        )
        .one().number,
    insert: (
      row: Pick<
        QueryRow,
        "number" | "id" | "window" | "key" | "asked_at" | "on_disconnect" | "identity" | "query"
      >,
    ) =>
      sql.exec(
        `INSERT INTO queries
           (number, id, state, window, key, asked_at, on_disconnect, identity, query)
         VALUES (?, ?, 'reserved', ?, ?, ?, ?, ?, ?)`,
        row.number,
        row.id,
        row.window,
        row.key,
        row.asked_at,
        row.on_disconnect,
        row.identity,
        row.query,
      ),
    charge: (number: number, now: number, answer: Answer) =>
      sql
        .exec<{ window: string }>(
          `UPDATE queries SET state = 'charged', resolved_at = ?2, answer = ?3, sources = ?4,
             finish = ?5, token_lengths = ?6, first_token_ms = ?7, total_ms = ?8
           WHERE number = ?1 AND state = 'reserved' RETURNING window`,
          number,
          now,
          answer.tokens.join(""),
          JSON.stringify(answer.sources),
          answer.finish,
          JSON.stringify(answer.tokens.map((token) => token.length)),
          answer.firstTokenMs,
          answer.totalMs,
        )
        .toArray()[0]?.window,
    refund: (number: number, now: number, reason: RefundReason) =>
      sql
        .exec<{ window: string }>(
          `UPDATE queries SET state = 'refunded', resolved_at = ?2, reason = ?3
           WHERE number = ?1 AND state = 'reserved' RETURNING window`,
          number,
          now,
          reason,
        )
        .toArray()[0]?.window,
    get: (number: number, id: string) =>
      sql
        .exec<QueryRow>("SELECT * FROM queries WHERE number = ? AND id = ?", number, id)
        .toArray()[0],
    before: (number: number, limit: number, identity: string | null | undefined) =>
      sql.exec<QueryRow>(
        `SELECT * FROM queries WHERE number < ?1 ${identity === undefined ? "" : "AND identity IS ?3"}
         ORDER BY number DESC LIMIT ?2`,
        ...[number, limit, ...(identity === undefined ? [] : [identity])],
      ),
    reserved: (count: number) =>
      sql
        .exec<{ id: string; asked_at: number }>(
          `SELECT id, asked_at FROM queries WHERE state = 'reserved'
           ORDER BY number DESC LIMIT ?`,
          count,
        )
        .toArray(),
    // Only an operator's own refund takes back a charge.
    refundCharge: (number: number, now: number) =>
      sql
        .exec<{ window: string }>(
          `UPDATE queries SET state = 'refunded', resolved_at = ?2, reason = 'operator'
           WHERE number = ?1 AND state = 'charged' RETURNING window`,
          number,
          now,
        )
        .toArray()[0]?.window,
    oldestAfter: (number: number, limit: number) =>
      sql
        .exec<AgedQuery>(
          `SELECT number, id, state, reason, window, key, asked_at FROM queries
           WHERE number > ? ORDER BY number LIMIT ?`,
          number,
          limit,
        )
        .toArray(),
    empty: (number: number) =>
      sql.exec(
        `UPDATE queries SET query = NULL, answer = NULL, sources = NULL, token_lengths = NULL,
           comment = NULL WHERE number = ?`,
        number,
      ),
    drop: (number: number) => sql.exec("DELETE FROM queries WHERE number = ?", number),
    rate: (number: number, rating: Rating | null, comment: string | null) =>
      sql.exec(
        "UPDATE queries SET rating = ?2, comment = ?3 WHERE number = ?1",
        number,
        rating,
        comment,
      ),
    // Of the newest rows only, so that it costs the same however many there are.
    failedAfter: (time: number) =>
      sql
        .exec<{ at: number; identity: string | null }>(
          `SELECT resolved_at AS at, identity
           FROM (SELECT reason, resolved_at, identity FROM queries
                 ORDER BY number DESC LIMIT ${RECENT_ROWS})
           WHERE reason = 'failed' AND resolved_at > ? ORDER BY resolved_at`,
          time,
        )
        .toArray(),
    newest: () =>
      sql.exec<Pick<QueryRow, "window" | "asked_at" | "state" | "identity" | "reason">>(
        "SELECT window, asked_at, state, identity, reason FROM queries ORDER BY number DESC",
      ),
    recount: () =>
      sql
        .exec<RowCount>(
          "SELECT window, state, reason, count(*) AS rows FROM queries GROUP BY window, state, reason",
        )
        .toArray(),
  };
}

export class Queries {
  readonly #statements: ReturnType<typeof statements>;

  constructor(sql: SqlStorage) {
    this.#statements = statements(sql);
  }

  /** Gives a table that an earlier release has made what it lacks. */
  upgrade(): void {
    if (!this.#statements.columns().includes("identity")) this.#statements.addIdentity();
  }

  /** Logs a query as reserved and returns its id: unique over all users, and not to be guessed. */
  insert({ ask, key, identity, window, askedAt }: NewQuery): string {
    const number = this.#statements.nextNumber();
    const id = `${number.toString(36)}-${crypto.randomUUID().replaceAll("-", "")}`;
    this.#statements.insert({
      number,
      id,
      window,
      key: key.hash,
      asked_at: askedAt,
      on_disconnect: ask.onDisconnect,
      identity,
      query: ask.query,
    });
    return id;
  }

  /** The window to count the charge in; undefined if the query was no longer reserved. */
  charge(id: string, now: number, answer: Answer): string | undefined {
    return this.#statements.charge(numberOf(id), now, answer);
  }

  /** The window to count the refund in; undefined if the query was no longer reserved. */
  refund(id: string, now: number, reason: RefundReason): string | undefined {
    return this.#statements.refund(numberOf(id), now, reason);
  }

  get(id: string): QueryRow | undefined {
    const number = numberOf(id);
    return Number.isNaN(number) ? undefined : this.#statements.get(number, id);
  }

  /**
   * A page of the log, the newest first, from before the query `before` on, and whether there is more;
   * only those of an identity if one is given.
   * A page ends early where it grows long: a hundred of the longest answers would be tens of megabytes.
   * Undefined if `before` can be no query.
   */
  page(
    limit: number,
    before?: string,
    identity?: string | null,
  ): { rows: QueryRow[]; more: boolean } | undefined {
    const number = before === undefined ? Number.MAX_SAFE_INTEGER : numberOf(before);
    if (Number.isNaN(number)) return undefined;
    const rows: QueryRow[] = [];
    let length = 0;
    for (const row of this.#statements.before(number, limit + 1, identity)) {
      length += (row.answer?.length ?? 0) + (row.sources?.length ?? 0) + (row.query?.length ?? 0);
      const full = rows.length === limit || (rows.length > 0 && length > PAGE_LENGTH_MAX);
      if (full) return { rows, more: true };
      rows.push(row);
    }
    return { rows, more: false };
  }

  /** The `count` that are reserved, newest first. */
  reserved(count: number): { id: string; asked_at: number }[] {
    return count === 0 ? [] : this.#statements.reserved(count);
  }

  /** The window to count an operator's refund in; undefined if the query was not charged. */
  refundCharge(id: string, now: number): string | undefined {
    return this.#statements.refundCharge(numberOf(id), now);
  }

  /** The oldest rows past a number, in the order of asking. */
  oldestAfter(number: number, limit: number): AgedQuery[] {
    return this.#statements.oldestAfter(number, limit);
  }

  /** Empties a row of what was said. */
  empty(number: number): void {
    this.#statements.empty(number);
  }

  drop(number: number): void {
    this.#statements.drop(number);
  }

  /** The latest rating wins, and `null` takes it back, with its comment. */
  rate(id: string, rating: Rating | null, comment: string | null): void {
    this.#statements.rate(numberOf(id), rating, comment);
  }

  /** Those of the newest queries that failed after a time, oldest first. */
  failedAfter(time: number): Failure[] {
    return this.#statements.failedAfter(time);
  }

  /**
   * How many refunds of a window the refund allowance counts for one reader. Reads the rows of the window
   * and of later ones: they are the newest, since no window opens again.
   */
  leftOf(identity: string, window: string): number {
    let left = 0;
    for (const row of this.#statements.newest()) {
      if (row.window < window || row.window.length !== window.length) break;
      if (row.window === window && row.identity === identity && isLeft(row.reason)) left += 1;
    }
    return left;
  }

  /**
   * What was asked since a time in windows of another period than this one's: how many are reserved or
   * charged, and how many refunds the refund allowance counts. Reads the rows since then.
   */
  countedElsewhere(window: string, since: number): { used: number; left: number } {
    const counted = { used: 0, left: 0 };
    for (const row of this.#statements.newest()) {
      if (row.asked_at < since) break;
      if (row.window.length === window.length) continue;
      if (row.state !== "refunded") counted.used += 1;
      else if (isLeft(row.reason)) counted.left += 1;
    }
    return counted;
  }

  /** The rows of each window, counted by state and reason: for the audit. */
  recount(): RowCount[] {
    return this.#statements.recount();
  }
}

/** NaN for what can be no id. */
function numberOf(id: string): number {
  const [, number] = /^([\da-z]{1,10})-[\da-f]{32}$/.exec(id) ?? [];
  return number === undefined ? Number.NaN : Number.parseInt(number, 36);
}

export function receipt(row: QueryRow): Receipt {
  return {
    queryId: row.id,
    state: row.state,
    reason: row.reason,
    window: row.window,
    askedAt: new Date(row.asked_at).toISOString(),
    resolvedAt: row.resolved_at === null ? null : new Date(row.resolved_at).toISOString(),
    onDisconnect: row.on_disconnect,
    query: row.query,
    answer: row.answer,
    sources: row.sources === null ? null : withCitations(JSON.parse(row.sources), row.answer ?? ""),
    finish: row.finish,
    tokens: row.token_lengths === null ? null : JSON.parse(row.token_lengths).length,
    firstTokenMs: row.first_token_ms,
    totalMs: row.total_ms,
    feedback:
      row.rating === null && row.comment === null
        ? null
        : { rating: row.rating, comment: row.comment },
  };
}
