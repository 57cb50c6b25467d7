// The operators' log: who changed what, and when. It has no word of a question
// or an answer. Of an erased user, it keeps the object's id, a hash of the name.

import type { ShownEntry } from "../shown.ts";
import type { EntryRow } from "./directory-schema.ts";

/** What an operator did. */
export interface Entry {
  /** In ms since the epoch. */
  readonly at: number;
  /** `sub` of the operator's bearer token. */
  readonly operator: string;
  readonly action: string;
  /** A user's name, or a document's id. */
  readonly target: string | null;
  /** The id of the user's object, where the target is a user. */
  readonly user: string | null;
  /** The response's. */
  readonly status: number;
  /** As JSON: the values that were set. */
  readonly change: string | null;
}

/** How long entries are kept, in milliseconds. */
const KEPT_MS = 400 * 86_400_000;

export class OperatorsLog {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Call it in a transaction. */
  add({ at, operator, action, target, user, status, change }: Entry): void {
    this.#sql.exec(
      `INSERT INTO log (at, operator, action, target, user, status, change)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      ...[at, operator, action, target, user, status, change],
    );
    // The oldest two: so it shrinks where it grew, without an alarm.
    this.#sql.exec(
      `DELETE FROM log WHERE number IN (SELECT number FROM log ORDER BY number LIMIT 2)
         AND at < ?`,
      at - KEPT_MS,
    );
  }

  /** The newest first. */
  page(limit: number, before: number): { entries: ShownEntry[]; before: string | null } {
    const rows = this.#sql
      .exec<EntryRow>(
        "SELECT * FROM log WHERE number < ? ORDER BY number DESC LIMIT ?",
        ...[before, limit + 1],
      )
      .toArray();
    const shown = rows.slice(0, limit);
    return {
      entries: shown.map(({ at, operator, action, target, user, status, change }) => ({
        at: new Date(at).toISOString(),
        ...{ operator, action, target: target ?? user, status },
        change: change === null ? null : JSON.parse(change),
      })),
      before: rows.length > limit ? `${shown.at(-1)?.number}` : null,
    };
  }
}
