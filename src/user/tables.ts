// The tables of one user's database. None are made for an unknown user.

import { KEYS_SCHEMA, Keys } from "./keys.ts";
import { LEDGER_SCHEMA, Ledger } from "./ledger.ts";
import { QUERIES_SCHEMA, Queries } from "./queries.ts";
import { SETTINGS_SCHEMA, Settings } from "./settings.ts";

export class Tables {
  readonly settings: Settings;
  readonly ledger: Ledger;
  readonly queries: Queries;
  readonly keys: Keys;
  readonly #storage: DurableObjectStorage;
  #exist: boolean;

  constructor(storage: DurableObjectStorage) {
    const { sql } = storage;
    this.#storage = storage;
    this.settings = new Settings(sql);
    this.ledger = new Ledger(sql);
    this.queries = new Queries(sql);
    this.keys = new Keys(sql);
    this.#exist =
      sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'settings'").toArray().length > 0;
    if (!this.#exist) return;
    this.ledger.upgrade();
    this.queries.upgrade();
  }

  /** Whether the user is known: asked something, or an operator changed a setting. */
  get exist(): boolean {
    return this.#exist;
  }

  /** Makes them unless they exist. */
  create(userName: string): void {
    if (this.#exist) return;
    this.#storage.transactionSync(() => {
      this.#storage.sql.exec(SETTINGS_SCHEMA + LEDGER_SCHEMA + QUERIES_SCHEMA + KEYS_SCHEMA);
      this.settings.create(userName);
    });
    this.#exist = true;
  }

  /** Deletes all that is stored. Until it resolves, the user is unknown; if it fails, known again. */
  async delete(): Promise<void> {
    this.#exist = false;
    try {
      await this.#storage.deleteAll();
    } catch (thrown) {
      this.#exist = true;
      throw thrown;
    }
  }
}
