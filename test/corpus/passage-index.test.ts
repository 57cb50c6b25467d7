// The order of matches, against a plain query for all terms.

import { runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { expect, it } from "vitest";
import { PassageIndex } from "../../src/corpus/passage-index.ts";
import { Vocabulary } from "../../src/corpus/vocabulary.ts";
import { WantedTerms } from "../../src/corpus/wanted-terms.ts";
import { matchQuery, queryWords } from "../../src/text/analyzer.ts";
import { newCorpus } from "./new-corpus.ts";
import { rowsOf } from "./sql-rows.ts";

/** From common to rare: each is in about two thirds as many passages. */
const WORDS = "stone river bridge castle market harbour tower garden mill lantern".split(" ");

/** A generator of numbers in [0, 1), the same at each run. */
function lcg(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

it("finds what a query for all terms would find first, and reads few rows", async () => {
  const { stub, put } = newCorpus();
  await put("first", { title: "First", text: "stone" });
  await runInDurableObject(stub, async (_, { storage }) => {
    const { sql } = storage;
    const index = new PassageIndex(sql);
    const random = lcg(1);
    const passages = Array.from({ length: 1_500 }, (_, i) => {
      const words = WORDS.filter((_, rank) => random() < 0.4 * 0.66 ** rank).flatMap((word) =>
        Array.from({ length: 1 + Math.floor(3 * random() ** 3) }, () => word),
      );
      const rest = Array.from(
        { length: 1 + Math.floor(20 * random()) },
        (_, n) => `w${(7 * i + n) % 97}`,
      );
      const text = [...words, ...rest].join(" ");
      return { documentId: "many", place: i + 1, title: "Many", heading: [], url: null, text };
    });
    storage.transactionSync(() => {
      const stored = passages.map((passage) => ({ ...passage, blocks: [] }));
      // BM25 counts with what was deleted, too.
      index.remove(index.add(stored.slice(0, 750), 0), 750);
      index.add(stored, 0);
    });
    const count = passages.length + 1;
    const wanted = (query: string) =>
      new WantedTerms(queryWords(query), new Vocabulary(sql), count)
        .affordable(30_000)
        .map(({ term }) => term);
    const plain = (query: string, limit: number) =>
      sql
        .exec<{ score: number }>(
          `SELECT -rank AS score FROM passage_terms WHERE passage_terms MATCH ?
           ORDER BY rank LIMIT ?`,
          ...[matchQuery(wanted(query)), limit],
        )
        .toArray()
        .map(({ score }) => score.toFixed(9));
    const queries = fc.subarray(WORDS, { minLength: 2 });
    const rowsRead: number[] = [];
    await fc.assert(
      fc.asyncProperty(queries, fc.integer({ min: 1, max: 20 }), async (words, topK) => {
        const query = words.join(" ");
        let found: readonly string[] = [];
        const rows = await rowsOf(sql, () => {
          found = index.search(query, topK, count).map(({ relevance }) => relevance.toFixed(9));
        });
        expect(found).toEqual(plain(query, topK));
        rowsRead.push(rows.read);
      }),
      { numRuns: 60 },
    );
    // At most 100 for each, and 300 that go into memory.
    expect(rowsRead.reduce((sum, rows) => sum + rows, 0)).toBeLessThanOrEqual(
      400 * rowsRead.length,
    );
    // A new query of terms that are in memory reads the passages that it finds.
    expect(rowsRead.slice(-10).filter((rows) => rows <= 20)).not.toEqual([]);
  });
});

it("finds another passage that gets the id of a deleted one as it is", async () => {
  const { stub, put } = newCorpus();
  await put("first", { title: "First", text: "stone" });
  await runInDurableObject(stub, async (_, { storage }) => {
    const index = new PassageIndex(storage.sql);
    const facts = { documentId: "d", place: 1, title: "T", heading: [], url: null, blocks: [] };
    storage.transactionSync(() => index.addAt(50, [{ ...facts, text: "The bridge is old." }]));
    expect(index.search("bridge", 5, 2).map(({ text }) => text)).toEqual(["The bridge is old."]);
    storage.transactionSync(() => {
      index.remove(50, 1);
      index.addAt(50, [{ ...facts, heading: ["Mill"], text: "The bridge is new." }]);
    });
    const found = index.search("bridge", 5, 2);
    expect(found).toMatchObject([{ heading: ["Mill"], text: "The bridge is new." }]);
  });
});
