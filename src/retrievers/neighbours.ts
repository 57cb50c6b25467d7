// The passages of another search with those before and after them
// in their sections, for models: an answer may go on where a
// passage was cut. The prompt takes them where it has room.

import type { Neighbour, Passage, Retriever } from "../answer/retriever.ts";

type Place = Pick<Passage, "heading" | "url">;
type PlacedPassage = Omit<Passage, "score">;

/** Where passages are read by their ids. A corpus is one. */
export interface Places {
  /** Those of these passages that exist, at most 10, in no order. */
  passagesAt(
    ids: readonly string[],
    collection: string | undefined,
  ): readonly PlacedPassage[] | Promise<readonly PlacedPassage[]>;
}

/** The best passages only: each neighbour reads rows. */
const PASSAGES_MAX = 5;

export class NeighboursRetriever implements Retriever {
  readonly #retriever: Retriever;
  readonly #places: Places;

  constructor(retriever: Retriever, places: Places) {
    this.#retriever = retriever;
    this.#places = places;
  }

  async retrieve(query: string, topK: number, signal: AbortSignal): Promise<readonly Passage[]> {
    const found = await this.#retriever.retrieve(query, topK, signal);
    const known = new Set(found.map(({ id, collection }) => keyOf(id, collection)));
    const wanted = new Map<string | undefined, Set<string>>();
    for (const passage of found.slice(0, PASSAGES_MAX)) {
      const { collection } = passage;
      for (const id of [beside(passage, -1), beside(passage, 1)]) {
        if (known.has(keyOf(id, collection))) continue;
        wanted.set(collection, (wanted.get(collection) ?? new Set()).add(id));
      }
    }
    if (wanted.size === 0) return found;
    signal.throwIfAborted();
    const read = await Promise.all(
      Array.from(wanted, async ([collection, ids]) =>
        (await this.#places.passagesAt([...ids], collection)).map(
          (passage) => [keyOf(passage.id, collection), passage] as const,
        ),
      ),
    );
    const byKey = new Map(read.flat());
    // Between two passages that were found, one is given once.
    const take = (passage: Passage, distance: number): Neighbour | undefined => {
      const key = keyOf(beside(passage, distance), passage.collection);
      const neighbour = byKey.get(key);
      if (neighbour === undefined || !isSameSection(passage, neighbour)) return undefined;
      byKey.delete(key);
      return neighbour;
    };
    return found.map((passage) => ({
      ...passage,
      after: take(passage, 1),
      before: take(passage, -1),
    }));
  }
}

/** The id of a passage that is near in the document. */
function beside({ id, documentId }: Passage, distance: number): string {
  return `${documentId}#${Number(id.slice(documentId.length + 1)) + distance}`;
}

/** Two collections may have documents with the same id. */
function keyOf(id: string, collection = ""): string {
  return `${collection}/${id}`;
}

function isSameSection(a: Place, b: Place): boolean {
  return a.url === b.url && JSON.stringify(a.heading) === JSON.stringify(b.heading);
}
