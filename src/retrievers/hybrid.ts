// Full-text and vector search, fused. If the vector search fails
// or takes too long, the full-text results are used alone.

import type { Passage, Retriever } from "../answer/retriever.ts";
import { withTimeout } from "../deadline.ts";
import { reasonOf, ServiceError } from "../errors.ts";
import { TOP_K } from "../protocol.ts";
import { withoutCopies } from "../text/copies.ts";
import { fuse } from "./fusion.ts";

export class HybridRetriever implements Retriever {
  readonly #fullText: Retriever;
  readonly #vectors: Retriever;
  readonly #waitMs: number;

  /** @param waitMs The timeout of the vector search. */
  constructor(fullText: Retriever, vectors: Retriever, waitMs: number) {
    this.#fullText = fullText;
    this.#vectors = vectors;
    this.#waitMs = waitMs;
  }

  async retrieve(query: string, topK: number, signal: AbortSignal): Promise<readonly Passage[]> {
    const found = await Promise.all([
      this.#fullText.retrieve(query, TOP_K.max, signal),
      this.#near(query, signal),
    ]);
    // The searches may have found different copies of one text.
    return withoutCopies(fuse(found)).slice(0, topK);
  }

  async #near(query: string, signal: AbortSignal): Promise<readonly Passage[]> {
    const message = `The vector search gave no answer within ${this.#waitMs} ms.`;
    try {
      return await withTimeout(
        this.#waitMs,
        () => new ServiceError("RETRIEVAL_FAILED", message),
        (either) => this.#vectors.retrieve(query, TOP_K.max, either),
        signal,
      );
    } catch (error) {
      signal.throwIfAborted();
      console.error("The vector search failed; full text answered alone:", reasonOf(error));
      return [];
    }
  }
}
