// The list of collections: which object has the documents of each. The object
// of `default` keeps it. A name can change, and the key of the object cannot,
// so renaming and deleting a collection is one write.
//
// A name is reserved before its first document is stored, and opened after:
// until then nothing finds it, so a refused document leaves nothing.

import { DEFAULT_COLLECTION } from "../protocol.ts";

export const COLLECTION_TABLES = `
  CREATE TABLE collections (
    key TEXT PRIMARY KEY,
    name TEXT UNIQUE,
    created_at INTEGER NOT NULL,
    opened INTEGER NOT NULL DEFAULT 1 CHECK (opened IN (0, 1))
  ) STRICT, WITHOUT ROWID;
`;

/** The documents that are being moved, in the object that has them. */
export const MOVE_TABLES = `
  CREATE TABLE moves (
    document_id TEXT PRIMARY KEY,
    to_key TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
`;

/** The name of the object that has the documents of `default`. */
export const DEFAULT_KEY = "corpus";

/** In all, those included that are deleted and not yet empty. */
const COLLECTIONS_MAX = 1_000;
/** A reserved name without documents is forgotten then. */
const RESERVED_MS = 10 * 60_000;

export interface NamedKey {
  readonly name: string;
  readonly key: string;
}

/** Where the documents of a name are put. */
export interface ReservedKey {
  readonly key: string;
  /** False before its first document. */
  readonly isOpen: boolean;
}

export class Collections {
  readonly #sql: SqlStorage;
  readonly #exist: () => boolean;
  readonly #create: () => void;

  /**
   * @param exist Whether there are tables.
   * @param create Makes the tables, unless they exist.
   */
  constructor(sql: SqlStorage, exist: () => boolean, create: () => void) {
    this.#sql = sql;
    this.#exist = exist;
    this.#create = create;
  }

  /** Those of these collections that exist. */
  named(names: readonly string[]): NamedKey[] {
    const others = this.#exist()
      ? this.#sql
          .exec<{ name: string; key: string }>(
            `SELECT collections.name, collections.key FROM json_each(?) AS asked
             CROSS JOIN collections ON collections.name = asked.value AND opened = 1`,
            JSON.stringify(names),
          )
          .toArray()
      : [];
    const asked = names.includes(DEFAULT_COLLECTION);
    return asked ? [{ name: DEFAULT_COLLECTION, key: DEFAULT_KEY }, ...others] : others;
  }

  /** Sorted by name. */
  after(name: string, limit: number): NamedKey[] {
    const others = this.#exist()
      ? this.#sql
          .exec<{ name: string; key: string }>(
            `SELECT name, key FROM collections WHERE name > ? AND opened = 1
             ORDER BY name LIMIT ?`,
            ...[name, limit],
          )
          .toArray()
      : [];
    const all = [...others, { name: DEFAULT_COLLECTION, key: DEFAULT_KEY }];
    return all
      .filter((one) => one.name > name)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .slice(0, limit);
  }

  /**
   * The key under which the documents of a name are stored, a new one if no
   * collection has the name. Undefined if there are too many.
   */
  reserve(name: string, now: number): ReservedKey | undefined {
    if (name === DEFAULT_COLLECTION) return { key: DEFAULT_KEY, isOpen: true };
    this.#create();
    const [known] = this.#sql
      .exec<{ key: string; opened: number }>(
        "SELECT key, opened FROM collections WHERE name = ?",
        name,
      )
      .toArray();
    if (known?.opened === 1) return { key: known.key, isOpen: true };
    if (this.#isFull()) return undefined;
    const key = known?.key ?? `collection ${crypto.randomUUID()}`;
    this.#sql.exec("INSERT OR REPLACE INTO collections VALUES (?, ?, ?, 0)", key, name, now);
    return { key, isOpen: false };
  }

  /**
   * A document was stored under this key: from now on the collection is found.
   * `gone` if the key has no name any more, or there are too many.
   */
  open(key: string): "opened" | "open" | "gone" {
    if (key === DEFAULT_KEY) return "open";
    const [known] = this.#exist()
      ? this.#sql
          .exec<{ opened: number }>(
            "SELECT opened FROM collections WHERE key = ? AND name IS NOT NULL",
            key,
          )
          .toArray()
      : [];
    if (known === undefined) return "gone";
    if (known.opened === 1) return "open";
    if (this.#isFull()) return "gone";
    this.#sql.exec("UPDATE collections SET opened = 1 WHERE key = ?", key);
    return "opened";
  }

  /** The longest reserved first. */
  reserved(limit: number): string[] {
    if (!this.#exist()) return [];
    return this.#sql
      .exec<{ key: string }>(
        `SELECT key FROM collections WHERE opened = 0 AND name IS NOT NULL
         ORDER BY created_at LIMIT ?`,
        limit,
      )
      .toArray()
      .map(({ key }) => key);
  }

  /** Forgets a reserved name that is too old. */
  expire(key: string, now: number): void {
    this.#sql.exec(
      "DELETE FROM collections WHERE key = ? AND opened = 0 AND created_at < ?",
      ...[key, now - RESERVED_MS],
    );
  }

  /**
   * Both names are no `default`, and no collection has the new one. If it is
   * reserved, the documents that are stored for it now are refused.
   */
  rename(name: string, to: string): void {
    this.#sql.exec("UPDATE collections SET name = NULL WHERE name = ? AND opened = 0", to);
    this.#sql.exec("UPDATE collections SET name = ? WHERE name = ?", to, name);
  }

  /** Takes its name away: it is found no more, and is to be emptied. */
  delete(name: string): void {
    this.#sql.exec("UPDATE collections SET name = NULL WHERE name = ?", name);
  }

  /** No collection has these documents: they are to be deleted. */
  discard(key: string, now: number): void {
    this.#create();
    this.#sql.exec(
      `INSERT INTO collections VALUES (?, NULL, ?, 0)
       ON CONFLICT (key) DO UPDATE SET name = NULL`,
      ...[key, now],
    );
  }

  /** The keys of some that are deleted and not yet empty. */
  deleted(limit: number): string[] {
    if (!this.#exist()) return [];
    return this.#sql
      .exec<{ key: string }>("SELECT key FROM collections WHERE name IS NULL LIMIT ?", limit)
      .toArray()
      .map(({ key }) => key);
  }

  /** It is empty. */
  forget(key: string): void {
    this.#sql.exec("DELETE FROM collections WHERE key = ? AND name IS NULL", key);
  }

  #isFull(): boolean {
    const { count } = this.#sql
      .exec<{ count: number }>(
        "SELECT count(*) AS count FROM collections WHERE opened = 1 OR name IS NULL",
      )
      .one();
    return count >= COLLECTIONS_MAX;
  }
}
