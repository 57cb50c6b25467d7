// Readers who share a user object, as those of one address do. Each has
// limits of their own, so that one cannot use up what others need. A bound
// for all together makes new cookies useless.

/**
 * The bound for all readers of an object, as a multiple of one reader's
 * limit.
 */
export const READERS = 4;

/** How many of something one reader has, and how many all readers have. */
export interface Share {
  readonly own: number;
  readonly all: number;
}

/** Whether a reader has reached the limit, or all together their bound. */
export function isReached(limit: number, { own, all }: Share): boolean {
  return own >= limit || all >= READERS * limit;
}

/** How many of these things are a reader's. */
export function count(
  things: readonly { readonly identity: string | null }[],
  identity: string | null,
): Share {
  const own = things.filter((thing) => thing.identity === identity).length;
  return { own, all: things.length };
}

/**
 * How many more counted refunds a reader may get: at most half, rounded up,
 * of what the others leave of the allowance. All together never get more than
 * the allowance.
 */
export function refundsLeft(refundLimit: number, { own, all }: Share): number {
  const share = Math.ceil((refundLimit - (all - own)) / 2) - own;
  return Math.max(0, Math.min(refundLimit - all, share));
}
