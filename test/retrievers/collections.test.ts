// The search in several collections: it finds what one index of all their
// documents finds, in the same order, whichever documents are where.

import { describe, expect, it } from "vitest";
import { NO_TERMS } from "../../src/corpus/query-terms.ts";
import { CollectionsFullText, CollectionsVectors } from "../../src/retrievers/collections.ts";
import { newCorpus } from "../corpus/new-corpus.ts";

const signal = new AbortController().signal;

const DOCUMENTS: Readonly<Record<string, string>> = {
  ferrets: "# Sleep\n\nA ferret sleeps in a hammock for eighteen hours.\n\n# Food\n\nMeat, often.",
  hammocks: "# Hammock\n\nA hammock is hung between two trees. The hammock of a ferret is small.",
  cabins: "# Cabin\n\nThe cabin has a hammock, a stove and a ferret.\n\n# Stove\n\nOak burns long.",
  boats: "# Boat\n\nThe boat carries oak. Its hull was tarred in October.",
  trees: "# Oak\n\nAn oak grows for three hundred years. Hang nothing between young trees.",
  versions: "# Node 24\n\nThe server runs on Node 24.\n\n# Ports\n\nIt listens at port 24.",
  clocks: "# Clock\n\nThe clock in the cabin is wound in October.",
  empty: "x",
};
const QUERIES = [
  ...["ferret hammock", "How long does a ferret sleep?", "oak", "Node 24", "Node 99"],
  ...["When is the clock wound in October?", "hamock for ferets", "trees between", "zebra"],
];

/** By the number of a corpus, the documents that it has. */
async function filled(count: number, of: (i: number) => number) {
  const corpora = Array.from({ length: count }, () => newCorpus());
  for (const [i, [id, text]] of Object.entries(DOCUMENTS).entries()) {
    await corpora[of(i)]?.put(id, { title: id, text });
  }
  return corpora.map(({ stub }, i) => ({ collection: `c${i}`, corpus: stub }));
}

const seen = (passages: readonly { id: string; score: number; relevance?: number | undefined }[]) =>
  passages.map(({ id, score, relevance = 0 }) => [
    id,
    score.toFixed(6),
    // FTS5 takes a little for a word that half of all passages have.
    relevance.toFixed(3),
  ]);

describe("a search in several collections", () => {
  it.each([
    ["one document each", 8, (i: number) => i],
    ["two halves", 2, (i: number) => i % 2],
    ["all in one, and two empty", 3, () => 1],
  ])("finds what one index finds, with %s", async (_, count, of) => {
    const [all] = await filled(1, () => 0);
    const parts = await filled(count, of);
    const retriever = new CollectionsFullText(async () => parts);
    for (const query of QUERIES) {
      const found = await retriever.retrieve(query, 5, signal);
      const expected = await all?.corpus.search(query, 5);
      expect(seen(found), query).toEqual(seen(expected ?? []));
      for (const { documentId, collection } of found) {
        const i = Object.keys(DOCUMENTS).indexOf(documentId);
        expect(collection).toBe(`c${of(i)}`);
      }
    }
  });

  it("leaves the result of one collection as it is", async () => {
    const [one] = await filled(1, () => 0);
    if (one === undefined) throw new Error("There is no corpus.");
    const retriever = new CollectionsFullText(async () => [one]);
    const found = await retriever.retrieve("ferret hammock", 2, signal);
    expect(seen(found)).toEqual(seen(await one.corpus.search("ferret hammock", 2)));
    expect(found.map(({ collection }) => collection)).toEqual(["c0", "c0"]);
  });

  it("finds nothing where there is no collection", async () => {
    expect(await new CollectionsFullText(async () => []).retrieve("oak", 5, signal)).toEqual([]);
  });

  it("fails if one of them fails", async () => {
    const parts = await filled(2, (i) => i % 2);
    const broken = {
      termsOf: async () => NO_TERMS,
      search: () => Promise.reject(new Error("reset")),
    };
    const retriever = new CollectionsFullText(async () => [
      { collection: "broken", corpus: broken as never },
      ...parts,
    ]);
    await expect(retriever.retrieve("oak", 5, signal)).rejects.toThrow("reset");
  });
});

describe("a search by vectors in several collections", () => {
  const passage = (id: string) => ({
    ...{ id, documentId: id, title: id, heading: [], url: null, score: 1 },
    text: `The text of ${id}.`,
  });

  it("embeds the query once, and has the nearest of all first", async () => {
    const queries: string[] = [];
    const embedder = {
      model: "m",
      embed: async (texts: readonly string[]) => {
        queries.push(...texts);
        return [[1]];
      },
    };
    const near = { a: [0.9, 0.4], b: [0.7, 0.1] };
    const collections = Object.entries(near).map(([name, similarities]) => ({
      collection: name,
      index: {
        nearest: async () =>
          similarities.map((similarity, i) => ({ id: `${name}${i}`, similarity })),
      },
      corpus: {
        termsOf: () => NO_TERMS,
        passagesOf: (vectors: readonly { id: string; similarity: number }[]) =>
          vectors.map(({ id, similarity }) => ({ ...passage(id), relevance: similarity })),
      },
    }));
    const retriever = new CollectionsVectors(async () => collections as never, embedder);
    const found = await retriever.retrieve("near?", 3, signal);
    expect(found.map(({ id, collection }) => [id, collection])).toEqual([
      ["a0", "a"],
      ["b0", "b"],
      ["a1", "a"],
    ]);
    expect(queries).toEqual(["near?"]);
  });
});
