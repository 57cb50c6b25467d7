// The interface that retrievers search. Today it is the corpus object;
// retriever() in wiring.ts would give them a read-only copy instead.

import type { Passage } from "../answer/retriever.ts";
import type { NearVector } from "../answer/vector-index.ts";

export interface Corpus {
  /** Up to `topK` passages, best first. */
  search(query: string, topK: number): Passage[] | Promise<Passage[]>;
  /**
   * Up to `topK` passages that these vectors
   * belong to, in their order.
   */
  passagesOf(
    vectors: readonly NearVector[],
    query: string,
    topK: number,
  ): Passage[] | Promise<Passage[]>;
  /** Those of these passages that exist, at most 10, in no order. */
  passagesAt(ids: readonly string[]): Omit<Passage, "score">[] | Promise<Omit<Passage, "score">[]>;
}
