// The interface of an index that stores vectors under ids and finds
// the nearest ones. The adapter is in embedders/vectorize.ts.

import type { Vector } from "./embedder.ts";

export interface NearVector {
  readonly id: string;
  /** Higher is nearer. */
  readonly similarity: number;
}

/**
 * Ids have at most 64 bytes. Searches see a write some
 * seconds later. Each method throws ServiceError
 * RETRIEVAL_FAILED, and does so soon after `signal` aborts.
 */
export interface VectorIndex {
  /** Nearest first. `limit` is at most 100. */
  nearest(vector: Vector, limit: number, signal: AbortSignal): Promise<readonly NearVector[]>;
  /** Adds vectors, or replaces those with the same ids. */
  put(vectors: ReadonlyMap<string, Vector>, signal: AbortSignal): Promise<void>;
  /** Takes 1 to 100 ids. Unknown ids are ignored. */
  remove(ids: readonly string[], signal: AbortSignal): Promise<void>;
  isEmpty(signal: AbortSignal): Promise<boolean>;
}
