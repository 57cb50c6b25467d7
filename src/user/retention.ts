// Deletes what is old, a small batch at a time: keys after a day, texts after
// RETENTION_DAYS, and the row itself RETENTION_DAYS after its window ended.
// The counters remember deleted rows, so that the audit stays exact.

import { windowSpan } from "../window.ts";
import { KEY_AGE_MAX_MS } from "./keys.ts";
import type { AgedQuery } from "./queries.ts";
import type { Tables } from "./tables.ts";

/** Rows that one batch may touch. */
const BATCH = 100;

export class Retention {
  readonly #tables: Tables;
  /** Nothing is due before, if this is known: later asks are due later. */
  #due: number | undefined;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /**
   * Deletes one batch of each kind. Returns when more is due, in milliseconds
   * since the epoch; undefined if nothing is stored.
   */
  prune(now: number, retentionMs: number): number | undefined {
    if (this.#due !== undefined && this.#due > now) return this.#due;
    this.forget();
    const due = this.#tables.transaction(() => this.#pruneEach(now, retentionMs));
    const times = due.filter((time) => time !== undefined);
    if (times.length === 0) return undefined;
    const next = Math.min(...times);
    // Where nothing is left of a kind, the next ask may be due before.
    if (times.length === due.length) this.#due = next;
    return next;
  }

  /** When more of each kind is due. */
  #pruneEach(now: number, retentionMs: number): (number | undefined)[] {
    const { settings, ledger, queries, keys, outbox, allowances } = this.#tables;
    const { keys_pruned_to, content_pruned_to } = settings.get();
    const keyDue = ({ asked_at }: AgedQuery) => asked_at + KEY_AGE_MAX_MS;
    const contentDue = ({ asked_at }: AgedQuery) => asked_at + retentionMs;
    const rowDue = (row: AgedQuery) =>
      Math.max((windowSpan(row.window)?.end ?? row.asked_at) + retentionMs, contentDue(row));

    return [
      this.#batch(keys_pruned_to, now, keyDue, (rows, last) => {
        for (const { key, id } of rows) if (key !== null) keys.delete(key, id);
        settings.setKeysPrunedTo(last);
      }),
      this.#batch(content_pruned_to, now, contentDue, (rows, last) => {
        outbox.store(last);
        for (const { number } of rows) queries.pruneContent(number);
        settings.setContentPrunedTo(last);
      }),
      this.#batch(0, now, rowDue, (rows, last) => {
        allowances.fold(last);
        outbox.store(last);
        for (const { number, window, state, reason } of rows) {
          queries.delete(number);
          ledger.prune(window, state, reason);
        }
        outbox.prune(last);
      }),
    ];
  }

  /** Drops what is known of the stored rows. */
  forget(): void {
    this.#due = undefined;
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
