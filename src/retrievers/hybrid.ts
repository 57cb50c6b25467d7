// The retriever that searches by words and by vectors, and fuses what both find. Where the vectors fail
// or take too long, the words answer alone.

import type { Passage, Retriever } from "../answer/retriever.ts";
import { withTimeout } from "../deadline.ts";
import { reasonOf, ServiceError } from "../errors.ts";
import { fuse } from "./reciprocal-rank.ts";

/** Of each list: the most that a search may want, so that none costs the corpus object more. */
const CANDIDATES = 20;

export class HybridRetriever implements Retriever {
  readonly #words: Retriever;
  readonly #vectors: Retriever;
  readonly #waitMs: number;

  /** `waitMs`: how long the words wait for the vectors. */
  constructor(words: Retriever, vectors: Retriever, waitMs: number) {
    this.#words = words;
    this.#vectors = vectors;
    this.#waitMs = waitMs;
  }

  async retrieve(query: string, topK: number, signal: AbortSignal): Promise<readonly Passage[]> {
    const found = await Promise.all([
      this.#words.retrieve(query, CANDIDATES, signal),
      this.#near(query, signal),
    ]);
    return fuse(found).slice(0, topK);
  }

  async #near(query: string, signal: AbortSignal): Promise<readonly Passage[]> {
    try {
      return await withTimeout(
        this.#waitMs,
        () =>
          new ServiceError(
            "RETRIEVAL_FAILED",
            `The search by vectors gave no answer within ${this.#waitMs} ms.`,
          ),
        (either) => this.#vectors.retrieve(query, CANDIDATES, either),
        signal,
      );
    } catch (error) {
      signal.throwIfAborted();
      console.error(
        "The vectors could not be searched, and the words answered alone:",
        reasonOf(error),
      );
      return [];
    }
  }
}
