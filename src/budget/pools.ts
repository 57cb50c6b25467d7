// The pools of the budget: what of each limit is spent and lent in a period.
// What is spent and lent together is at most the limit whenever something is
// lent. ledger.ts has the accounts whose sums these are.

import { type Account, type Amount, outstanding } from "../loan.ts";
import type { QuotaPeriod } from "../protocol.ts";
import { windowAt } from "../window.ts";
import { POOLS, type Pool, type PoolStatus } from "./pool.ts";

/** Undefined: without a limit. */
export type Limits = Readonly<Record<Pool, number | undefined>>;

type PoolsRow = {
  period: string;
  /** What an operator set for this period; null leaves it to the variable. */
  generations_limit: number | null;
  anonymous_limit: number | null;
  micros_limit: number | null;
  generations_spent: number;
  anonymous_spent: number;
  micros_spent: number;
  generations_lent: number;
  anonymous_lent: number;
  micros_lent: number;
  /** The percentage that the log has told. */
  told: number;
};

export const POOLS_SCHEMA = `
  CREATE TABLE periods (
    period TEXT PRIMARY KEY,
    ${POOLS.map((pool) => `${pool}_limit INTEGER CHECK (${pool}_limit >= 0),`).join("\n    ")}
    ${POOLS.flatMap((pool) => [`${pool}_spent`, `${pool}_lent`])
      .map((name) => `${name} INTEGER NOT NULL DEFAULT 0 CHECK (${name} >= 0),`)
      .join("\n    ")}
    told INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
`;

export class Pools {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /**
   * The period that is lent in now. Never an earlier one than was lent in
   * before: a clock that goes back must not open a period again.
   */
  current(now: number, kind: QuotaPeriod): string {
    const period = windowAt(now, kind);
    // Periods of one kind have names of one length, which sort as their times.
    const { last } = this.#sql
      .exec<{ last: string | null }>(
        "SELECT max(period) AS last FROM periods WHERE length(period) = ?",
        period.length,
      )
      .one();
    return last !== null && last > period ? last : period;
  }

  /** Makes the row of a period that has none. Call it in a transaction. */
  open(period: string): PoolsRow {
    this.#sql.exec("INSERT OR IGNORE INTO periods (period) VALUES (?)", period);
    return this.#sql.exec<PoolsRow>("SELECT * FROM periods WHERE period = ?", period).one();
  }

  /** As it is, or would be: it writes nothing. */
  status(period: string, limits: Limits): Record<Pool, PoolStatus> {
    const [row] = this.#sql
      .exec<PoolsRow>("SELECT * FROM periods WHERE period = ?", period)
      .toArray();
    const status = (pool: Pool): PoolStatus => ({
      limit: row?.[`${pool}_limit`] ?? limits[pool],
      spent: row?.[`${pool}_spent`] ?? 0,
      lent: row?.[`${pool}_lent`] ?? 0,
    });
    return {
      generations: status("generations"),
      anonymous: status("anonymous"),
      micros: status("micros"),
    };
  }

  /** An account of a period changed. Call it in the same transaction. */
  move(period: string, isAnonymous: boolean, before: Account, after: Account): void {
    const spent = { before: before.used, after: after.used };
    const lent = { before: outstanding(before), after: outstanding(after) };
    const change = (amounts: { before: Amount; after: Amount }, name: keyof Amount) =>
      amounts.after[name] - amounts.before[name];
    const ofAnonymous = isAnonymous ? 1 : 0;
    this.#sql.exec(
      `UPDATE periods SET
         generations_spent = generations_spent + ?2, generations_lent = generations_lent + ?3,
         anonymous_spent = anonymous_spent + ?2 * ?6, anonymous_lent = anonymous_lent + ?3 * ?6,
         micros_spent = micros_spent + ?4, micros_lent = micros_lent + ?5
       WHERE period = ?1`,
      ...[period, change(spent, "generations"), change(lent, "generations")],
      ...[change(spent, "micros"), change(lent, "micros"), ofAnonymous],
    );
  }

  /** Null leaves a limit to its variable again. */
  setLimit(period: string, pool: Pool, limit: number | null): void {
    this.open(period);
    this.#sql.exec(`UPDATE periods SET ${pool}_limit = ?2 WHERE period = ?1`, period, limit);
  }

  tell(period: string, percent: number): void {
    this.#sql.exec("UPDATE periods SET told = ?2 WHERE period = ?1", period, percent);
  }

  told(period: string): number {
    return (
      this.#sql
        .exec<{ told: number }>("SELECT told FROM periods WHERE period = ?", period)
        .toArray()[0]?.told ?? 0
    );
  }
}

/** The pools that a holder's grants come from, with the part of each. */
export function partsOf(grant: Amount, isAnonymous: boolean): [Pool, number][] {
  const parts: [Pool, number][] = [
    ["generations", grant.generations],
    ["micros", grant.micros],
  ];
  return isAnonymous ? [...parts, ["anonymous", grant.generations]] : parts;
}

/** What may still be lent. */
export function freeOf({ limit, spent, lent }: PoolStatus): number {
  return limit === undefined ? Number.POSITIVE_INFINITY : Math.max(0, limit - spent - lent);
}
