// The retriever that needs nothing else: the full-text search of the corpus object.

import type { Passage, Retriever } from "../answer/retriever.ts";
import type { Corpus } from "../corpus/corpus.ts";

export class FullTextRetriever implements Retriever {
  readonly #corpus: Corpus;

  constructor(corpus: Corpus) {
    this.#corpus = corpus;
  }

  async retrieve(query: string, topK: number, signal: AbortSignal): Promise<readonly Passage[]> {
    signal.throwIfAborted();
    // A search takes milliseconds: it is not worth calling off.
    return this.#corpus.search(query, topK);
  }
}
