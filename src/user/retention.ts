// Deletes what is old, a small batch at a time: keys after a day, texts after
// RETENTION_DAYS, and the row itself RETENTION_DAYS after its window ended.
// The counters remember deleted rows, so that the audit stays exact.

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
   * Deletes one batch of each kind, in the caller's transaction. Returns when
   * more is due, in milliseconds since the epoch; undefined if nothing is
   * stored.
   */
  prune(now: number, retentionMs: number): number | undefined {
    const { settings, ledger, queries, keys } = this.#tables;
    const { keys_pruned_to, content_pruned_to } = settings.get();
    const keyDue = ({ asked_at }: AgedQuery) => asked_at + KEY_AGE_MAX_MS;
    const contentDue = ({ asked_at }: AgedQuery) => asked_at + retentionMs;
    const rowDue = (row: AgedQuery) =>
      Math.max((windowSpan(row.window)?.end ?? row.asked_at) + retentionMs, contentDue(row));

    const due = [
      this.#batch(keys_pruned_to, now, keyDue, (rows, last) => {
        for (const { key, id } of rows) if (key !== null) keys.delete(key, id);
        settings.setKeysPrunedTo(last);
      }),
      this.#batch(content_pruned_to, now, contentDue, (rows, last) => {
        for (const { number } of rows) queries.pruneContent(number);
        settings.setContentPrunedTo(last);
      }),
      this.#batch(0, now, rowDue, (rows) => {
        for (const { number, window, state, reason } of rows) {
          queries.delete(number);
          ledger.prune(window, state, reason);
        }
      }),
    ];
    const times = due.filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /**
   * Handles the due rows after a cursor, and returns when the next one is
   * due.
   */
  #batch(
    cursor: number,
    now: number,
    dueAt: (row: AgedQuery) => number,
    handle: (rows: AgedQuery[], last: number) => void,
  ): number | undefined {
    const [first] = this.#tables.queries.oldestAfter(cursor, 1);
    if (first === undefined) return undefined;
    // Most alarms find nothing old.
    if (first.state === "reserved" || dueAt(first) > now) return dueAt(first);
    const rows = this.#tables.queries.oldestAfter(cursor, BATCH + 1);
    // The log is in the order of asking: nothing after the first that is not
    // due is due.
    const end = rows.findIndex((row) => row.state === "reserved" || dueAt(row) > now);
    const ready = rows.slice(0, end === -1 ? BATCH : Math.min(end, BATCH));
    const last = ready.at(-1);
    if (last !== undefined) handle(ready, last.number);
    const next = rows[ready.length];
    return next === undefined ? undefined : dueAt(next);
  }
}
