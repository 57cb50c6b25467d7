// The passages of another search with their neighbours, for models. The prompt
// takes them where it has room. A search that is full-text alone reads them
// itself: see passage-index.ts.

import type { Passage, Retriever } from "../answer/retriever.ts";
import { NEIGHBOURED_MAX, neighbourIds, withNeighbours } from "../corpus/neighbours.ts";

type PlacedPassage = Omit<Passage, "score">;

/** Where passages are read by their ids. A corpus is one. */
export interface Places {
  /** Those of these passages that exist, at most 10, in no order. */
  passagesAt(
    ids: readonly string[],
    collection: string | undefined,
  ): readonly PlacedPassage[] | Promise<readonly PlacedPassage[]>;
}

export class NeighboursRetriever implements Retriever {
  readonly #retriever: Retriever;
  readonly #places: Places;

  constructor(retriever: Retriever, places: Places) {
    this.#retriever = retriever;
    this.#places = places;
  }

  async retrieve(query: string, topK: number, signal: AbortSignal): Promise<readonly Passage[]> {
    const found = await this.#retriever.retrieve(query, topK, signal);
    signal.throwIfAborted();
    const best = new Set(found.slice(0, NEIGHBOURED_MAX));
    // Two collections may have documents with the same id.
    const byCollection = Map.groupBy(found, ({ collection }) => collection);
    const all = await Promise.all(
      Array.from(byCollection, async ([collection, passages]) => {
        const wanted = neighbourIds(
          passages.filter((passage) => best.has(passage)),
          passages,
        );
        if (wanted.length === 0) return passages;
        return withNeighbours(passages, await this.#places.passagesAt(wanted, collection));
      }),
    );
    const placeOf = new Map(found.map(({ id, collection }, i) => [keyOf(id, collection), i]));
    const place = ({ id, collection }: Passage) => placeOf.get(keyOf(id, collection)) ?? 0;
    return all.flat().sort((a, b) => place(a) - place(b));
  }
}

function keyOf(id: string, collection = ""): string {
  return `${collection}/${id}`;
}
