// The interface that retrievers search: the corpus object, or a
// read-only copy of it. corpusStub in wiring.ts chooses which.

import type { Passage } from "../answer/retriever.ts";

export interface Corpus {
  /** Up to `topK` passages, best first. */
  search(query: string, topK: number): Passage[] | Promise<Passage[]>;
  /**
   * Up to `topK` passages that these vectors
   * belong to, in the order of the ids.
   */
  passagesOf(
    vectorIds: readonly string[],
    query: string,
    topK: number,
  ): Passage[] | Promise<Passage[]>;
}
