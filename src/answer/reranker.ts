// The interface of a reranking model. Adapters are in rerankers/.

export interface Reranker {
  /**
   * How well each text answers the query, in order: higher is
   * better, comparable within one call. Throws ServiceError
   * RETRIEVAL_FAILED, without any part of a text in its
   * message, and soon after `signal` aborts.
   */
  rerank(query: string, texts: readonly string[], signal: AbortSignal): Promise<readonly number[]>;
}
