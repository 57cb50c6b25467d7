// What a retriever asks of a corpus: the object that holds the documents, or a copy of it.

import type { Passage } from "../answer/retriever.ts";

export interface Corpus {
  /** The at most `topK` passages that fit the query best, best first. */
  search(query: string, topK: number): Passage[] | Promise<Passage[]>;
  /** The first `topK` passages of these vectors, in their order, without deleted ones. */
  passagesOf(
    vectorIds: readonly string[],
    query: string,
    topK: number,
  ): Passage[] | Promise<Passage[]>;
}
