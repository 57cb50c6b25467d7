// A user of a simulation: the real borrower, allowances and query log, over a
// real database, without a model. It dies, comes back and is erased.

import type { Alarm } from "../../src/alarm.ts";
import type { BudgetConfig } from "../../src/budget-config.ts";
import type { Budget, Statement } from "../../src/loan.ts";
import type { Ask } from "../../src/protocol.ts";
import { ALLOWANCES_SCHEMA, Allowances } from "../../src/user/allowances.ts";
import { Borrower } from "../../src/user/borrower.ts";
import { type Payment, takes } from "../../src/user/payment.ts";
import { QUERIES_SCHEMA, Queries } from "../../src/user/queries.ts";
import { ANONYMOUS } from "../../src/user/settings.ts";
import type { Tables } from "../../src/user/tables.ts";
import { withPrefix } from "./storage.ts";

/** A generation that was begun, and what the model of the test knows of it. */
export interface Begun {
  readonly period: string;
  /** The most that it may cost while it is open, then its cost. */
  micros: number;
  readonly queryId: string;
  isOpen: boolean;
}

const ASK: Ask = {
  ...{ query: "What is lent?", topK: 5, maxTokens: 100, temperature: undefined, history: [] },
  ...{ onDisconnect: "cancel", collections: ["default"] },
};

const TABLES = ["queries", "allowances", "settings"];

interface Surroundings {
  readonly storage: DurableObjectStorage;
  /** @param isAlive Whether the instance that calls still runs. */
  budget(isAlive: () => boolean): Budget;
  config(): BudgetConfig;
  onBegun(user: string, begun: Begun): void;
}

export class SimulatedUser {
  readonly name: string;
  readonly isAnonymous: boolean;
  wasErased = false;
  wasRestored = false;
  /** The refusals' codes, in the order of asking. */
  readonly refusals: string[] = [];
  readonly #surroundings: Surroundings;
  readonly #begun: Begun[] = [];
  readonly #sql: SqlStorage;
  #exists = false;
  /** The query log whose copy was kept; undefined if none was. */
  #copied: string | undefined;
  #log = "";
  #logs = 0;
  #instance = 0;
  #allowances: Allowances;
  #queries: Queries;
  #borrower: Borrower;

  constructor(number: number, surroundings: Surroundings) {
    this.name = `u${number}`;
    this.isAnonymous = number % 2 === 1;
    this.#surroundings = surroundings;
    this.#sql = withPrefix(surroundings.storage.sql, this.name);
    [this.#allowances, this.#queries, this.#borrower] = this.#start();
  }

  get open(): readonly Begun[] {
    return this.#begun.filter(({ isOpen }) => isOpen);
  }

  /** What is in memory, and what another instance would read. */
  get books(): { known: unknown; stored: unknown } {
    const shown = (allowances: Allowances) =>
      allowances.periods.map((period) => [
        allowances.statement(period),
        allowances.reserved(period),
        allowances.room(period),
      ]);
    if (!this.#exists) return { known: [], stored: [] };
    return { known: shown(this.#allowances), stored: shown(new Allowances(this.#sql)) };
  }

  get statements(): readonly Statement[] {
    if (!this.#exists) return [];
    return this.#allowances.periods.map((period) => this.#allowances.statement(period));
  }

  ask(): void {
    const instance = this.#instance;
    const payable = { ask: ASK, userName: this.name };
    this.#borrower
      .pay(payable, () => false)
      .then((payment) => {
        if (instance === this.#instance) this.#begin(payment);
      });
  }

  #begin(payment: Payment): void {
    try {
      if (payment.refusal !== undefined) this.refusals.push(payment.refusal.code);
      else if (takes(payment)) this.#take(payment, payment.budget);
    } finally {
      payment.release();
    }
  }

  #take(payment: Payment, period: string): void {
    const { micros } = payment;
    const queryId = this.#transaction(() => {
      const id = this.#queries.insert({
        ...{ ask: ASK, identity: null, window: "total", payment, askedAt: Date.now() },
        key: { hash: "key", fingerprint: "", chosen: false },
      });
      this.#allowances.take(id, { period, micros });
      return id;
    });
    const begun = { period, micros, queryId, isOpen: true };
    this.#begun.push(begun);
    this.#surroundings.onBegun(this.name, begun);
  }

  /** @param part What it costs, of the most that it may; undefined if unknown. */
  finish(at: number, part: number | undefined): void {
    const begun = this.open[at % Math.max(1, this.open.length)];
    if (begun === undefined) return;
    const micros = part === undefined ? undefined : Math.floor(begun.micros * part);
    this.#transaction(() => {
      this.#queries.refund(begun.queryId, Date.now(), "failed", micros);
      this.#allowances.resolve(begun.queryId, micros);
    });
    begun.micros = micros ?? begun.micros;
    begun.isOpen = false;
  }

  /** The process dies. What it left reserved is swept by a later `finish`. */
  die(): void {
    this.#instance += 1;
    [this.#allowances, this.#queries, this.#borrower] = this.#start();
  }

  ring(): void {
    // It never throws. What it waits for is on the network.
    void this.#borrower.run();
  }

  recall(log: string, known: Statement, isUrgent: boolean): Statement | undefined {
    return this.#borrower.recall(log, known, isUrgent);
  }

  erase(): void {
    if (!this.#exists) return;
    void this.#borrower.erase(async () => {
      this.#exists = false;
      this.wasErased = true;
      this.#sql.exec("DROP TABLE queries; DROP TABLE allowances; DROP TABLE settings;");
      this.#allowances.forget();
      this.#queries.forget();
      for (const begun of this.#begun) begun.isOpen = false;
    });
  }

  /** What is old is deleted, as in src/user/retention.ts. */
  prune(part: number): void {
    if (!this.#exists) return;
    const rows = this.#queries.oldestAfter(0, 100);
    const end = rows.findIndex(({ state }) => state === "reserved");
    const resolved = rows.slice(0, end === -1 ? rows.length : end);
    const old = resolved.slice(0, Math.ceil(resolved.length * part));
    const last = old.at(-1)?.number ?? 0;
    this.#transaction(() => {
      this.#allowances.fold(last);
      this.#sql.exec("UPDATE settings SET keys_pruned_to = max(keys_pruned_to, ?)", last);
      for (const { number } of old) this.#queries.delete(number);
    });
  }

  /** Keeps a copy of the database, if no answer is being written. */
  copy(): void {
    if (!this.#exists || this.open.length > 0) return;
    for (const table of TABLES) {
      this.#sql.exec(`DROP TABLE IF EXISTS ${this.#copyOf(table)}`);
      this.#sql.exec(`CREATE TABLE ${this.#copyOf(table)} AS SELECT * FROM ${table}`);
    }
    this.#copied = this.#log;
  }

  /** The copy takes the database's place. What came since is gone. */
  restore(): void {
    if (!this.#exists || this.open.length > 0 || this.#copied === undefined) return;
    for (const table of TABLES) {
      this.#sql.exec(`DELETE FROM ${table}`);
      this.#sql.exec(`INSERT INTO ${table} SELECT * FROM ${this.#copyOf(table)}`);
    }
    this.#log = this.#copied;
    this.wasRestored = true;
    this.die();
  }

  /** Without a match in any name of a table: see storage.ts. */
  #copyOf(table: string): string {
    return `copy_of_${table}_of_${this.name}`;
  }

  #start(): [Allowances, Queries, Borrower] {
    const instance = this.#instance;
    const { budget, config } = this.#surroundings;
    const tables = this.#tables(new Allowances(this.#sql), new Queries(this.#sql));
    const borrower = new Borrower({
      tables: tables as Tables,
      alarm: { set: () => {} } as unknown as Alarm,
      user: this.name,
      config: () => config(),
      budget: () => budget(() => instance === this.#instance),
    });
    return [tables.allowances, tables.queries, borrower];
  }

  #tables(allowances: Allowances, queries: Queries) {
    const exists = () => this.#exists;
    const name = this.isAnonymous ? `${ANONYMOUS}${this.name}` : this.name;
    return {
      get exist() {
        return exists();
      },
      create: () => this.#create(),
      settings: { get: () => ({ log: this.#log, name }) },
      allowances,
      queries,
      transaction: <T>(write: () => T) => this.#transaction(write),
    } as unknown as Tables;
  }

  #create(): void {
    if (this.#exists) return;
    this.#sql.exec(`${QUERIES_SCHEMA} ${ALLOWANCES_SCHEMA}
      CREATE TABLE settings (keys_pruned_to INTEGER, content_pruned_to INTEGER);
      INSERT INTO settings VALUES (0, 0);`);
    this.#logs += 1;
    this.#log = `log ${this.#logs}`;
    this.#allowances.begin();
    this.#queries.begin();
    this.#exists = true;
  }

  #transaction<T>(write: () => T): T {
    try {
      return this.#surroundings.storage.transactionSync(write);
    } catch (thrown) {
      this.#allowances.forget();
      this.#queries.forget();
      throw thrown;
    }
  }
}
