// What a limit is for. Commands import it too.

/** `generations` is for all callers, `anonymous` for those without a token. */
export const POOLS = ["generations", "anonymous", "micros"] as const;
export type Pool = (typeof POOLS)[number];

export interface PoolStatus {
  readonly limit: number | undefined;
  readonly spent: number;
  readonly lent: number;
}
