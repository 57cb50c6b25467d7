// The passages of another search in the order of a reranking
// model. If the model fails or takes too long, they keep theirs.

import type { Reranker } from "../answer/reranker.ts";
import type { Passage, Retriever } from "../answer/retriever.ts";
import { withTimeout } from "../deadline.ts";
import { reasonOf, ServiceError } from "../errors.ts";
import { TOP_K } from "../protocol.ts";

export class RerankingRetriever implements Retriever {
  readonly #retriever: Retriever;
  readonly #reranker: Reranker;
  readonly #waitMs: number;

  /** @param waitMs The timeout of the reranking model. */
  constructor(retriever: Retriever, reranker: Reranker, waitMs: number) {
    this.#retriever = retriever;
    this.#reranker = reranker;
    this.#waitMs = waitMs;
  }

  async retrieve(query: string, topK: number, signal: AbortSignal): Promise<readonly Passage[]> {
    const found = await this.#retriever.retrieve(query, TOP_K.max, signal);
    const scores = found.length > 1 ? await this.#scores(query, found, signal) : undefined;
    if (scores === undefined) return found.slice(0, topK);
    return (
      found
        .map((passage, i) => ({ ...passage, relevance: scores[i] ?? 0 }))
        // Equal scores keep their order.
        .sort((a, b) => b.relevance - a.relevance)
        .slice(0, topK)
    );
  }

  /** Undefined if the model gave none. */
  async #scores(
    query: string,
    passages: readonly Passage[],
    signal: AbortSignal,
  ): Promise<readonly number[] | undefined> {
    const message = `The reranking model gave no answer within ${this.#waitMs} ms.`;
    try {
      return await withTimeout(
        this.#waitMs,
        () => new ServiceError("RETRIEVAL_FAILED", message),
        (either) => this.#reranker.rerank(query, passages.map(textOf), either),
        signal,
      );
    } catch (error) {
      signal.throwIfAborted();
      console.error("The reranking failed; the passages keep their order:", reasonOf(error));
      return undefined;
    }
  }
}

/** Title and headings give the context. */
function textOf({ title, heading, text }: Passage): string {
  return [title, ...heading, text].join("\n");
}
