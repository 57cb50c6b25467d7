// The vectors in a model's answer, checked: one that is wrong in any way would be found for every query,
// or for none, and nobody would see why. Pure.

import type { Vector } from "../answer/embedder.ts";
import { failure } from "./upstream.ts";

/** Throws RETRIEVAL_FAILED unless the answer holds a usable vector for each of so many texts. */
export function embeddings(answer: unknown, count: number): readonly Vector[] {
  if (!Array.isArray(answer)) throw unusable("no list of vectors");
  if (answer.length !== count) throw unusable(`${answer.length} vectors for ${count} texts`);
  const [first] = answer;
  for (const vector of answer) {
    if (!Array.isArray(vector) || vector.length === 0)
      throw unusable("something else than a vector");
    if (vector.length !== first.length) throw unusable("vectors of different lengths");
    if (!vector.every(Number.isFinite)) throw unusable("a vector that is not all numbers");
    // It lies in no direction, so that it is near to nothing and to everything.
    if (vector.every((number) => number === 0)) throw unusable("a vector of nothing but zeros");
  }
  return answer;
}

function unusable(what: string) {
  return failure(`The embedding model's answer cannot be used: it holds ${what}.`);
}
