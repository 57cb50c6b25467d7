// Checks the scores in a reranking model's response. A wrong
// index would put a passage in another's place. Pure.

import { failure } from "../upstream.ts";

/** One result. Models name the members in different ways. */
export type ReadResult = (result: Readonly<Record<string, unknown>>) => {
  readonly index: unknown;
  readonly score: unknown;
};

/**
 * The scores in the order of the texts. Throws RETRIEVAL_FAILED
 * unless there is exactly one for each, and all are numbers.
 */
export function checkedScores(results: unknown, count: number, read: ReadResult): number[] {
  if (!Array.isArray(results)) throw unusable("no list of results");
  if (results.length !== count) throw unusable(`${results.length} results for ${count} texts`);
  const scores = new Map<number, number>();
  for (const result of results) {
    if (typeof result !== "object" || result === null)
      throw unusable("something else than a result");
    const { index, score } = read(result);
    if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= count) {
      throw unusable("an index of no text");
    }
    if (scores.has(index)) throw unusable("two results for one text");
    if (typeof score !== "number" || !Number.isFinite(score)) {
      throw unusable("a score that is no number");
    }
    scores.set(index, score);
  }
  return Array.from({ length: count }, (_, i) => scores.get(i) ?? 0);
}

function unusable(what: string) {
  return failure(`The reranking model's answer cannot be used: it holds ${what}.`);
}
