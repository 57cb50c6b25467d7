// Reciprocal rank fusion: one list out of several, by the places in them alone. Scores of different
// searches cannot be compared; places can. Pure.
// Cormack, Clarke and Büttcher: Reciprocal Rank Fusion outperforms Condorcet and individual Rank
// Learning Methods. SIGIR 2009.

/** The larger, the less the first few places count above the others; 60 is the paper's. */
const K = 60;

/**
 * Everything that stands in any list, best first: each list gives 1 / (60 + place), places from 1, to
 * what it holds. Of equals, what a former list holds, or holds higher, comes first.
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
