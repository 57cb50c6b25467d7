// One user's name, an operator's settings for them, and how far retention has
// come. One row, made by the user's first request or the operator's first
// setting.

import type { SettingsChange } from "./ask.ts";

/**
 * Prefix of the names of user objects that readers without a bearer token
 * share.
 */
export const ANONYMOUS = "anonymous:";

export type SettingsRow = {
  name: string;
  /** Override QUOTA_LIMIT and REFUND_LIMIT unless null. */
  quota_limit: number | null;
  refund_limit: number | null;
  blocked: number;
  /** Up to these numbers, the keys and the texts of queries are deleted. */
  keys_pruned_to: number;
  content_pruned_to: number;
  /** Random: which query log this is. */
  log: string;
  /** `limit` of the user's last bearer token, if it had one. */
  claimed_limit: number | null;
};

export const SETTINGS_SCHEMA = `
  CREATE TABLE settings (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    name TEXT NOT NULL,
    quota_limit INTEGER CHECK (quota_limit >= 0),
    refund_limit INTEGER CHECK (refund_limit >= 0),
    blocked INTEGER NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1)),
    keys_pruned_to INTEGER NOT NULL DEFAULT 0,
    content_pruned_to INTEGER NOT NULL DEFAULT 0,
    log TEXT,
    claimed_limit INTEGER CHECK (claimed_limit >= 0)
  ) STRICT;
`;

export class Settings {
  readonly #sql: SqlStorage;
  /** A copy of the row, until a write. */
  #row: Readonly<SettingsRow> | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Makes the row of a new user. */
  create(name: string): void {
    const log = newLog();
    this.#sql.exec("INSERT INTO settings (one, name, log) VALUES (1, ?, ?)", name, log);
    const overrides = { quota_limit: null, refund_limit: null, blocked: 0, claimed_limit: null };
    this.#row = { name, ...overrides, keys_pruned_to: 0, content_pruned_to: 0, log };
  }

  get(): Readonly<SettingsRow> {
    this.#row ??= this.#sql.exec<SettingsRow>("SELECT * FROM settings").one();
    return this.#row;
  }

  /** Drops what is known of the stored row. */
  forget(): void {
    this.#row = undefined;
  }

  /** Changes the given fields; null removes an override. */
  change({ limit, refundLimit, blocked }: SettingsChange): void {
    if (limit !== undefined) this.#write("UPDATE settings SET quota_limit = ?", limit);
    if (refundLimit !== undefined) this.#write("UPDATE settings SET refund_limit = ?", refundLimit);
    // A boolean would be bound as text.
    if (blocked !== undefined) this.#write("UPDATE settings SET blocked = ?", blocked ? 1 : 0);
  }

  setClaimedLimit(limit: number | null): void {
    this.#write("UPDATE settings SET claimed_limit = ?", limit);
  }

  setKeysPrunedTo(number: number): void {
    this.#write("UPDATE settings SET keys_pruned_to = ?", number);
  }

  setContentPrunedTo(number: number): void {
    this.#write("UPDATE settings SET content_pruned_to = ?", number);
  }

  #write(statement: string, value: SqlStorageValue): void {
    this.forget();
    this.#sql.exec(statement, value);
  }
}

export function newLog(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
