// Fusion of ranked lists by their scores. The scores of
// each list are normalised to 0..1 by its highest and its
// lowest, and added. Lists whose scores have no scale are
// fused by reciprocal rank instead: Cormack, Clarke and
// Büttcher, SIGIR 2009. Pure.

export interface Ranked {
  readonly id: string;
  /** Higher is better. Comparable within its list only. */
  readonly relevance?: number | undefined;
}

/** The paper's constant. A larger one gives the first ranks less weight. */
const K = 60;

/**
 * The items of all lists, best first, each once, with its sum as
 * `relevance`. An item gets nothing from a list without it. Among
 * equals the better ranks decide, then the order of the lists.
 */
export function fuse<T extends Ranked>(
  lists: readonly (readonly T[])[],
): (T & { readonly relevance: number })[] {
  const ranked = lists.map(unique).filter((list) => list.length > 0);
  const scales = ranked.map(normalised);
  const byScore = scales.every((scale) => scale !== undefined);
  const all = new Map<string, { readonly item: T; score: number; rank: number }>();
  ranked.forEach((list, n) => {
    list.forEach((item, i) => {
      const sums = all.get(item.id) ?? { item, score: 0, rank: 0 };
      sums.score += scales[n]?.[i] ?? 0;
      sums.rank += 1 / (K + i + 1);
      all.set(item.id, sums);
    });
  });
  const main = (sums: { score: number; rank: number }) => (byScore ? sums.score : sums.rank);
  return [...all.values()]
    .sort((a, b) => main(b) - main(a) || b.rank - a.rank)
    .map((sums) => ({ ...sums.item, relevance: main(sums) }));
}

/** Each item at its first place. */
function unique<T extends Ranked>(list: readonly T[]): T[] {
  const seen = new Set<string>();
  return list.filter(({ id }) => !seen.has(id) && seen.add(id));
}

/**
 * The scores of a list from 1 down to 0. Undefined if they are no
 * scale: all equal, not all numbers, or rising along the list.
 */
function normalised(list: readonly Ranked[]): number[] | undefined {
  const scores = list.map(({ relevance }) => relevance ?? Number.NaN);
  const [max = Number.NaN, min = Number.NaN] = [scores[0], scores.at(-1)];
  const span = max - min;
  // NaN is not above 0, and fails every comparison.
  if (!(span > 0 && span < Number.POSITIVE_INFINITY)) return undefined;
  const isFalling = scores.every((score, i) => i === 0 || score <= (scores[i - 1] ?? Number.NaN));
  return isFalling ? scores.map((score) => (score - min) / span) : undefined;
}
