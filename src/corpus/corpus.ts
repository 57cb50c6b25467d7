// The interface that retrievers search: the corpus object of a collection, or
// a read-only copy of it.

import type { Passage } from "../answer/retriever.ts";
import type { NearVector } from "../answer/vector-index.ts";
import type { QueryTerms } from "./query-terms.ts";

export interface Corpus {
  /** Up to `topK` passages, best first. */
  search(query: string, topK: number): Passage[] | Promise<Passage[]>;
  /** As `search`, with the neighbours of the best passages. */
  searchForPrompt(query: string, topK: number): Passage[] | Promise<Passage[]>;
  /**
   * Up to `topK` passages that these vectors
   * belong to, in their order.
   */
  passagesOf(
    vectors: readonly NearVector[],
    query: string,
    topK: number,
  ): Passage[] | Promise<Passage[]>;
  /** What it knows of the words of a query, for a search in several. */
  termsOf(query: string): QueryTerms | Promise<QueryTerms>;
  /** Those of these passages that exist, at most 10, in no order. */
  passagesAt(ids: readonly string[]): Omit<Passage, "score">[] | Promise<Omit<Passage, "score">[]>;
}
