// The quota windows of one user: how many queries each holds as reserved, charged and refunded.
// Which query is in which state is in queries.ts; the user object moves both in one transaction.
// A refund is TigerBeetle's void and a card network's reversal: nothing was ever taken.

import type { QueryState, QuotaPeriod, RefundReason } from "../protocol.ts";

/** One window's counters, kept with each transition: counting rows would grow with the quota. */
export type WindowRow = {
  window: string;
  reserved: number;
  charged: number;
  refunded: number;
  /** Of the refunded ones, those that the refund allowance counts: the user left or stopped. */
  left: number;
  /** Of each of these, those whose rows are gone. */
  pruned_charged: number;
  pruned_refunded: number;
  pruned_left: number;
};

export type Counters = Omit<WindowRow, "window">;

export const LEDGER_SCHEMA = `
  CREATE TABLE IF NOT EXISTS windows (
    window TEXT PRIMARY KEY,
    reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    charged INTEGER NOT NULL DEFAULT 0 CHECK (charged >= 0),
    refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded >= 0),
    left INTEGER NOT NULL DEFAULT 0 CHECK (left BETWEEN 0 AND refunded),
    pruned_charged INTEGER NOT NULL DEFAULT 0 CHECK (pruned_charged BETWEEN 0 AND charged),
    pruned_refunded INTEGER NOT NULL DEFAULT 0 CHECK (pruned_refunded BETWEEN 0 AND refunded),
    pruned_left INTEGER NOT NULL DEFAULT 0 CHECK (pruned_left BETWEEN 0 AND left)
  ) STRICT, WITHOUT ROWID;
`;

const EMPTY: Counters = {
  reserved: 0,
  charged: 0,
  refunded: 0,
  left: 0,
  pruned_charged: 0,
  pruned_refunded: 0,
  pruned_left: 0,
};

function statements(sql: SqlStorage) {
  return {
    columns: () =>
      sql
        .exec<{ name: string }>("SELECT name FROM pragma_table_info('windows')")
        .toArray()
        .map(({ name }) => name),
    addPrunedLeft: () =>
      sql.exec("ALTER TABLE windows ADD COLUMN pruned_left INTEGER NOT NULL DEFAULT 0"),
    get: (window: string) =>
      sql.exec<WindowRow>("SELECT * FROM windows WHERE window = ?", window).toArray()[0],
    // Windows of one period have names of one length, which sort as their times do.
    latestAfter: (window: string) =>
      sql
        .exec<{ window: string }>(
          `SELECT window FROM windows WHERE window > ?1 AND length(window) = length(?1)
           ORDER BY window DESC LIMIT 1`,
          window,
        )
        .toArray()[0]?.window,
    otherPeriods: (window: string) =>
      sql.exec("SELECT 1 FROM windows WHERE length(window) <> length(?) LIMIT 1", window).toArray()
        .length,
    // The invariant stands in the statement: it reserves nothing where the limit is reached.
    reserve: (window: string, limit: number) =>
      sql
        .exec(
          `INSERT INTO windows (window, reserved) SELECT ?1, 1 WHERE ?2 > 0
           ON CONFLICT (window) DO UPDATE SET reserved = reserved + 1
           WHERE reserved + charged < ?2 RETURNING window`,
          window,
          limit,
        )
        .toArray().length,
    charge: (window: string) =>
      sql.exec(
        "UPDATE windows SET reserved = reserved - 1, charged = charged + 1 WHERE window = ?",
        window,
      ),
    refund: (window: string, left: number) =>
      sql.exec(
        `UPDATE windows SET reserved = reserved - 1, refunded = refunded + 1, left = left + ?2
         WHERE window = ?1`,
        window,
        left,
      ),
    // Only an operator's own refund takes back a charge.
    refundCharge: (window: string) =>
      sql.exec(
        "UPDATE windows SET charged = charged - 1, refunded = refunded + 1 WHERE window = ?",
        window,
      ),
    prune: (window: string, charged: number, refunded: number, left: number) =>
      sql.exec(
        `UPDATE windows SET pruned_charged = pruned_charged + ?2,
           pruned_refunded = pruned_refunded + ?3, pruned_left = pruned_left + ?4
         WHERE window = ?1`,
        window,
        charged,
        refunded,
        left,
      ),
    dropIfPruned: (window: string) =>
      sql.exec(
        `DELETE FROM windows WHERE window = ? AND reserved = 0
           AND charged = pruned_charged AND refunded = pruned_refunded`,
        window,
      ),
    reserved: () =>
      sql
        .exec<{ reserved: number }>("SELECT coalesce(sum(reserved), 0) AS reserved FROM windows")
        .one().reserved,
    list: () => sql.exec<WindowRow>("SELECT * FROM windows ORDER BY window DESC").toArray(),
  };
}

export class Ledger {
  readonly #statements: ReturnType<typeof statements>;
  /** Whether there are windows of another period; looked up once, since no period changes while we run. */
  #isMixed: boolean | undefined;

  constructor(sql: SqlStorage) {
    this.#statements = statements(sql);
  }

  /** Gives a table that an earlier release has made what it lacks. */
  upgrade(): void {
    if (!this.#statements.columns().includes("pruned_left")) this.#statements.addPrunedLeft();
  }

  /**
   * The window that a query asked now counts in. Never an earlier one than was counted in before:
   * a clock that goes backwards must not open a window again.
   */
  currentWindow(now: number, period: QuotaPeriod): string {
    const window = windowAt(now, period);
    return this.#statements.latestAfter(window) ?? window;
  }

  /** Whether QUOTA_PERIOD has been another one, so that what it counted may belong into this window. */
  isMixed(window: string): boolean {
    this.#isMixed ??= this.#statements.otherPeriods(window) > 0;
    return this.#isMixed;
  }

  counters(window: string): Counters {
    return this.#statements.get(window) ?? EMPTY;
  }

  /** Holds one query of the window's limit; false, and nothing held, if the limit is reached. */
  reserve(window: string, limit: number): boolean {
    return this.#statements.reserve(window, limit) === 1;
  }

  charge(window: string): void {
    this.#statements.charge(window);
  }

  refund(window: string, reason: RefundReason): void {
    this.#statements.refund(window, isLeft(reason) ? 1 : 0);
  }

  refundCharge(window: string): void {
    this.#statements.refundCharge(window);
  }

  /**
   * A row of the window is gone, and its counter remembers it. A window that ends is gone with the
   * last of its rows; one that never ends stays.
   */
  prune(window: string, state: QueryState, reason: RefundReason | null): void {
    this.#statements.prune(
      window,
      state === "charged" ? 1 : 0,
      state === "refunded" ? 1 : 0,
      isLeft(reason) ? 1 : 0,
    );
    if (windowSpan(window) !== undefined) this.#statements.dropIfPruned(window);
  }

  /** How many queries are reserved, in all windows. */
  reserved(): number {
    return this.#statements.reserved();
  }

  windows(): WindowRow[] {
    return this.#statements.list();
  }
}

/** Whether the refund allowance counts a refund: the user left or stopped. */
export function isLeft(reason: RefundReason | null): boolean {
  return reason === "disconnected" || reason === "cancelled";
}

/** The name of the window that holds a time: its UTC day or month, or `total`. */
export function windowAt(now: number, period: QuotaPeriod): string {
  const iso = new Date(now).toISOString();
  switch (period) {
    case "day":
      return iso.slice(0, "2026-11-22".length);
    case "month":
      return iso.slice(0, "2026-11".length);
    case "total":
      return "total";
  }
}

/** When a window starts and ends, in milliseconds since the epoch; undefined for `total`. */
export function windowSpan(window: string): { start: number; end: number } | undefined {
  const [year, month, day] = window.split("-").map(Number);
  if (year === undefined || month === undefined) return undefined;
  // Date.UTC carries over: day 32 of a month is in the next, month 13 in the next year.
  return day === undefined
    ? { start: Date.UTC(year, month - 1), end: Date.UTC(year, month) }
    : { start: Date.UTC(year, month - 1, day), end: Date.UTC(year, month - 1, day + 1) };
}
