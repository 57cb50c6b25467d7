// Checks the vectors in an embedding response. A wrong vector would
// match every query or none, and nothing would show why. Pure.

import type { Vector } from "../answer/embedder.ts";
import { failure } from "../upstream.ts";

/**
 * Throws RETRIEVAL_FAILED unless `vectors` are usable and `count` in number.
 */
export function checkedVectors(vectors: unknown, count: number): readonly Vector[] {
  if (!Array.isArray(vectors)) throw unusable("no list of vectors");
  if (vectors.length !== count) throw unusable(`${vectors.length} vectors for ${count} texts`);
  const [first] = vectors;
  for (const vector of vectors) {
    if (!Array.isArray(vector) || vector.length === 0)
      throw unusable("something else than a vector");
    if (vector.length !== first.length) throw unusable("vectors of different lengths");
    if (!vector.every(Number.isFinite)) throw unusable("a vector that is not all numbers");
    // It has no direction, so it has no distance to others.
    if (vector.every((number) => number === 0)) throw unusable("a vector of nothing but zeros");
  }
  return vectors;
}

function unusable(what: string) {
  return failure(`The embedding model's answer cannot be used: it holds ${what}.`);
}
