// A budget and its users, on one real database, with a network between them
// that loses, delays and repeats what is sent. After every step:
//
// 1. In each period, what users have begun and what their open answers may
//    still cost is at most what the budget counts as spent and lent.
// 2. What is spent and lent never grows beyond the limit of its pool.
// 3. The sums of the pools are those of the accounts, counted again, until
//    accounts of a period that ended long ago are deleted.
// 4. What a user object knows is what its next instance would read.
//
// At the end everything is delivered, and after a minute of idleness nothing
// is lent any more.

import { vi } from "vitest";
import { BUDGET_SCHEMA, Ledger, type OpenLoan } from "../../src/budget/ledger.ts";
import { POOLS, type Pool, type PoolStatus } from "../../src/budget/pool.ts";
import type { BudgetConfig } from "../../src/budget-config.ts";
import { type Budget, covers } from "../../src/loan.ts";
import { Network } from "./network.ts";
import { type Begun, SimulatedUser } from "./simulated-user.ts";

export const USERS = 4;
const SECOND = 1_000;
const DAY = 86_400_000;
const START = Date.parse("2026-11-20T12:00:00Z");
/** As in budget-object.ts. */
const SILENCE_MS = 45_000;
/** Microtasks that a step may take. */
const TURNS = 100;
/** More than are ever out. */
const LOANS = 1_000;
const PRUNED_AT_ONCE = 2;
const ACCOUNTS = "SELECT period, count(*) AS count FROM accounts GROUP BY period";

export interface Chosen {
  readonly generations: number | undefined;
  readonly anonymous: number | undefined;
  /** In dollars. */
  readonly usd: number | undefined;
  readonly period: "day" | "month" | "total";
}

export interface Step {
  readonly kind: (typeof KINDS)[number];
  /** Picks a user, a message or an answer. */
  readonly at: number;
  /** Picks how much. */
  readonly part: number;
}

export const KINDS = [
  ...(["ask", "ask", "ask", "ask", "deliver", "deliver", "deliver", "deliver"] as const),
  ...(["finish", "finish", "finish", "ring", "ring", "recall", "recall urgently"] as const),
  ...(["lose the reply", "give up", "repeat", "die", "sweep", "erase"] as const),
  ...(["be answered", "be answered", "prune", "copy", "restore"] as const),
  ...(["pass seconds", "pass days", "turn the clock back", "limit", "price"] as const),
] as const;

export class Breach extends Error {}

type Sums = Readonly<Record<Pool, PoolStatus>>;

export class Simulation {
  readonly #ledger: Ledger;
  readonly #storage: DurableObjectStorage;
  readonly #network = new Network();
  readonly #users: readonly SimulatedUser[];
  readonly #begun: { readonly user: SimulatedUser; readonly begun: Begun }[] = [];
  #config: BudgetConfig;
  #before = new Map<string, Sums>();
  /** The periods of which accounts were deleted. */
  readonly #pruned = new Set<string>();

  constructor(storage: DurableObjectStorage, chosen: Chosen) {
    this.#storage = storage;
    storage.transactionSync(() => BUDGET_SCHEMA.create(storage.sql));
    this.#ledger = new Ledger(storage.sql);
    this.#config = {
      limits: {
        generations: chosen.generations,
        anonymous: chosen.anonymous,
        micros: chosen.usd === undefined ? undefined : chosen.usd * 1_000_000,
      },
      period: chosen.period,
      prices: { input: 3, output: 15 },
      rewrites: false,
      fallback: undefined,
    };
    this.#users = Array.from({ length: USERS }, (_, number) => this.#newUser(number));
    vi.setSystemTime(START);
  }

  #newUser(number: number): SimulatedUser {
    const user: SimulatedUser = new SimulatedUser(number, {
      storage: this.#storage,
      budget: (isAlive) => this.#budget(isAlive),
      config: () => this.#config,
      onBegun: (_name, begun) => this.#begun.push({ user, begun }),
    });
    return user;
  }

  #budget(isAlive: () => boolean): Budget {
    const write = <T>(run: () => T) => this.#storage.transactionSync(run);
    return {
      lend: (request) =>
        this.#network.send(
          () => write(() => this.#ledger.lend(request, this.#config, Date.now())),
          isAlive,
        ),
      settle: (holder, statements) =>
        this.#network.send(
          () => write(() => statements.map((one) => this.#ledger.settle(holder, one, Date.now()))),
          isAlive,
        ),
    };
  }

  async take({ kind, at, part }: Step): Promise<void> {
    this.#remember();
    const user = this.#users[at % USERS] as SimulatedUser;
    await this.#act(kind, user, at, part);
    await turns();
    this.#check();
  }

  async #act(kind: Step["kind"], user: SimulatedUser, at: number, part: number): Promise<void> {
    const network = this.#network;
    switch (kind) {
      case "ask":
        return user.ask();
      case "be answered":
        user.ask();
        await this.#deliverAll();
        return user.finish(user.open.length - 1, part);
      case "finish":
        return user.finish(at >> 2, part);
      case "sweep":
        return user.finish(at >> 2, undefined);
      case "ring":
        return user.ring();
      case "die":
        return user.die();
      case "erase":
        return user.erase();
      case "prune":
        return user.prune(part);
      case "copy":
        return user.copy();
      case "restore":
        return this.#restore(user);
      case "recall":
        this.#recall(Date.now() - SILENCE_MS, false);
        return this.#prune();
      case "recall urgently":
        return this.#recall(Date.now() - SECOND, true);
      case "pass seconds":
        return this.#pass(Math.ceil(part * 90) * SECOND);
      case "pass days":
        return this.#pass(Math.ceil(part * 40) * DAY);
      case "turn the clock back":
        return this.#pass(-Math.ceil(part * 40) * DAY);
      case "limit":
        return this.#changeLimit(at, part);
      case "price":
        this.#config = { ...this.#config, prices: { input: 1 + 9 * part, output: 15 } };
        return;
      default:
        if (network.size === 0) return;
        if (kind === "deliver") return network.deliver(at, "whole");
        if (kind === "lose the reply") return network.deliver(at, "reply lost");
        if (kind === "repeat") return network.twice(at);
        return network.giveUp(at);
    }
  }

  #pass(ms: number): void {
    vi.setSystemTime(Date.now() + ms);
  }

  #changeLimit(at: number, part: number): void {
    const { limits } = this.#config;
    const pool = POOLS[at % POOLS.length] as Pool;
    const limit = limits[pool];
    if (limit === undefined) return;
    const changed = Math.floor(limit * 2 * part);
    this.#config = { ...this.#config, limits: { ...limits, [pool]: changed } };
  }

  /** As the budget's alarm does. The sums of a period stay. */
  #prune(): void {
    const accounts = () => this.#storage.sql.exec(ACCOUNTS).toArray();
    const before = accounts();
    this.#storage.transactionSync(() => this.#ledger.prune(Date.now(), PRUNED_AT_ONCE));
    const left = new Map(accounts().map(({ period, count }) => [period, count]));
    for (const { period, count } of before) {
      if (left.get(period) !== count) this.#pruned.add(String(period));
    }
  }

  /** As the budget object does. */
  #recall(since: number, isUrgent: boolean): void {
    for (const loan of this.#ledger.openLoans(since, Date.now(), LOANS)) {
      this.#network
        .send(
          () => this.#userOf(loan).recall(loan.holder.log, loan.statement, isUrgent),
          () => true,
        )
        .then(
          (answer) => {
            this.#storage.transactionSync(() => {
              if (answer === undefined) {
                this.#ledger.writeOff(loan.holder, loan.statement, Date.now());
              } else this.#ledger.settle(loan.holder, answer, Date.now());
            });
          },
          () => this.#ledger.heardNothing(loan.holder, loan.statement, Date.now()),
        );
    }
  }

  #userOf({ holder }: OpenLoan): SimulatedUser {
    return this.#users.find(({ name }) => name === holder.user) as SimulatedUser;
  }

  /** What the budget was not told of would be lost with the database. */
  async #restore(user: SimulatedUser): Promise<void> {
    while (user.open.length > 0) user.finish(0, 0.5);
    user.ring();
    await this.#deliverAll();
    if (this.#isTold(user)) user.restore();
  }

  #isTold({ name, statements }: SimulatedUser): boolean {
    return statements.every(({ period, used }) => {
      const [account] = this.#storage.sql
        .exec<{ generations: number; micros: number }>(
          `SELECT sum(used_generations) AS generations, sum(used_micros) AS micros
           FROM accounts WHERE user = ? AND period = ?`,
          ...[name, period],
        )
        .toArray();
      return account !== undefined && covers(account, used);
    });
  }

  // --- What must hold ---

  #sums(): Map<string, Sums> {
    const periods = this.#storage.sql
      .exec<{ period: string }>("SELECT period FROM periods")
      .toArray();
    return new Map(
      periods.map(({ period }) => [period, this.#ledger.pools.status(period, this.#config.limits)]),
    );
  }

  #remember(): void {
    this.#before = this.#sums();
  }

  #check(): void {
    const sums = this.#sums();
    for (const [period, status] of sums) {
      this.#checkLimits(period, status);
      if (!this.#pruned.has(period)) this.#checkRecount(period, status);
    }
    this.#checkTruth(sums);
    for (const user of this.#users) {
      const { known, stored } = user.books;
      if (JSON.stringify(known) === JSON.stringify(stored)) continue;
      throw new Breach(
        `${user.name} knows ${JSON.stringify(known)}, and stored ${JSON.stringify(stored)}`,
      );
    }
  }

  #checkLimits(period: string, status: Sums): void {
    for (const pool of POOLS) {
      const { limit, spent, lent } = status[pool];
      const before = this.#before.get(period)?.[pool];
      const most = Math.max(limit ?? Number.POSITIVE_INFINITY, sumOf(before));
      if (spent + lent > most) {
        throw new Breach(`${pool} of ${period}: ${spent} + ${lent} is more than ${most}`);
      }
    }
  }

  #checkRecount(period: string, status: Sums): void {
    const recount = this.#ledger.recount(period);
    for (const pool of POOLS) {
      const { spent, lent } = status[pool];
      if (recount[`${pool}_spent`] === spent && recount[`${pool}_lent`] === lent) continue;
      throw new Breach(`${pool} of ${period}: ${JSON.stringify(recount)}, not ${spent}, ${lent}`);
    }
  }

  #checkTruth(sums: ReadonlyMap<string, Sums>): void {
    for (const [period, truth] of this.#truth()) {
      for (const pool of POOLS) {
        const known = sumOf(sums.get(period)?.[pool]);
        if (truth[pool] <= known) continue;
        throw new Breach(`${pool} of ${period}: ${truth[pool]} was begun, and ${known} is known`);
      }
    }
  }

  #truth(): Map<string, Record<Pool, number>> {
    const truth = new Map<string, Record<Pool, number>>();
    for (const { user, begun } of this.#begun) {
      const sum = truth.get(begun.period) ?? { generations: 0, anonymous: 0, micros: 0 };
      sum.generations += 1;
      if (user.isAnonymous) sum.anonymous += 1;
      sum.micros += begun.micros;
      truth.set(begun.period, sum);
    }
    return truth;
  }

  async #deliverAll(): Promise<void> {
    do {
      await this.#network.deliverAll();
      await turns();
    } while (this.#network.size > 0);
  }

  // --- The end ---

  /** Everything arrives, and no user asks any more. */
  async end(): Promise<void> {
    await this.#deliverAll();
    for (const user of this.#users) while (user.open.length > 0) user.finish(0, 0.5);
    // The users' alarms ring half a minute after the last ask, and the budget's
    // alarm asks for what no user has heard of.
    for (const seconds of [31, 15, 14]) {
      this.#pass(seconds * SECOND);
      for (const user of this.#users) user.ring();
      await this.#deliverAll();
      this.#recall(Date.now() - SILENCE_MS, false);
      await this.#deliverAll();
    }
    this.#check();
    for (const [period, status] of this.#sums()) {
      for (const pool of POOLS) {
        const { lent } = status[pool];
        if (lent !== 0) throw new Breach(`${lent} of ${pool} of ${period} is lent for ever`);
      }
    }
    this.#checkTotals();
  }

  /** Where no user was erased or restored, not one answer too many is counted. */
  #checkTotals(): void {
    if (this.#users.some(({ wasErased, wasRestored }) => wasErased || wasRestored)) return;
    const truth = this.#truth();
    for (const [period, status] of this.#sums()) {
      // A message that came later than that was counted again.
      if (this.#pruned.has(period)) continue;
      const { generations, micros } = truth.get(period) ?? { generations: 0, micros: 0 };
      const { generations: seen, micros: cost } = status;
      if (seen.spent === generations && cost.spent === micros) continue;
      throw new Breach(
        `${period}: ${seen.spent} at ${cost.spent} are spent, not ${generations} at ${micros}`,
      );
    }
  }
}

function sumOf(status: PoolStatus | undefined): number {
  return status === undefined ? 0 : status.spent + status.lent;
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await null;
}
