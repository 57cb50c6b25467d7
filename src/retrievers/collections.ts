// The searches in several collections. Each is searched by itself, so that one
// changes nothing in what another finds. Then what was found is scored again
// with what all of them count with, and so is in the order of one search.

import type { Embedder } from "../answer/embedder.ts";
import type { Passage, Retriever } from "../answer/retriever.ts";
import type { VectorIndex } from "../answer/vector-index.ts";
import type { Corpus } from "../corpus/corpus.ts";
import { JoinedScores } from "../corpus/joined-scores.ts";
import { TOP_K } from "../protocol.ts";
import { withoutCopies } from "../text/copies.ts";
import { NEAREST } from "./vector.ts";

/** A collection that exists. */
export interface SearchedCollection {
  /** Undefined for `default`. */
  readonly collection: string | undefined;
  readonly corpus: Corpus;
}

export interface SearchedVectors extends SearchedCollection {
  readonly index: VectorIndex;
}

export class CollectionsFullText implements Retriever {
  readonly #collections: () => Promise<readonly SearchedCollection[]>;

  constructor(collections: () => Promise<readonly SearchedCollection[]>) {
    this.#collections = collections;
  }

  async retrieve(query: string, topK: number, signal: AbortSignal): Promise<readonly Passage[]> {
    const collections = await this.#collections();
    signal.throwIfAborted();
    const found = await searched(query, topK, collections, ({ corpus }, count) =>
      corpus.search(query, count),
    );
    return best(found, topK, ({ bm25 }) => bm25);
  }
}

export class CollectionsVectors implements Retriever {
  readonly #collections: () => Promise<readonly SearchedVectors[]>;
  readonly #embedder: Embedder;

  constructor(collections: () => Promise<readonly SearchedVectors[]>, embedder: Embedder) {
    this.#collections = collections;
    this.#embedder = embedder;
  }

  async retrieve(query: string, topK: number, signal: AbortSignal): Promise<readonly Passage[]> {
    const [collections, [vector = []]] = await Promise.all([
      this.#collections(),
      this.#embedder.embed([query], signal),
    ]);
    const found = await searched(query, topK, collections, async ({ corpus, index }, count) => {
      const near = await index.nearest(vector, NEAREST, signal);
      signal.throwIfAborted();
      return corpus.passagesOf(near, query, count);
    });
    // How near a vector is, is the same in every collection.
    return best(found, topK, (_, similarity) => similarity);
  }
}

interface Found {
  readonly passages: readonly Passage[];
  /** Undefined if one collection alone has passages. */
  readonly scores: JoinedScores | undefined;
}

async function searched<Searched extends SearchedCollection>(
  query: string,
  topK: number,
  collections: readonly Searched[],
  search: (one: Searched, count: number) => Promise<readonly Passage[]> | readonly Passage[],
): Promise<Found> {
  const isOne = collections.length === 1;
  const all = await Promise.all(
    collections.map(async (one) => {
      const [passages, terms] = await Promise.all([
        search(one, isOne ? topK : TOP_K.max),
        isOne ? undefined : one.corpus.termsOf(query),
      ]);
      const { collection } = one;
      return { passages: passages.map((passage) => ({ ...passage, collection })), terms };
    }),
  );
  const known = all.flatMap(({ terms }) => terms ?? []);
  return {
    passages: all.flatMap(({ passages }) => passages),
    scores: isOne ? undefined : new JoinedScores(query, known),
  };
}

function best(
  { passages, scores }: Found,
  topK: number,
  relevanceOf: (scores: { readonly bm25: number }, relevance: number) => number,
): readonly Passage[] {
  if (scores === undefined) return passages;
  const scored = passages.map((passage) => {
    const { score, bm25 } = scores.of(passage);
    return { ...passage, score, relevance: relevanceOf({ bm25 }, passage.relevance ?? 0) };
  });
  return withoutCopies(scored.sort((a, b) => b.relevance - a.relevance)).slice(0, topK);
}
