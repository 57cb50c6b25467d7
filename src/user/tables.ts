// The tables of one user's database. None are made for an unknown user.

import { addColumn, Schema } from "../schema.ts";
import { ALLOWANCES_SCHEMA, Allowances } from "./allowances.ts";
import { KEYS_SCHEMA, Keys } from "./keys.ts";
import { LEDGER_SCHEMA, Ledger } from "./ledger.ts";
import { OUTBOX_SCHEMA, Outbox } from "./outbox.ts";
import { Pages } from "./pages.ts";
import { QUERIES_SCHEMA, Queries, type QueryRow } from "./queries.ts";
import { newLog, SETTINGS_SCHEMA, Settings } from "./settings.ts";

export const USER_SCHEMA = new Schema(
  [
    ...[SETTINGS_SCHEMA, LEDGER_SCHEMA, QUERIES_SCHEMA, KEYS_SCHEMA, OUTBOX_SCHEMA],
    ALLOWANCES_SCHEMA,
  ].join(""),
  "settings",
  [
    // To 2: columns that came one by one before there were versions, and
    // plainer names.
    (sql) => {
      addColumn(sql, "queries", "identity", "TEXT");
      addColumn(sql, "windows", "pruned_left", "INTEGER NOT NULL DEFAULT 0");
      sql.exec(`
        ALTER TABLE windows RENAME COLUMN "left" TO refunds_counted;
        ALTER TABLE windows RENAME COLUMN pruned_left TO pruned_refunds_counted;
        ALTER TABLE settings RENAME COLUMN forgotten_to TO keys_pruned_to;
        ALTER TABLE settings RENAME COLUMN emptied_to TO content_pruned_to;
      `);
    },
    // To 3: a reason and a column for answers that found nothing, and columns
    // for the cost of a rewrite. A rule of a table cannot be changed in SQLite,
    // so the table is made again.
    (sql) => {
      const columns = `number, id, state, reason, window, key, asked_at, resolved_at,
        on_disconnect, identity, query, answer, sources, finish, token_lengths,
        first_token_ms, total_ms, rating, comment`;
      sql.exec(`
        ALTER TABLE queries RENAME TO old_queries;
        ${QUERIES_SCHEMA}
        INSERT INTO queries (${columns}) SELECT ${columns} FROM old_queries;
        DROP TABLE old_queries;
      `);
    },
    // To 4: the query that an ask follows.
    (sql) => addColumn(sql, "queries", "previous", "TEXT"),
    // To 5: what is reported to the directory, and the limit of bearer tokens.
    (sql) => {
      addColumn(sql, "queries", "collections", "TEXT");
      addColumn(sql, "settings", "log", "TEXT");
      addColumn(sql, "settings", "claimed_limit", "INTEGER CHECK (claimed_limit >= 0)");
      sql.exec("UPDATE settings SET log = ?", newLog());
      sql.exec(OUTBOX_SCHEMA);
    },
    // To 6: what is taken from the budget.
    (sql) => {
      addColumn(sql, "queries", "budget", "TEXT");
      addColumn(sql, "queries", "cost", "INTEGER");
      sql.exec(ALLOWANCES_SCHEMA);
    },
  ],
);

export class Tables {
  readonly settings: Settings;
  readonly ledger: Ledger;
  readonly queries: Queries;
  readonly pages: Pages;
  readonly keys: Keys;
  readonly outbox: Outbox;
  readonly allowances: Allowances;
  readonly #storage: DurableObjectStorage;
  #exist = false;
  #isUsable = true;

  constructor(storage: DurableObjectStorage) {
    const { sql } = storage;
    this.#storage = storage;
    this.settings = new Settings(sql);
    this.ledger = new Ledger(sql);
    this.queries = new Queries(sql);
    this.pages = new Pages(sql);
    this.keys = new Keys(sql);
    this.outbox = new Outbox(sql);
    this.allowances = new Allowances(sql);
    try {
      this.#exist = USER_SCHEMA.open(storage);
    } catch (thrown) {
      console.error("The database could not be opened:", thrown);
      this.#isUsable = false;
    }
  }

  /** False if the database could not be brought up to date: see schema.ts. */
  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** Whether the user is known: sent a request, or has settings. */
  get exist(): boolean {
    return this.#exist;
  }

  /** A query by its id; undefined for an unknown user too. */
  query(id: string): QueryRow | undefined {
    return this.#exist ? this.queries.get(id) : undefined;
  }

  /** Makes them unless they exist. */
  create(userName: string): void {
    if (this.#exist) return;
    this.transaction(() => {
      USER_SCHEMA.create(this.#storage.sql);
      this.settings.create(userName);
    });
    this.ledger.begin();
    this.queries.begin();
    this.outbox.begin();
    this.allowances.begin();
    this.#exist = true;
  }

  /**
   * All writes or none. Nothing else writes to the database, so the copies of
   * its rows in memory are right until a transaction fails.
   */
  transaction<T>(write: () => T): T {
    try {
      return this.#storage.transactionSync(write);
    } catch (thrown) {
      this.#forget();
      throw thrown;
    }
  }

  #forget(): void {
    this.settings.forget();
    this.ledger.forget();
    this.queries.forget();
    this.outbox.forget();
    this.allowances.forget();
  }

  /** Deletes all that is stored. If that fails, the user is known as before. */
  async delete(): Promise<void> {
    this.#exist = false;
    this.#forget();
    try {
      await this.#storage.deleteAll();
    } catch (thrown) {
      this.#exist = true;
      throw thrown;
    }
  }
}
