// What the pipeline asks of a retriever, whichever it is. The adapters are in retrievers/.

/** A piece of a document that was found for a query, best first. */
export interface Passage {
  /** The document's id, `#`, and the passage's number in it. */
  readonly id: string;
  readonly documentId: string;
  readonly title: string;
  /** The headings that the passage stands under, outermost first. */
  readonly heading: readonly string[];
  readonly url: string | null;
  readonly text: string;
  /** How well the passage covers the query, in [0, 1]. */
  readonly score: number;
}

export interface Retriever {
  /**
   * The at most `topK` passages that fit the query best, best first; none if nothing fits.
   * Whatever it throws that is no ServiceError becomes RETRIEVAL_FAILED.
   */
  retrieve(query: string, topK: number, signal: AbortSignal): Promise<readonly Passage[]>;
}
