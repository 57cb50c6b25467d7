// The retriever that looks for passages that mean what the query means, whatever their words: the
// nearest vectors in the index, and the passages of their ids in the corpus object.

import type { Passage, Retriever } from "../answer/retriever.ts";
import type { Corpus } from "../corpus/corpus.ts";
import type { Embedder, VectorIndex } from "../corpus/embedder.ts";

/**
 * More vectors are looked up than passages are wanted: of documents that were replaced, some may not
 * have been removed yet.
 */
const NEAREST = 50;

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
    const ids = await this.#index.nearest(vector, NEAREST, signal);
    signal.throwIfAborted();
    return this.#corpus.passagesOf(ids, query, topK);
  }
}
