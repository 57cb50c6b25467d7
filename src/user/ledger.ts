// The quota windows of one user: how many queries each has as reserved,
// charged, refunded. The state of each query is in queries.ts;
// reservations.ts moves both in one transaction. A refund is TigerBeetle's
// void and a card network's reversal: money never moved.

import type { QueryState, QuotaPeriod, RefundReason } from "../protocol.ts";
import { windowAt, windowSpan } from "../window.ts";

/** One window's counters: counting rows would take longer with every query. */
export type WindowRow = {
  window: string;
  reserved: number;
  charged: number;
  refunded: number;
  /**
   * Refunds that the refund allowance counts: the user disconnected or
   * cancelled.
   */
  refunds_counted: number;
  /** Of each of these, those whose rows were deleted. */
  pruned_charged: number;
  pruned_refunded: number;
  pruned_refunds_counted: number;
};

export type Counters = Omit<WindowRow, "window">;

export const LEDGER_SCHEMA = `
  CREATE TABLE windows (
    window TEXT PRIMARY KEY,
    reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    charged INTEGER NOT NULL DEFAULT 0 CHECK (charged >= 0),
    refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded >= 0),
    refunds_counted INTEGER NOT NULL DEFAULT 0 CHECK (refunds_counted BETWEEN 0 AND refunded),
    pruned_charged INTEGER NOT NULL DEFAULT 0 CHECK (pruned_charged BETWEEN 0 AND charged),
    pruned_refunded INTEGER NOT NULL DEFAULT 0 CHECK (pruned_refunded BETWEEN 0 AND refunded),
    pruned_refunds_counted INTEGER NOT NULL DEFAULT 0
      CHECK (pruned_refunds_counted BETWEEN 0 AND refunds_counted)
  ) STRICT, WITHOUT ROWID;
`;

const EMPTY: Counters = {
  reserved: 0,
  charged: 0,
  refunded: 0,
  refunds_counted: 0,
  pruned_charged: 0,
  pruned_refunded: 0,
  pruned_refunds_counted: 0,
};

export class Ledger {
  readonly #sql: SqlStorage;
  /** A copy of all rows by window, since the first of them was needed. */
  #rows: Map<string, Readonly<WindowRow>> | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** One statement: a new instance needs all that the others would say. */
  get #known(): Map<string, Readonly<WindowRow>> {
    this.#rows ??= new Map(this.windows().map((row) => [row.window, row]));
    return this.#rows;
  }

  /**
   * The window that a query asked now counts in. Never an earlier one than
   * was counted in before: a clock that goes back must not open a window
   * again.
   */
  currentWindow(now: number, period: QuotaPeriod): string {
    let latest = windowAt(now, period);
    // Windows of one period have names of one length, which sort as their
    // times do.
    for (const window of this.#known.keys()) {
      if (window.length === latest.length && window > latest) latest = window;
    }
    return latest;
  }

  /** The table was made: it has no rows. */
  begin(): void {
    this.#rows = new Map();
  }

  /** Drops what is known of the stored rows. */
  forget(): void {
    this.#rows = undefined;
  }

  /**
   * Whether QUOTA_PERIOD was another one, so that its windows may overlap
   * this one.
   */
  isMixed(window: string): boolean {
    return [...this.#known.keys()].some(({ length }) => length !== window.length);
  }

  counters(window: string): Counters {
    return this.#known.get(window) ?? EMPTY;
  }

  /**
   * Reserves one query; false, and nothing reserved, if the limit is reached.
   */
  reserve(window: string, limit: number): boolean {
    // The limit is in the statement: it reserves nothing where the limit is
    // reached.
    return this.#move(
      `INSERT INTO windows (window, reserved) SELECT ?1, 1 WHERE ?2 > 0
       ON CONFLICT (window) DO UPDATE SET reserved = reserved + 1
       WHERE reserved + charged < ?2 RETURNING *`,
      window,
      limit,
    );
  }

  charge(window: string): void {
    this.#move(
      `UPDATE windows SET reserved = reserved - 1, charged = charged + 1
       WHERE window = ? RETURNING *`,
      window,
    );
  }

  refund(window: string, reason: RefundReason): void {
    this.#move(
      `UPDATE windows SET reserved = reserved - 1, refunded = refunded + 1,
         refunds_counted = refunds_counted + ?2
       WHERE window = ?1 RETURNING *`,
      window,
      isCounted(reason) ? 1 : 0,
    );
  }

  /** An operator's own refund, the only one of a charge. */
  refundCharge(window: string): void {
    this.#move(
      `UPDATE windows SET charged = charged - 1, refunded = refunded + 1
       WHERE window = ? RETURNING *`,
      window,
    );
  }

  /** Writes one row, and returns whether it did. */
  #move(statement: string, ...values: SqlStorageValue[]): boolean {
    const [row] = this.#sql.exec<WindowRow>(statement, ...values).toArray();
    if (row === undefined) return false;
    this.#rows?.set(row.window, row);
    return true;
  }

  /**
   * Remembers that a row of the window was deleted. A window that ends is
   * deleted with the last of its rows; one that never ends stays.
   */
  prune(window: string, state: QueryState, reason: RefundReason | null): void {
    this.forget();
    this.#sql.exec(
      `UPDATE windows SET pruned_charged = pruned_charged + ?2,
         pruned_refunded = pruned_refunded + ?3,
         pruned_refunds_counted = pruned_refunds_counted + ?4
       WHERE window = ?1`,
      window,
      state === "charged" ? 1 : 0,
      state === "refunded" ? 1 : 0,
      isCounted(reason) ? 1 : 0,
    );
    if (windowSpan(window) === undefined) return;
    this.#sql.exec(
      `DELETE FROM windows WHERE window = ? AND reserved = 0
         AND charged = pruned_charged AND refunded = pruned_refunded`,
      window,
    );
  }

  /** How many queries are reserved, in all windows. */
  reserved(): number {
    let sum = 0;
    for (const { reserved } of this.#known.values()) sum += reserved;
    return sum;
  }

  /** The newest first. */
  windows(): WindowRow[] {
    return this.#sql.exec<WindowRow>("SELECT * FROM windows ORDER BY window DESC").toArray();
  }
}

/**
 * Whether the refund allowance counts a refund: the user disconnected or
 * cancelled, or nothing was found.
 */
export function isCounted(reason: RefundReason | null): boolean {
  return reason === "disconnected" || reason === "cancelled" || reason === "nothing_found";
}
