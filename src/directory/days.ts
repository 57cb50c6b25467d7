// The numbers of all users, by day. A day is open while users report of it: its
// numbers are then those of its users' days, added up when they are first
// asked for, and kept in memory. A row for each report would be a billed row.
// Days that ended are closed: their numbers are stored.

import {
  askedOf,
  dayOf,
  NOTHING,
  sum,
  TOTALS_NAMES,
  type Totals,
  type TotalsRow,
  totalsOf,
  totalsValues,
} from "../report.ts";
import type { DayRow } from "./directory-schema.ts";

/** Most reports of a day have come by then, in milliseconds. */
const OPEN_MS = 2 * 86_400_000;

export class Days {
  readonly #sql: SqlStorage;
  /** The days that are known to be open, with their totals if they were read. */
  readonly #open = new Map<string, Totals | undefined>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Drops what is known of the stored rows. */
  forget(): void {
    this.#open.clear();
  }

  /** Adds the change of a user's day. Call it in the transaction that makes it. */
  add(day: string, change: Totals): void {
    if (this.#open.has(day)) {
      const totals = this.#open.get(day);
      if (totals !== undefined) this.#open.set(day, sum(totals, change));
      return;
    }
    const row = this.#sql.exec<DayRow>("SELECT * FROM days WHERE day = ?", day).toArray()[0];
    if (row === undefined) this.#put(day, NOTHING, true);
    if (row === undefined || row.is_open === 1) this.#open.set(day, undefined);
    else this.#close(day, sum(totalsOf(row), change));
  }

  /** A user's day was deleted; call it in the same transaction. */
  deleteEmpty(day: string): void {
    const left = this.#sql.exec("SELECT 1 FROM every_day WHERE day = ? LIMIT 1", day).toArray();
    if (left.length > 0) return;
    this.#sql.exec("DELETE FROM days WHERE day = ?", day);
    this.#open.delete(day);
  }

  /** Stores the numbers of days that have ended. Call it in a transaction. */
  close(now: number): void {
    const days = this.#sql
      .exec<{ day: string }>(
        "SELECT day FROM days WHERE is_open = 1 AND day < ?",
        dayOf(now - OPEN_MS),
      )
      .toArray();
    for (const { day } of days) {
      this.#close(day, this.#totalsOf(day));
      this.#open.delete(day);
    }
  }

  #close(day: string, totals: Totals): void {
    if (askedOf(totals) === 0) this.#sql.exec("DELETE FROM days WHERE day = ?", day);
    else this.#put(day, totals, false);
  }

  #put(day: string, totals: Totals, isOpen: boolean): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO days (day, is_open, ${TOTALS_NAMES.join(", ")})
       VALUES (?, ?${", ?".repeat(TOTALS_NAMES.length)})`,
      ...[day, isOpen ? 1 : 0, ...totalsValues(totals)],
    );
  }

  /** UTC days, both included, in order. */
  between(since: string, until: string): (Totals & { readonly day: string })[] {
    return this.#sql
      .exec<DayRow>("SELECT * FROM days WHERE day >= ? AND day <= ? ORDER BY day", since, until)
      .toArray()
      .map((row) => {
        const totals = row.is_open === 1 ? this.#totalsOf(row.day) : totalsOf(row);
        return { ...totals, day: row.day };
      })
      .filter((day) => askedOf(day) > 0);
  }

  #totalsOf(day: string): Totals {
    const known = this.#open.get(day);
    if (known !== undefined) return known;
    const rows = this.#sql.exec<TotalsRow>(
      `SELECT ${TOTALS_NAMES.join(", ")} FROM every_day WHERE day = ?`,
      day,
    );
    let totals = NOTHING;
    for (const row of rows) totals = sum(totals, totalsOf(row));
    this.#open.set(day, totals);
    return totals;
  }
}
