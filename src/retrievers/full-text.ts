// Full-text search in the corpus.

import type { Passage, Retriever } from "../answer/retriever.ts";
import type { Corpus } from "../corpus/corpus.ts";

export class FullTextRetriever implements Retriever {
  readonly #corpus: Corpus;
  readonly #isForPrompt: boolean;

  /** @param isForPrompt Whether passages come with their neighbours. */
  constructor(corpus: Corpus, isForPrompt = false) {
    this.#corpus = corpus;
    this.#isForPrompt = isForPrompt;
  }

  async retrieve(query: string, topK: number, signal: AbortSignal): Promise<readonly Passage[]> {
    signal.throwIfAborted();
    // A search takes milliseconds, so it cannot be cancelled.
    if (this.#isForPrompt) return this.#corpus.searchForPrompt(query, topK);
    return this.#corpus.search(query, topK);
  }
}
