// The budget as operators see it.

import { POOLS, type Pool, type PoolStatus } from "./pool.ts";

interface ShownPool {
  /** Null: without a limit. */
  readonly limit: number | null;
  readonly spent: number;
  readonly lent: number;
}

export interface ShownBudget {
  readonly period: string;
  /** ISO 8601 in UTC; null if the period never ends. */
  readonly endsAt: string | null;
  readonly generations: ShownPool;
  readonly anonymous: ShownPool;
  /** In dollars. */
  readonly usd: ShownPool;
}

const MICROS = 1_000_000;

export function shownBudget(
  period: string,
  end: number | undefined,
  status: Readonly<Record<Pool, PoolStatus>>,
): ShownBudget {
  return {
    period,
    endsAt: end === undefined ? null : new Date(end).toISOString(),
    generations: shownPool(status.generations),
    anonymous: shownPool(status.anonymous),
    usd: shownPool(status.micros, MICROS),
  };
}

function shownPool({ limit, spent, lent }: PoolStatus, unit = 1): ShownPool {
  return {
    limit: limit === undefined ? null : limit / unit,
    spent: spent / unit,
    lent: lent / unit,
  };
}

/**
 * The part that is spent of the limit that is nearest its end, in whole
 * percent. A limit of 0 is used up.
 * @param what `lent` counts what is lent too.
 */
export function highestPercent(
  status: Readonly<Record<Pool, PoolStatus>>,
  what: "spent" | "lent",
): number {
  return Math.max(
    0,
    ...POOLS.map((pool) => {
      const { limit, spent, lent } = status[pool];
      if (limit === undefined) return 0;
      const gone = what === "lent" ? spent + lent : spent;
      return limit === 0 ? 100 : Math.floor((100 * gone) / limit);
    }),
  );
}
