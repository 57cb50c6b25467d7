// The measures of a ranking, as the tools of TREC and BEIR compute them. Pure.

import type { JudgedQuestion } from "./collection.ts";

/** Rankings are cut here. */
export const DEPTH = 10;

/** Means over all questions, each in [0, 1]. */
export interface Ranking {
  readonly ndcg: number;
  readonly recall: number;
  readonly mrr: number;
}

/** @param rankings Ids of documents, best first and each once. */
export function ranking(
  questions: readonly JudgedQuestion[],
  rankings: readonly (readonly string[])[],
): Ranking {
  const cut = rankings.map((documents) => documents.slice(0, DEPTH));
  const measured = (measure: typeof ndcg) =>
    mean(questions.map(({ relevant }, i) => measure(relevant, cut[i] ?? [])));
  return { ndcg: measured(ndcg), recall: measured(recall), mrr: measured(reciprocalRank) };
}

export function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / Math.max(1, numbers.length);
}

export function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** The discounted gain, divided by that of the best ranking. */
function ndcg(relevant: ReadonlyMap<string, number>, documents: readonly string[]): number {
  const gain = (grades: readonly number[]) =>
    grades.reduce((sum, grade, i) => sum + grade / Math.log2(i + 2), 0);
  const best = [...relevant.values()].sort((a, b) => b - a).slice(0, DEPTH);
  return gain(documents.map((id) => relevant.get(id) ?? 0)) / gain(best);
}

function recall(relevant: ReadonlyMap<string, number>, documents: readonly string[]): number {
  return documents.filter((id) => relevant.has(id)).length / relevant.size;
}

function reciprocalRank(
  relevant: ReadonlyMap<string, number>,
  documents: readonly string[],
): number {
  const rank = documents.findIndex((id) => relevant.has(id)) + 1;
  return rank === 0 ? 0 : 1 / rank;
}
