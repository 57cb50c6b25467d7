// Readers who share a user object, as those of one address do. What keeps one of them from others is a limit
// of each reader's own; what keeps throw-away cookies from buying anything is a bound for all together.

/** So many times a reader's own limit is the bound for all who share the object. */
export const READERS = 4;

/** Whether a limit is reached by one reader, or its bound by all. A user who shares with nobody is both. */
export function isReached(limit: number, { own, all }: { own: number; all: number }): boolean {
  return own >= limit || all >= READERS * limit;
}

/** How many of these a reader has, and how many all have. */
export function count(
  things: readonly { readonly identity: string | null }[],
  identity: string | null,
): { own: number; all: number } {
  const own = things.filter((thing) => thing.identity === identity).length;
  return { own, all: things.length };
}

/**
 * How many more refunds for leaving a reader may have: of what the others leave of the allowance, at most
 * half, rounded up. So one reader cannot use all of it up, and all together get no more than it is.
 */
export function refundsLeft(refundLimit: number, { own, all }: { own: number; all: number }) {
  const share = Math.ceil((refundLimit - (all - own)) / 2) - own;
  return Math.max(0, Math.min(refundLimit - all, share));
}
