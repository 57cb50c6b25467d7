// What is let go of as it grows old, a small batch at a time: keys after a day; what was said after
// RETENTION_DAYS; the row itself when its window has ended that long ago. The counters keep what a
// row that is gone stood for, so that the audit stays exact.

import { KEY_AGE_MAX_MS } from "./keys.ts";
import { windowSpan } from "./ledger.ts";
import type { AgedQuery } from "./queries.ts";
import type { Tables } from "./tables.ts";

/** Rows that one batch may touch. */
const BATCH = 100;

export class Retention {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /**
   * Lets go of one batch of each kind, in the caller's transaction. Returns when there is more to let
   * go of, in milliseconds since the epoch; undefined if nothing is kept.
   */
  prune(now: number, retentionMs: number): number | undefined {
    const { settings, ledger, queries, keys } = this.#tables;
    const { forgotten_to, emptied_to } = settings.get();
    const keyDue = ({ asked_at }: AgedQuery) => asked_at + KEY_AGE_MAX_MS;
    const contentDue = ({ asked_at }: AgedQuery) => asked_at + retentionMs;
    const rowDue = (row: AgedQuery) =>
      Math.max((windowSpan(row.window)?.end ?? row.asked_at) + retentionMs, contentDue(row));

    const due = [
      this.#batch(forgotten_to, now, keyDue, (rows, last) => {
        for (const { key, id } of rows) if (key !== null) keys.forget(key, id);
        settings.setForgottenTo(last);
      }),
      this.#batch(emptied_to, now, contentDue, (rows, last) => {
        for (const { number } of rows) queries.empty(number);
        settings.setEmptiedTo(last);
      }),
      this.#batch(0, now, rowDue, (rows) => {
        for (const { number, window, state, reason } of rows) {
          queries.drop(number);
          ledger.prune(window, state, reason);
        }
      }),
    ];
    const times = due.filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Handles the rows past a cursor that are due, and returns when the first that is left will be. */
  #batch(
    cursor: number,
    now: number,
    dueAt: (row: AgedQuery) => number,
    handle: (rows: AgedQuery[], last: number) => void,
  ): number | undefined {
    const rows = this.#tables.queries.oldestAfter(cursor, BATCH + 1);
    // The log is in the order of asking: what follows the first that is not due is not due either.
    const end = rows.findIndex((row) => row.state === "reserved" || dueAt(row) > now);
    const ready = rows.slice(0, end === -1 ? BATCH : Math.min(end, BATCH));
    const last = ready.at(-1);
    if (last !== undefined) handle(ready, last.number);
    const next = rows[ready.length];
    return next === undefined ? undefined : dueAt(next);
  }
}
