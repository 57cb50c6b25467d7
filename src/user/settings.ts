// What is known of one user beside the queries: the name, what operators have set, and how far
// retention has come. One row, made with the user's first request or an operator's first setting.

import type { SettingsChange } from "./ask.ts";

/** What the name of a user object begins with that readers without a bearer token share. */
export const ANONYMOUS = "anonymous:";

export type SettingsRow = {
  name: string;
  /** Overrides of QUOTA_LIMIT and REFUND_LIMIT; null where those hold. */
  quota_limit: number | null;
  refund_limit: number | null;
  blocked: number;
  /** Up to these numbers, queries have lost their keys and what was said. */
  forgotten_to: number;
  emptied_to: number;
};

export const SETTINGS_SCHEMA = `
  CREATE TABLE IF NOT EXISTS settings (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    name TEXT NOT NULL,
    quota_limit INTEGER CHECK (quota_limit >= 0),
    refund_limit INTEGER CHECK (refund_limit >= 0),
    blocked INTEGER NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1)),
    forgotten_to INTEGER NOT NULL DEFAULT 0,
    emptied_to INTEGER NOT NULL DEFAULT 0
  ) STRICT;
`;

export class Settings {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  create(name: string): void {
    this.#sql.exec("INSERT OR IGNORE INTO settings (one, name) VALUES (1, ?)", name);
  }

  get(): SettingsRow {
    return this.#sql.exec<SettingsRow>("SELECT * FROM settings").one();
  }

  /** Sets what is given; null takes an override back. */
  change({ limit, refundLimit, blocked }: SettingsChange): void {
    if (limit !== undefined) this.#sql.exec("UPDATE settings SET quota_limit = ?", limit);
    if (refundLimit !== undefined)
      this.#sql.exec("UPDATE settings SET refund_limit = ?", refundLimit);
    // A boolean would be bound as text.
    if (blocked !== undefined) this.#sql.exec("UPDATE settings SET blocked = ?", blocked ? 1 : 0);
  }

  setForgottenTo(number: number): void {
    this.#sql.exec("UPDATE settings SET forgotten_to = ?", number);
  }

  setEmptiedTo(number: number): void {
    this.#sql.exec("UPDATE settings SET emptied_to = ?", number);
  }
}
