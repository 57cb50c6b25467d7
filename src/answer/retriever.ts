// The interface of a retriever. Adapters are in retrievers/.

import type { TextBlock } from "../text/blocks.ts";

/** A piece of a document that was found for a query. */
export interface Passage {
  /** `<document id>#<number of the passage in it>` */
  readonly id: string;
  readonly documentId: string;
  readonly title: string;
  /** The headings above the passage, outermost first. */
  readonly heading: readonly string[];
  readonly url: string | null;
  readonly text: string;
  /** Of the text, in order. Empty if unknown. */
  readonly blocks?: readonly TextBlock[];
  /** How well the passage covers the query, in [0, 1]. */
  readonly score: number;
}

export interface Retriever {
  /**
   * Up to `topK` passages, best first; none if nothing fits the
   * query. Errors other than ServiceError become RETRIEVAL_FAILED.
   */
  retrieve(query: string, topK: number, signal: AbortSignal): Promise<readonly Passage[]>;
}
