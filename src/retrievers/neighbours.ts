// The passages of another search with those before and after them
// in their sections, for models: an answer may go on where a
// passage was cut. The prompt takes them where it has room.

import type { Neighbour, Passage, Retriever } from "../answer/retriever.ts";
import type { Corpus } from "../corpus/corpus.ts";

type Place = Pick<Passage, "heading" | "url">;

/** The best passages only: each neighbour reads rows. */
const PASSAGES_MAX = 5;

export class NeighboursRetriever implements Retriever {
  readonly #retriever: Retriever;
  readonly #corpus: Pick<Corpus, "passagesAt">;

  constructor(retriever: Retriever, corpus: Pick<Corpus, "passagesAt">) {
    this.#retriever = retriever;
    this.#corpus = corpus;
  }

  async retrieve(query: string, topK: number, signal: AbortSignal): Promise<readonly Passage[]> {
    const found = await this.#retriever.retrieve(query, topK, signal);
    const known = new Set(found.map(({ id }) => id));
    const wanted = new Set(
      found
        .slice(0, PASSAGES_MAX)
        .flatMap((passage) => [beside(passage, -1), beside(passage, 1)])
        .filter((id) => !known.has(id)),
    );
    if (wanted.size === 0) return found;
    signal.throwIfAborted();
    const read = await this.#corpus.passagesAt([...wanted]);
    const byId = new Map(read.map((passage) => [passage.id, passage]));
    // Between two passages that were found, one is given once.
    const take = (passage: Passage, distance: number): Neighbour | undefined => {
      const id = beside(passage, distance);
      const neighbour = byId.get(id);
      if (neighbour === undefined || !isSameSection(passage, neighbour)) return undefined;
      byId.delete(id);
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

function isSameSection(a: Place, b: Place): boolean {
  return a.url === b.url && JSON.stringify(a.heading) === JSON.stringify(b.heading);
}
