// Search by meaning: the vectors nearest to the
// query's, and their passages in the corpus.

import type { Embedder } from "../answer/embedder.ts";
import type { Passage, Retriever } from "../answer/retriever.ts";
import type { VectorIndex } from "../answer/vector-index.ts";
import type { Corpus } from "../corpus/corpus.ts";

/**
 * More vectors than passages: vectors of replaced
 * documents may not have been removed yet.
 */
export const NEAREST = 50;

export class VectorRetriever implements Retriever {
  readonly #corpus: Corpus;
  readonly #embedder: Embedder;
  readonly #index: VectorIndex;

  constructor(corpus: Corpus, embedder: Embedder, index: VectorIndex) {
    this.#corpus = corpus;
    this.#embedder = embedder;
    this.#index = index;
  }

  async retrieve(query: string, topK: number, signal: AbortSignal): Promise<readonly Passage[]> {
    const [vector = []] = await this.#embedder.embed([query], signal);
    const near = await this.#index.nearest(vector, NEAREST, signal);
    signal.throwIfAborted();
    return this.#corpus.passagesOf(near, query, topK);
  }
}
