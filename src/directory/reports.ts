// Applies users' reports: each once, and in order. The numbers of a user, and
// of all users, are changed by the difference between what the user's day was
// and what it is now, in the same transaction, so they are always the sum. A
// user's newest day is in their own row: most reports write it anyway.

import {
  COUNTERS,
  isSamePosition,
  NOTHING,
  ORIGIN,
  type Position,
  type Report,
  type ReportedDay,
  type ReportedQuery,
  sum,
  sumCounts,
  TOTALS_NAMES,
  type Totals,
  type TotalsRow,
  totalsOf,
  totalsValues,
} from "../report.ts";
import type { Days } from "./days.ts";
import { KEYS_PER_MS, type UserRow } from "./directory-schema.ts";

const DAY_MS = 86_400_000;
const PLACES = TOTALS_NAMES.map(() => "?").join(", ");
/** The largest prime number that a column of SQLite and a number both hold. */
const NUMBERS = 9_007_199_254_740_881n;
/** Users whose ids make the same number have the next ones. */
const SAME_NUMBER_MAX = 8;
const USER_COLUMNS = [
  ...["number", "id", "name", "log", "revision", "last", "first_at", "last_at", "blocked"],
  ...["quota_limit", "claimed_limit", "newest_day", "newest", ...COUNTERS],
] as const satisfies readonly (keyof UserRow)[];

export class Reports {
  readonly #sql: SqlStorage;
  readonly #days: Days;

  constructor(sql: SqlStorage, days: Days) {
    this.#sql = sql;
    this.#days = days;
  }

  positionOf(id: string): Position {
    const user = this.#user(id);
    return user === undefined ? ORIGIN : positionIn(user);
  }

  /**
   * Call it in a transaction.
   * @param shareQueries Without it, no word is stored, whatever is reported.
   */
  apply(id: string, report: Report, shareQueries: boolean): Position {
    const known = this.#user(id);
    const at = known === undefined ? ORIGIN : positionIn(known);
    if (!isSamePosition(at, report.from)) return at;
    if (known !== undefined && report.restarts) this.#deleteReported(known);
    const begins = known === undefined || report.restarts;
    const before = begins ? newUser(id, known?.number ?? this.#freeNumber(id)) : known;
    for (const query of report.queries) this.#putQuery(before.number, query, shareQueries);
    const user = report.days.reduce((row, day) => this.#putDay(row, day), before);
    this.#put(user, report);
    return report.to;
  }

  /** Call it in a transaction. Returns whether the user was known. */
  erase(id: string): boolean {
    const user = this.#user(id);
    // The entries stay, without the user's name.
    this.#sql.exec("UPDATE log SET target = NULL WHERE user = ?", id);
    if (user === undefined) return false;
    this.#deleteReported(user);
    return true;
  }

  #user(id: string): UserRow | undefined {
    const number = numberOf(id);
    return this.#sql
      .exec<UserRow>(
        "SELECT * FROM users WHERE number >= ? AND number < ? AND id = ?",
        ...[number, number + SAME_NUMBER_MAX, id],
      )
      .toArray()[0];
  }

  #freeNumber(id: string): number {
    const first = numberOf(id);
    const taken = new Set(
      this.#sql
        .exec<{ number: number }>(
          "SELECT number FROM users WHERE number >= ? AND number < ?",
          ...[first, first + SAME_NUMBER_MAX],
        )
        .toArray()
        .map(({ number }) => number),
    );
    let number = first;
    while (taken.has(number)) number += 1;
    if (number >= first + SAME_NUMBER_MAX) throw new Error("The ids of too many users are alike.");
    return number;
  }

  #put(user: UserRow, { to, name, blocked, limit, claimedLimit }: Report): void {
    const row: UserRow = {
      ...{ ...user, ...to, log: to.log ?? "", name, blocked: blocked ? 1 : 0 },
      ...{ quota_limit: limit, claimed_limit: claimedLimit },
    };
    this.#sql.exec(
      `INSERT OR REPLACE INTO users (${USER_COLUMNS.join(", ")})
       VALUES (${USER_COLUMNS.map(() => "?").join(", ")})`,
      ...USER_COLUMNS.map((column) => row[column]),
    );
  }

  #putQuery(user: number, query: ReportedQuery, shareQueries: boolean): void {
    const key = this.#keyOf(query);
    if (key === undefined) return;
    const words = shareQueries ? query.words : undefined;
    const { question = null, answer = null, comment = null } = words ?? {};
    if (question !== null || answer !== null || comment !== null) {
      this.#sql.exec("INSERT OR IGNORE INTO has_words VALUES (1)");
    }
    // Only the columns that may change: an index is a row more.
    this.#sql.exec(
      `INSERT INTO queries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET state = excluded.state, reason = excluded.reason,
         rating = excluded.rating, question = excluded.question, answer = excluded.answer,
         comment = excluded.comment`,
      ...[key, user, query.id, query.state, query.reason, asNumber(query.found), query.score],
      ...[query.cited, query.tokens, query.firstTokenMs, query.totalMs, query.rating],
      ...[query.collections, JSON.stringify(query.documents), JSON.stringify(query.closest)],
      ...[question, answer, comment],
    );
  }

  /** Its own, or a free one of its millisecond, if there is one. */
  #keyOf({ id, askedAt }: ReportedQuery): number | undefined {
    const first = askedAt * KEYS_PER_MS;
    const rows = this.#sql
      .exec<{ key: number; id: string }>(
        "SELECT key, id FROM queries WHERE key >= ? AND key < ? ORDER BY key",
        ...[first, first + KEYS_PER_MS],
      )
      .toArray();
    const own = rows.find((row) => row.id === id);
    if (own !== undefined) return own.key;
    const taken = new Set(rows.map(({ key }) => key));
    let key = first;
    while (taken.has(key)) key += 1;
    return key < first + KEYS_PER_MS ? key : undefined;
  }

  /** The user's row with a day as it is now. */
  #putDay(user: UserRow, { day, first_at, last_at, ...totals }: ReportedDay): UserRow {
    const change = sum(totals, this.#userDay(user, day), -1);
    this.#days.add(day, change);
    const isNewest = user.newest_day === null || day >= user.newest_day;
    if (!isNewest) this.#putOlderDay(user.number, day, totals);
    else if (user.newest_day !== null && day > user.newest_day) {
      this.#putOlderDay(user.number, user.newest_day, newestOf(user));
    }
    return {
      ...{ ...user, ...sumCounts(user, change) },
      first_at: Math.min(user.first_at ?? first_at, first_at),
      last_at: Math.max(user.last_at ?? last_at, last_at),
      ...(isNewest && { newest_day: day, newest: JSON.stringify(totals) }),
    };
  }

  #putOlderDay(user: number, day: string, totals: Totals): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO user_days (day, user, ${TOTALS_NAMES.join(", ")})
       VALUES (?, ?, ${PLACES})`,
      ...[day, user, ...totalsValues(totals)],
    );
  }

  #userDay(user: UserRow, day: string): Totals {
    if (day === user.newest_day) return newestOf(user);
    const [row] = this.#sql
      .exec<TotalsRow>("SELECT * FROM user_days WHERE day = ? AND user = ?", day, user.number)
      .toArray();
    return row === undefined ? NOTHING : totalsOf(row);
  }

  /** Deletes a user and their reports, and subtracts them from all totals. */
  #deleteReported({ number }: UserRow): void {
    // The days are looked up one by one: they have no index by user. Each query
    // is of one of them, since a report has the days of its queries.
    const rows = this.#sql
      .exec<TotalsRow & { day: string }>(
        "SELECT * FROM every_day WHERE user = ? AND day IN (SELECT day FROM days)",
        number,
      )
      .toArray();
    for (const { day } of rows) {
      this.#sql.exec(
        "DELETE FROM queries WHERE key >= ? AND key < ? AND user = ?",
        ...[...keysOf(day), number],
      );
      this.#sql.exec("DELETE FROM user_days WHERE day = ? AND user = ?", day, number);
    }
    this.#sql.exec("DELETE FROM users WHERE number = ?", number);
    for (const row of rows) {
      this.#days.add(row.day, sum(NOTHING, totalsOf(row), -1));
      this.#days.deleteEmpty(row.day);
    }
  }
}

/** The keys of the queries that were asked on a UTC day. */
function keysOf(day: string): [from: number, to: number] {
  const start = Date.parse(day);
  return [start * KEYS_PER_MS, (start + DAY_MS) * KEYS_PER_MS];
}

/** Of an object's id, which is a hash. */
function numberOf(id: string): number {
  return Number(BigInt(`0x${id}`) % NUMBERS);
}

function newUser(id: string, number: number): UserRow {
  const { first_token_ms: _, total_ms: __, ...counts } = NOTHING;
  return {
    ...{ ...counts, number, id, name: "", log: "", revision: 0, last: null },
    ...{ first_at: null, last_at: null, blocked: 0, quota_limit: null, claimed_limit: null },
    ...{ newest_day: null, newest: null },
  };
}

function newestOf({ newest }: UserRow): Totals {
  return newest === null ? NOTHING : JSON.parse(newest);
}

function positionIn({ log, revision, last }: UserRow): Position {
  return { log, revision, last };
}

function asNumber(value: boolean | null): number | null {
  return value === null ? null : Number(value);
}
