// What the directory shows: users, queries, feedback and totals, page by page.

import { base64url } from "jose";
import { askedOf, BOUNDS_MS, COUNTERS, type Counts, type Words } from "../report.ts";
import type { ShownCounts, ShownQuery, ShownTotals, ShownUser } from "../shown.ts";
import type { Days } from "./days.ts";
import { KEYS_PER_MS, type QueryRow, type UserRow } from "./directory-schema.ts";

export const USER_ORDERS = [
  ...["asked", "charged", "refunded", "failed", "tokens", "lastSeen", "name"],
] as const;

export interface UsersPage {
  /** A part of the name. */
  readonly search: string;
  readonly sort: string;
  /** A UTC day: only what was asked from then on counts. */
  readonly since: string | null;
  readonly limit: number;
  /** `after` of the page before. */
  readonly after: string | null;
}

/** Times are in ms since the epoch. */
export interface QueriesPage {
  readonly user: string | null;
  readonly found: boolean | null;
  readonly rating: "up" | "down" | "any" | null;
  readonly reason: string | null;
  readonly collection: string | null;
  readonly since: number;
  readonly until: number;
  readonly limit: number;
  /** `before` of the page before. */
  readonly before: number;
}

/** All but the words: only what is shown is read. */
const QUERY_COLUMNS = `key, user, queries.id AS id, state, reason, found, score, cited,
  queries.tokens AS tokens, first_token_ms, total_ms, rating, collections, documents, closest`;

/** Rows that one page may read. */
const ROWS_READ_MAX = 100_000;

const ENDED = COUNTERS.filter((name) => name !== "tokens");
const ASKED = ENDED.join(" + ");
const SORTED_BY: Readonly<Record<string, string>> = {
  asked: ASKED,
  charged: "charged",
  refunded: ENDED.filter((name) => name !== "charged").join(" + "),
  failed: "failed + expired",
  tokens: "tokens",
  lastSeen: "coalesce(last_at, 0)",
  name: "name",
};

type ListedRow = Omit<QueryRow, keyof Words> & { name: string };

export class Listings {
  readonly #sql: SqlStorage;
  readonly #days: Days;
  readonly #limitOf: (name: string) => number;

  /** @param limitOf The limit of a user without one of their own. */
  constructor(sql: SqlStorage, days: Days, limitOf: (name: string) => number) {
    this.#sql = sql;
    this.#days = days;
    this.#limitOf = limitOf;
  }

  /** Undefined if `after` is not what a page said. */
  users(page: UsersPage): { users: ShownUser[]; after: string | null } | undefined {
    const after = page.after === null ? undefined : cursorOf(page.after);
    if (page.after !== null && after === undefined) return undefined;
    const isByName = page.sort === "name";
    const counted = COUNTERS.map((name) => `sum(${name}) AS ${name}`).join(", ");
    const source =
      page.since === null
        ? "SELECT * FROM users"
        : `SELECT number, id, name, first_at, last_at, blocked, quota_limit, claimed_limit, counted.*
           FROM (SELECT user, ${counted} FROM every_day WHERE day >= ?1 GROUP BY user) AS counted
           JOIN users ON users.number = counted.user`;
    const value = SORTED_BY[page.sort] ?? "name";
    const rows = this.#sql
      .exec<UserRow & { value: number | string }>(
        `SELECT *, ${value} AS value FROM (${source})
         WHERE instr(lower(name), lower(?2)) > 0 AND ?1 IS ?1
           AND (?3 IS NULL OR (value, number) ${isByName ? ">" : "<"} (?3, ?4))
         ORDER BY value ${isByName ? "" : "DESC"}, number ${isByName ? "" : "DESC"} LIMIT ?5`,
        ...[page.since, page.search, after?.value ?? null, after?.number ?? 0, page.limit + 1],
      )
      .toArray();
    const shown = rows.slice(0, page.limit);
    const last = rows.length > page.limit ? shown.at(-1) : undefined;
    return {
      users: shown.map((row) => shownUser(row, this.#limitOf(row.name))),
      after: last === undefined ? null : cursor({ value: last.value, number: last.number }),
    };
  }

  /** The newest first. A page may be empty though there are more. */
  queries(page: QueriesPage, showWords: boolean): { queries: ShownQuery[]; before: string | null } {
    const found: ListedRow[] = [];
    const { rating, reason, collection } = page;
    const user = page.user === null ? null : this.#userOf(page.user);
    if (user === undefined) return { queries: [], before: null };
    const since = Math.max(page.since, user?.first_at ?? 0);
    const until = Math.min(page.until, (user?.last_at ?? Number.MAX_SAFE_INTEGER) + 1);
    const [from, to] = [since * KEYS_PER_MS, Math.min(page.before, until * KEYS_PER_MS)];
    let key = to;
    let read = 0;
    const rows = this.#sql.exec<ListedRow>(
      `SELECT ${QUERY_COLUMNS}, name FROM queries ${this.#index(page)}
       CROSS JOIN users ON users.number = queries.user
       WHERE key >= ? AND key < ? ${conditions(page)} ORDER BY key DESC`,
      ...[from, to],
    );
    for (const row of rows) {
      if (found.length === page.limit || read === ROWS_READ_MAX) {
        return { queries: this.#shown(found, showWords), before: `${key}` };
      }
      read += 1;
      key = row.key;
      if (user !== null && row.user !== user.number) continue;
      if (rating !== null && rating !== "any" && row.rating !== rating) continue;
      if (reason !== null && row.reason !== reason) continue;
      if (collection !== null && !collectionsOf(row).includes(collection)) continue;
      found.push(row);
    }
    return { queries: this.#shown(found, showWords), before: null };
  }

  /** Without it, SQLite may read every query for a few. */
  #index({ rating, found }: QueriesPage): string {
    if (rating !== null) return "INDEXED BY rated_queries";
    return found === false ? "INDEXED BY unanswered_queries" : "";
  }

  #userOf(name: string): UserRow | undefined {
    return this.#sql.exec<UserRow>("SELECT * FROM users WHERE name = ?", name).toArray()[0];
  }

  #shown(rows: readonly ListedRow[], showWords: boolean): ShownQuery[] {
    return rows.map((row) => {
      const words = showWords ? this.#wordsOf(row) : undefined;
      const closest: [string, number][] = JSON.parse(row.closest);
      return {
        queryId: row.id,
        user: row.name,
        askedAt: timeOf(Math.floor(row.key / KEYS_PER_MS)),
        state: row.state,
        reason: row.reason,
        found: row.found === null ? null : row.found === 1,
        score: row.score,
        cited: row.cited,
        documents: JSON.parse(row.documents),
        closest: closest.map(([documentId, score]) => ({ documentId, score })),
        tokens: row.tokens,
        firstTokenMs: row.first_token_ms,
        totalMs: row.total_ms,
        rating: row.rating,
        collections: collectionsOf(row),
        question: words?.question ?? null,
        answer: words?.answer ?? null,
        comment: words?.comment ?? null,
      };
    });
  }

  #wordsOf({ key }: ListedRow): Words | undefined {
    return this.#sql
      .exec<Words & Record<string, SqlStorageValue>>(
        "SELECT question, answer, comment FROM queries WHERE key = ?",
        key,
      )
      .toArray()[0];
  }

  /** @param since A UTC day, as `until`; both are included. */
  totals(since: string, until: string): ShownTotals {
    const days = this.#days.between(since, until).map((day) => ({
      day: day.day,
      ...shownCounts(day),
      firstTokenMs: day.first_token_ms,
      totalMs: day.total_ms,
    }));
    return { days, boundsMs: BOUNDS_MS };
  }
}

function conditions({ rating, found }: QueriesPage): string {
  return [
    rating === null ? "" : "AND rating IS NOT NULL",
    found === null ? "" : `AND found = ${found ? 1 : 0}`,
  ].join(" ");
}

function collectionsOf({ collections }: ListedRow): string[] {
  return collections === null ? ["default"] : JSON.parse(collections);
}

function shownUser(row: UserRow, limit: number): ShownUser {
  return {
    user: row.name,
    firstSeen: row.first_at === null ? null : timeOf(row.first_at),
    lastSeen: row.last_at === null ? null : timeOf(row.last_at),
    ...shownCounts(row),
    blocked: row.blocked === 1,
    limit: row.quota_limit ?? row.claimed_limit ?? limit,
  };
}

export function shownCounts(counts: Counts): ShownCounts {
  const { charged, disconnected, cancelled, nothing_found, failed, expired, operator, tokens } =
    counts;
  return {
    asked: askedOf(counts),
    charged,
    refunded: { disconnected, cancelled, nothing_found, failed, expired, operator },
    failed: failed + expired,
    tokens,
  };
}

export function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

interface Cursor {
  readonly value: number | string;
  readonly number: number;
}

/** It passes through an address as it is. */
function cursor({ value, number }: Cursor): string {
  return base64url.encode(JSON.stringify([value, number]));
}

function cursorOf(text: string): Cursor | undefined {
  try {
    const [value, number] = JSON.parse(new TextDecoder().decode(base64url.decode(text)));
    const isValue = typeof value === "number" || typeof value === "string";
    return isValue && typeof number === "number" ? { value, number } : undefined;
  } catch {
    return undefined;
  }
}
