// Full-text search in the corpus.

import type { Passage, Retriever } from "../answer/retriever.ts";
import type { Corpus } from "../corpus/corpus.ts";

export class FullTextRetriever implements Retriever {
  readonly #corpus: Corpus;

  constructor(corpus: Corpus) {
    this.#corpus = corpus;
  }

  async retrieve(query: string, topK: number, signal: AbortSignal): Promise<readonly Passage[]> {
    signal.throwIfAborted();
    // A search takes milliseconds, so it cannot be cancelled.
    return this.#corpus.search(query, topK);
  }
}
