// The query log: one row a query, with its state, its answer and the user's
// feedback. The statements move each state once. The counters that move in
// the same transaction are in ledger.ts; pages of the log are in pages.ts.

import { isDefaultAlone } from "../collections.ts";
import type {
  Ask,
  Finish,
  OnDisconnect,
  QueryState,
  Rating,
  RefundReason,
  Source,
} from "../protocol.ts";
import type { Failure } from "./failures.ts";
import type { AskKey } from "./keys.ts";
import { isCounted } from "./ledger.ts";
import { type Payment, takes } from "./payment.ts";
import { newQueryId, numberOf } from "./query-id.ts";

/** Times are in milliseconds since the epoch, durations in milliseconds. */
export type QueryRow = {
  number: number;
  id: string;
  state: QueryState;
  reason: RefundReason | null;
  window: string;
  /**
   * The ask's hash in keys.ts, by which it is deleted there; null where it
   * has none.
   */
  key: string | null;
  asked_at: number;
  resolved_at: number | null;
  on_disconnect: OnDisconnect;
  /**
   * Which of the readers that share the object asked; null where it is one
   * user's own.
   */
  identity: string | null;
  query: string | null;
  answer: string | null;
  /** Source[] as JSON. */
  sources: string | null;
  finish: Finish | null;
  /** 0 if the answer says only that nothing was found, else 1. */
  found: number | null;
  /** JSON: the lengths of the answer's token events, in UTF-16 units. */
  token_lengths: string | null;
  first_token_ms: number | null;
  total_ms: number | null;
  /** What the rewrite of the question cost, if there was one. */
  rewrite_ms: number | null;
  rewrite_tokens: number | null;
  rating: Rating | null;
  comment: string | null;
  /** The query whose turns come before, if the ask named one. */
  previous: string | null;
  /** The collections that were searched, as JSON; null for `default`. */
  collections: string | null;
  /** The period of the budget that it takes from: see payment.ts. */
  budget: string | null;
  /**
   * In micro-dollars: the most that it may cost while it is reserved, then
   * what it cost. Null if it takes nothing from the budget.
   */
  cost: number | null;
};

// There is no index: each would cost a billed row for each ask. A row is
// found by its number, with which its id begins, and proved by the rest of
// the id. Reserved rows are found from the newest back, as many as the ledger
// counts: a run takes minutes at most.
export const QUERIES_SCHEMA = `
  CREATE TABLE queries (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('reserved', 'charged', 'refunded')),
    reason TEXT CHECK (reason IN
      ('disconnected', 'cancelled', 'nothing_found', 'failed', 'expired', 'operator')),
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
    found INTEGER CHECK (found IN (0, 1)),
    rewrite_ms INTEGER,
    rewrite_tokens INTEGER,
    previous TEXT,
    collections TEXT,
    budget TEXT,
    cost INTEGER,
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
  /** The query whose turns come before. */
  readonly previous?: string | undefined;
  readonly window: string;
  readonly payment: Pick<Payment, "budget" | "micros">;
  /** In milliseconds since the epoch. */
  readonly askedAt: number;
}

/** What a run took, in milliseconds, and tokens. */
export interface Spent {
  readonly firstTokenMs: number | null;
  readonly totalMs: number;
  /** Undefined if no rewrite ended. */
  readonly rewriteMs: number | undefined;
  /** Undefined if the model did not count them. */
  readonly rewriteTokens: number | undefined;
  /** What the model cost, in micro-dollars, if it is paid by the token. */
  readonly micros?: number | undefined;
  /** The budget was used up, and no model answered. */
  readonly fallback?: boolean | undefined;
}

/** What is stored of a whole answer. */
export interface Answer extends Spent {
  readonly tokens: readonly string[];
  readonly sources: readonly Source[];
  readonly finish: Finish;
  readonly found: boolean;
}

/** Rows in which a new instance looks for failures. */
const RECENT_ROWS = 100;

export class Queries {
  readonly #sql: SqlStorage;
  /** The number of the last query. */
  #last: number | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /**
   * Logs a query as reserved and returns its id: unique over all users, not
   * guessable.
   */
  insert({ ask, key, identity, previous, window, payment, askedAt }: NewQuery): string {
    this.#last ??= this.#readLast();
    const number = this.#last + 1;
    const id = newQueryId(number);
    this.#sql.exec(
      `INSERT INTO queries
         (number, id, state, window, key, asked_at, on_disconnect, identity, query, previous,
           collections, budget, cost)
       VALUES (?, ?, 'reserved', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[number, id, window, key.hash, askedAt, ask.onDisconnect, identity, ask.query],
      previous ?? null,
      isDefaultAlone(ask.collections) ? null : JSON.stringify(ask.collections),
      ...[payment.budget, takes(payment) ? payment.micros : null],
    );
    this.#last = number;
    return id;
  }

  /**
   * No number is used twice: retention has passed it, though its row may be
   * deleted.
   */
  #readLast(): number {
    return this.#sql
      .exec<{ last: number }>(
        `SELECT max((SELECT coalesce(max(number), 0) FROM queries), keys_pruned_to,
           content_pruned_to) AS last FROM settings`,
      )
      .one().last;
  }

  /** The table was made: it has no rows. */
  begin(): void {
    this.#last = 0;
  }

  /** Drops what is known of the stored rows. */
  forget(): void {
    this.#last = undefined;
  }

  /**
   * The window to count the charge in; undefined if the query was not
   * reserved.
   */
  charge(id: string, now: number, answer: Answer): string | undefined {
    return this.#move(
      `UPDATE queries SET state = 'charged', resolved_at = ?2, answer = ?3, sources = ?4,
         finish = ?5, token_lengths = ?6, first_token_ms = ?7, total_ms = ?8, found = ?9,
         rewrite_ms = ?10, rewrite_tokens = ?11, cost = coalesce(?12, cost)
       WHERE number = ?1 AND state = 'reserved' RETURNING window`,
      ...[numberOf(id), now, ...columnsOf(answer)],
    );
  }

  /**
   * Refunds an answer that found nothing, and stores it. The window to count
   * the refund in; undefined if the query was not reserved.
   */
  refundNothingFound(id: string, now: number, answer: Answer): string | undefined {
    return this.#move(
      `UPDATE queries SET state = 'refunded', reason = 'nothing_found', resolved_at = ?2,
         answer = ?3, sources = ?4, finish = ?5, token_lengths = ?6, first_token_ms = ?7,
         total_ms = ?8, found = ?9, rewrite_ms = ?10, rewrite_tokens = ?11,
         cost = coalesce(?12, cost)
       WHERE number = ?1 AND state = 'reserved' RETURNING window`,
      ...[numberOf(id), now, ...columnsOf(answer)],
    );
  }

  /**
   * The window to count the refund in; undefined if the query was not
   * reserved.
   * @param micros What the model cost; undefined for the most that it may.
   */
  refund(
    id: string,
    now: number,
    reason: RefundReason,
    micros: number | undefined,
  ): string | undefined {
    return this.#move(
      `UPDATE queries SET state = 'refunded', resolved_at = ?2, reason = ?3,
         cost = coalesce(?4, cost)
       WHERE number = ?1 AND state = 'reserved' RETURNING window`,
      ...[numberOf(id), now, reason, micros ?? null],
    );
  }

  /**
   * The window of an operator's refund; undefined if the query was not
   * charged.
   */
  refundCharge(id: string, now: number): string | undefined {
    return this.#move(
      `UPDATE queries SET state = 'refunded', resolved_at = ?2, reason = 'operator'
       WHERE number = ?1 AND state = 'charged' RETURNING window`,
      ...[numberOf(id), now],
    );
  }

  #move(statement: string, ...values: SqlStorageValue[]): string | undefined {
    return this.#sql.exec<{ window: string }>(statement, ...values).toArray()[0]?.window;
  }

  get(id: string): QueryRow | undefined {
    const number = numberOf(id);
    if (Number.isNaN(number)) return undefined;
    return this.#sql
      .exec<QueryRow>("SELECT * FROM queries WHERE number = ? AND id = ?", number, id)
      .toArray()[0];
  }

  /** The `count` that are reserved, newest first. */
  reserved(count: number): { id: string; asked_at: number }[] {
    if (count === 0) return [];
    return this.#sql
      .exec<{ id: string; asked_at: number }>(
        `SELECT id, asked_at FROM queries WHERE state = 'reserved'
         ORDER BY number DESC LIMIT ?`,
        count,
      )
      .toArray();
  }

  /** The oldest rows after a number, in the order of asking. */
  oldestAfter(number: number, limit: number): AgedQuery[] {
    return this.#sql
      .exec<AgedQuery>(
        `SELECT number, id, state, reason, window, key, asked_at FROM queries
         WHERE number > ? ORDER BY number LIMIT ?`,
        ...[number, limit],
      )
      .toArray();
  }

  /** Deletes the texts of a row: question, answer, sources, comment. */
  pruneContent(number: number): void {
    this.#sql.exec(
      `UPDATE queries SET query = NULL, answer = NULL, sources = NULL, token_lengths = NULL,
         comment = NULL WHERE number = ?`,
      number,
    );
  }

  delete(number: number): void {
    this.#sql.exec("DELETE FROM queries WHERE number = ?", number);
  }

  /** The latest rating counts; `null` deletes it, with its comment. */
  rate(id: string, rating: Rating | null, comment: string | null): void {
    this.#sql.exec(
      "UPDATE queries SET rating = ?2, comment = ?3 WHERE number = ?1",
      ...[numberOf(id), rating, comment],
    );
  }

  /**
   * The newest queries that failed after a time, oldest first. Reads a fixed
   * number of rows, however long the log is.
   */
  failedAfter(time: number): Failure[] {
    return this.#sql
      .exec<{ at: number; identity: string | null }>(
        `SELECT resolved_at AS at, identity
         FROM (SELECT reason, resolved_at, identity FROM queries
               ORDER BY number DESC LIMIT ${RECENT_ROWS})
         WHERE reason = 'failed' AND resolved_at > ? ORDER BY resolved_at`,
        time,
      )
      .toArray();
  }

  /**
   * How many refunds of a window the refund allowance counts for one reader.
   * Reads the rows of the window and of later ones: the newest, since no
   * window opens again.
   */
  countedRefundsOf(identity: string, window: string): number {
    let refunds = 0;
    for (const row of this.#newest()) {
      if (row.window < window || row.window.length !== window.length) break;
      const isOwn = row.window === window && row.identity === identity;
      if (isOwn && isCounted(row.reason)) refunds += 1;
    }
    return refunds;
  }

  /**
   * What was asked since a time in windows of another period than this one's:
   * how many are reserved or charged, and how many refunds the refund
   * allowance counts.
   */
  countedElsewhere(window: string, since: number): { used: number; refunds: number } {
    const counted = { used: 0, refunds: 0 };
    for (const row of this.#newest()) {
      if (row.asked_at < since) break;
      if (row.window.length === window.length) continue;
      if (row.state !== "refunded") counted.used += 1;
      else if (isCounted(row.reason)) counted.refunds += 1;
    }
    return counted;
  }

  /** Read row by row, as far as the caller wants. */
  #newest() {
    return this.#sql.exec<Pick<QueryRow, "window" | "asked_at" | "state" | "identity" | "reason">>(
      "SELECT window, asked_at, state, identity, reason FROM queries ORDER BY number DESC",
    );
  }

  /** The rows of each window, counted by state and reason: for the audit. */
  recount(): RowCount[] {
    return this.#sql
      .exec<RowCount>(
        "SELECT window, state, reason, count(*) AS rows FROM queries GROUP BY window, state, reason",
      )
      .toArray();
  }
}

function columnsOf(answer: Answer): SqlStorageValue[] {
  const { tokens, sources, finish, found, firstTokenMs, totalMs } = answer;
  const { rewriteMs = null, rewriteTokens = null, micros = null } = answer;
  const lengths = tokens.map((token) => token.length);
  return [
    ...[tokens.join(""), JSON.stringify(sources), finish, JSON.stringify(lengths)],
    ...[firstTokenMs, totalMs, found ? 1 : 0, rewriteMs, rewriteTokens, micros],
  ];
}
