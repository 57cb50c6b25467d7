// The database of an object that all users share: the budget, the directory.
// Its first write makes its tables.

import { ServiceError } from "./errors.ts";
import type { Schema } from "./schema.ts";

export class Database {
  readonly #storage: DurableObjectStorage;
  readonly #schema: Schema;
  readonly #owner: string;
  #hasTables = false;
  #isUsable = true;

  /** @param owner Its name in messages: `budget` or `directory`. */
  constructor(storage: DurableObjectStorage, schema: Schema, owner: string) {
    this.#storage = storage;
    this.#schema = schema;
    this.#owner = owner;
    try {
      this.#hasTables = schema.open(storage);
    } catch (thrown) {
      console.error(`The database of the ${owner} could not be opened:`, thrown);
      this.#isUsable = false;
    }
  }

  get hasTables(): boolean {
    return this.#hasTables;
  }

  /** Throws UNAVAILABLE if another release wrote it: see schema.ts. */
  check(): void {
    if (this.#isUsable) return;
    throw new ServiceError(
      "UNAVAILABLE",
      `The ${this.#owner} is of another release. The operator of this deployment has to deploy the release that wrote it.`,
      { headers: { "retry-after": "60" } },
    );
  }

  /** All writes or none. Makes the tables first. Throws as `check` does. */
  write<T>(write: () => T): T {
    this.check();
    const { sql } = this.#storage;
    if (!this.#hasTables) this.#storage.transactionSync(() => this.#schema.create(sql));
    this.#hasTables = true;
    return this.#storage.transactionSync(write);
  }
}
