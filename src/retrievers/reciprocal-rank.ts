// Reciprocal rank fusion: merges ranked lists by position alone,
// since scores of different searches cannot be compared. Pure.
// Cormack, Clarke and Büttcher: Reciprocal Rank Fusion outperforms
// Condorcet and individual Rank Learning Methods. SIGIR 2009.

/** The paper's constant. A larger one gives the first ranks less weight. */
const K = 60;

/**
 * The items of all lists, best first. A list gives 1 / (60 + rank) to each
 * item, ranks counted from 1. Among equals, the order of the lists decides.
 */
export function fuse<T extends { readonly id: string }>(lists: readonly (readonly T[])[]): T[] {
  const all = new Map<string, { readonly item: T; sum: number }>();
  for (const list of lists) {
    const seen = new Set<string>();
    for (const item of list) {
      if (seen.has(item.id)) continue;
      seen.add(item.id);
      const share = 1 / (K + seen.size);
      const known = all.get(item.id);
      if (known === undefined) all.set(item.id, { item, sum: share });
      else known.sum += share;
    }
  }
  return [...all.values()].sort((a, b) => b.sum - a.sum).map(({ item }) => item);
}
