// The outbox: what the directory has not heard of yet. There is no table of
// messages. The query log is one, in the order of asking, and `changes` has
// what changed in a query after it was resolved. So a position in the log and a
// revision say what a report must have, for whatever the directory has lost.
// reporter.ts sends reports.
//
// What was asked on a day is counted from the log. Only before rows or their
// texts are deleted, and once there are many, the count is stored in `days`: a
// row for each answer would be a billed row for each answer.

import {
  COUNTERS,
  dayOf,
  histogramOf,
  NOTHING,
  ORIGIN,
  type Position,
  type ReportedDay,
  sum,
  TOTALS_COLUMNS,
  TOTALS_NAMES,
  type Totals,
  type TotalsRow,
  totalsOf,
  totalsValues,
} from "../report.ts";
import type { QueryRow } from "./queries.ts";
import { numberIn, numberOf } from "./query-id.ts";

export const OUTBOX_SCHEMA = `
  CREATE TABLE days (
    day TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    last_number INTEGER NOT NULL,
    last_id TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    ${TOTALS_COLUMNS}
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE changes (
    revision INTEGER PRIMARY KEY,
    number INTEGER NOT NULL
  ) STRICT;
`;

type DayRow = TotalsRow & {
  day: string;
  revision: number;
  last_number: number;
  last_id: string;
  first_at: number;
  last_at: number;
};

/** What is counted on a day. */
type EndedQuery = Pick<
  QueryRow,
  "number" | "id" | "state" | "reason" | "asked_at" | "first_token_ms" | "total_ms"
> & { tokens: number };

/** Queries that are counted at once. */
const COUNTED_AT_ONCE = 500;
/** Counts are stored after this many queries: a new instance counts the others. */
const STORED_AT = 100;
/** The number that a change of settings has. Queries have numbers from 1. */
const SETTINGS = 0;
/** How long changes of settings are kept, in milliseconds. */
const SETTINGS_KEPT_MS = 30 * 86_400_000;
/** A revision is the time in milliseconds times this, and a random number. */
const REVISIONS_PER_MS = 1_000;

interface State {
  revision: number;
  /** Up to this query, days are stored; null before the first. */
  storedTo: string | null;
  /** The last query of those that are resolved, with all before it. */
  endedTo: string | null;
  /** Where the directory is, unless it has missed something. */
  assumed: string | null | undefined;
  /** When the last of them was asked, in ms since the epoch. */
  lastAt: number;
  /** What is counted and not stored. */
  open: ReadonlyMap<string, OpenDay>;
  openCount: number;
}

interface OpenDay extends ReportedDay {
  readonly lastNumber: number;
  readonly lastId: string;
}

const EMPTY: State = {
  ...{ revision: 0, storedTo: null, endedTo: null, assumed: null, lastAt: 0 },
  ...{ open: new Map(), openCount: 0 },
};

export class Outbox {
  readonly #sql: SqlStorage;
  #state: Readonly<State> | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The tables were made: they have no rows. */
  begin(): void {
    this.#state = EMPTY;
  }

  /** Drops what is known of the stored rows. */
  forget(): void {
    this.#state = undefined;
  }

  get revision(): number {
    return this.#current.revision;
  }

  /** The id of the last query that reports may have. */
  get endedTo(): string | null {
    return this.#current.endedTo;
  }

  get lastAt(): number {
    return this.#current.lastAt;
  }

  get #current(): Readonly<State> {
    this.#state ??= this.#read();
    return this.#state;
  }

  #read(): State {
    const [last] = this.#sql
      .exec<{ id: string; at: number }>(
        "SELECT last_id AS id, last_at AS at FROM days ORDER BY last_number DESC LIMIT 1",
      )
      .toArray();
    const { revision } = this.#sql
      .exec<{ revision: number }>("SELECT coalesce(max(revision), 0) AS revision FROM changes")
      .one();
    const id = last?.id ?? null;
    return {
      ...{ ...EMPTY, revision, storedTo: id, endedTo: id },
      ...{ assumed: undefined, lastAt: last?.at ?? 0 },
    };
  }

  /**
   * Counts the next resolved queries on their days, and returns whether there
   * may be more. It stops at one that is reserved, so that reports are in the
   * order of asking. Call it in a transaction.
   */
  count(): boolean {
    const hasMore = this.#countNext();
    if (this.#current.openCount >= STORED_AT) this.#store();
    return hasMore;
  }

  #countNext(): boolean {
    const state = this.#current;
    const rows = this.#endedAfter(state.endedTo === null ? 0 : numberOf(state.endedTo));
    const assumed =
      state.assumed === undefined ? (rows.at(-2)?.id ?? state.endedTo) : state.assumed;
    const open = new Map(state.open);
    for (const [day, queries] of Map.groupBy(rows, ({ asked_at }) => dayOf(asked_at))) {
      open.set(day, withQueries(open.get(day), day, queries));
    }
    this.#state = {
      ...{ ...state, assumed, open, openCount: state.openCount + rows.length },
      endedTo: rows.at(-1)?.id ?? state.endedTo,
      lastAt: Math.max(state.lastAt, ...rows.map(({ asked_at }) => asked_at)),
    };
    return rows.length === COUNTED_AT_ONCE;
  }

  #endedAfter(number: number): EndedQuery[] {
    const rows: EndedQuery[] = [];
    const found = this.#sql.exec<EndedQuery>(
      `SELECT number, id, state, reason, asked_at, first_token_ms, total_ms,
         coalesce(json_array_length(token_lengths), 0) AS tokens
       FROM queries WHERE number > ? ORDER BY number LIMIT ${COUNTED_AT_ONCE}`,
      number,
    );
    for (const row of found) {
      if (row.state === "reserved") break;
      rows.push(row);
    }
    return rows;
  }

  /**
   * The row of this query, and of those before it, or their texts are about to
   * be deleted: what they count is stored. Call it in the same transaction.
   */
  store(number: number): void {
    const isCounted = () => numberIn(this.#current.endedTo) >= number;
    while (!isCounted() && this.#countNext());
    if (numberIn(this.#current.storedTo) < number) this.#store();
  }

  #store(): void {
    for (const day of this.#current.open.values()) this.#storeDay(day);
    const { endedTo } = this.#current;
    this.#state = { ...this.#current, storedTo: endedTo, open: new Map(), openCount: 0 };
  }

  #storeDay(open: OpenDay): void {
    const { day, lastNumber, lastId } = open;
    const stored = this.#day(day);
    const all = stored === undefined ? open : withDay(reportedDay(stored), open);
    this.#sql.exec(
      `INSERT OR REPLACE INTO days
         (day, revision, last_number, last_id, first_at, last_at, ${TOTALS_NAMES.join(", ")})
       VALUES (?, ?, ?, ?, ?, ?${", ?".repeat(TOTALS_NAMES.length)})`,
      ...[day, stored?.revision ?? 0, lastNumber, lastId, all.first_at, all.last_at],
      ...totalsValues(all),
    );
  }

  #day(day: string): DayRow | undefined {
    return this.#sql.exec<DayRow>("SELECT * FROM days WHERE day = ?", day).toArray()[0];
  }

  /**
   * A query changed after it was resolved: it was rated, or its words were
   * deleted. Call it in the transaction that changes the row.
   */
  changed(id: string): void {
    this.#change(numberOf(id));
  }

  /** A charge was refunded. Call it in the transaction that does so. */
  refundedCharge(id: string, askedAt: number): void {
    this.#change(numberOf(id));
    const { open, storedTo, endedTo } = this.#current;
    const [number, day] = [numberOf(id), dayOf(askedAt)];
    if (number <= numberIn(storedTo)) {
      this.#sql.exec(
        "UPDATE days SET charged = charged - 1, operator = operator + 1, revision = ? WHERE day = ?",
        ...[this.revision, day],
      );
      return;
    }
    // Otherwise it will be counted as it is now.
    const known = open.get(day);
    if (known === undefined || number > numberIn(endedTo)) return;
    const { charged, operator } = known;
    const refunded = { ...known, charged: charged - 1, operator: operator + 1 };
    this.#state = { ...this.#current, open: new Map(open).set(day, refunded) };
  }

  settingsChanged(): void {
    this.#change(SETTINGS);
  }

  /** No other copy of this log has the same revision: it is partly random. */
  #change(number: number): void {
    const random = Math.floor(Math.random() * REVISIONS_PER_MS);
    const revision = Math.max(this.revision + 1, Date.now() * REVISIONS_PER_MS + random);
    this.#sql.exec("INSERT INTO changes (revision, number) VALUES (?, ?)", revision, number);
    this.#state = { ...this.#current, revision };
  }

  /** Whether a revision is one of this log, and was not deleted with its query. */
  hasRevision(revision: number): boolean {
    if (revision === 0 || revision === this.revision) return true;
    return (
      this.#sql.exec("SELECT 1 FROM changes WHERE revision = ?", revision).toArray().length > 0
    );
  }

  /** The rows of queries up to a number were deleted. */
  prune(number: number): void {
    // The highest revision must stay known.
    this.#sql.exec(
      `DELETE FROM changes WHERE revision < ?
         AND (number BETWEEN 1 AND ? OR (number = ${SETTINGS} AND revision < ?))`,
      ...[this.revision, number, (Date.now() - SETTINGS_KEPT_MS) * REVISIONS_PER_MS],
    );
  }

  /** The position of a directory that has heard everything. */
  position(log: string): Position {
    return positionIn(log, this.revision, this.endedTo);
  }

  /**
   * Where the directory was when this instance began, as far as can be told: it
   * lacks the last query alone. It says so if it is elsewhere.
   */
  assumedPosition(log: string): Position {
    const { assumed, endedTo } = this.#current;
    return positionIn(log, this.revision, assumed === undefined ? endedTo : assumed);
  }

  /**
   * The numbers of queries that changed after a revision, the first changes
   * first, and the revision that they reach.
   */
  changesAfter(revision: number, limit: number): { numbers: number[]; to: number } {
    if (revision >= this.revision) return { numbers: [], to: this.revision };
    const changes = this.#sql
      .exec<{ number: number; revision: number }>(
        "SELECT number, revision FROM changes WHERE revision > ? ORDER BY revision LIMIT ?",
        ...[revision, limit + 1],
      )
      .toArray();
    const shown = changes.slice(0, limit);
    const to = changes.length > limit ? (shown.at(-1)?.revision ?? revision) : this.revision;
    const numbers = new Set(shown.map(({ number }) => number));
    numbers.delete(SETTINGS);
    return { numbers: [...numbers], to };
  }

  /** A query by its number; undefined if its row was deleted. */
  query(number: number): QueryRow | undefined {
    return this.#sql.exec<QueryRow>("SELECT * FROM queries WHERE number = ?", number).toArray()[0];
  }

  /** The queries after a number and up to another, read one by one. */
  queriesBetween(after: number, to: number): Iterable<QueryRow> {
    return this.#sql.exec<QueryRow>(
      "SELECT * FROM queries WHERE number > ? AND number <= ? ORDER BY number",
      ...[after, to],
    );
  }

  /**
   * Days as they are now: some, those that changed between two revisions, and
   * those whose last query is between two numbers.
   */
  daysOf(
    days: ReadonlySet<string>,
    revisions: { readonly after: number; readonly to: number },
    numbers: { readonly after: number; readonly to: number },
  ): ReportedDay[] {
    const { open } = this.#current;
    const asked = new Set(days);
    for (const { day, lastNumber } of open.values()) {
      if (lastNumber > numbers.after && lastNumber <= numbers.to) asked.add(day);
    }
    const stored = this.#sql
      .exec<DayRow>(
        `SELECT * FROM days WHERE (revision > ? AND revision <= ?)
           OR (last_number > ? AND last_number <= ?)
           OR day IN (SELECT value FROM json_each(?))`,
        ...[revisions.after, revisions.to, numbers.after, numbers.to],
        JSON.stringify([...asked]),
      )
      .toArray()
      .map(reportedDay);
    const all = new Map(stored.map((day) => [day.day, day]));
    for (const day of open.values()) {
      const known = all.get(day.day);
      if (known !== undefined || asked.has(day.day)) all.set(day.day, withDay(known, day));
    }
    return [...all.values()];
  }
}

function positionIn(log: string, revision: number, last: string | null): Position {
  return revision === 0 && last === null ? ORIGIN : { log, revision, last };
}

function reportedDay(row: DayRow): ReportedDay {
  const { day, first_at, last_at } = row;
  return { ...totalsOf(row), day, first_at, last_at };
}

function withQueries(
  known: OpenDay | undefined,
  day: string,
  queries: readonly EndedQuery[],
): OpenDay {
  const totals = queries.map(endOf).reduce((all, one) => sum(all, one), NOTHING);
  const times = queries.map(({ asked_at }) => asked_at);
  const added = { ...totals, day, first_at: Math.min(...times), last_at: Math.max(...times) };
  const last = queries.reduce((one, other) => (other.number > one.number ? other : one));
  return { ...withDay(known, added), lastNumber: last.number, lastId: last.id };
}

function withDay(known: ReportedDay | undefined, added: ReportedDay): ReportedDay {
  return {
    ...sum(known ?? NOTHING, added),
    day: added.day,
    first_at: Math.min(known?.first_at ?? added.first_at, added.first_at),
    last_at: Math.max(known?.last_at ?? 0, added.last_at),
  };
}

/** What one query adds to its day. */
function endOf({ state, reason, tokens, first_token_ms, total_ms }: EndedQuery): Totals {
  const counted = COUNTERS.find((name) => name === (reason ?? state));
  return {
    ...NOTHING,
    ...(counted && { [counted]: 1 }),
    tokens,
    first_token_ms: histogramOf(first_token_ms),
    total_ms: histogramOf(total_ms),
  };
}
