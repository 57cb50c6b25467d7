// The interface of a retriever. Adapters are in retrievers/.

import type { TextBlock } from "../text/blocks.ts";

/** A piece of a document that was found for a query. */
export interface Passage {
  /** `<document id>#<number of the passage in it>` */
  readonly id: string;
  readonly documentId: string;
  /** That of the document; undefined for `default`. */
  readonly collection?: string | undefined;
  readonly title: string;
  /** The headings above the passage, outermost first. */
  readonly heading: readonly string[];
  readonly url: string | null;
  readonly text: string;
  /** Of the text, in order. Empty if unknown. */
  readonly blocks?: readonly TextBlock[];
  /** How well the passage covers the query, in [0, 1]. */
  readonly score: number;
  /**
   * How well it fits, as its search counts: higher is better.
   * Comparable within one result only. Undefined if unknown.
   */
  readonly relevance?: number | undefined;
  /** What precedes and follows it in its section, if that was read. */
  readonly before?: Neighbour | undefined;
  readonly after?: Neighbour | undefined;
}

export type Neighbour = Pick<Passage, "text" | "blocks">;

export interface Retriever {
  /**
   * Up to `topK` passages, best first; none if nothing fits the
   * query. Errors other than ServiceError become RETRIEVAL_FAILED.
   */
  retrieve(query: string, topK: number, signal: AbortSignal): Promise<readonly Passage[]>;
}
