// What is searched in memory, against FTS5.

import fc from "fast-check";
import { expect, it } from "vitest";
import { type Hit, Postings } from "../../src/corpus/postings.ts";
import { rowsOf } from "./sql-rows.ts";
import { byFts5, known, withIndex } from "./term-index.ts";

const TERMS = ["stone", "river", "bridge", "castle", "market"];

it("gives the passages, the order and the scores of FTS5", async () => {
  const passage = fc.array(fc.constantFrom(...TERMS), { maxLength: 6 });
  const queries = fc.array(
    fc.tuple(fc.shuffledSubarray(TERMS, { minLength: 1 }), fc.integer({ min: 1, max: 20 })),
    { minLength: 1, maxLength: 5 },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(passage, { maxLength: 40 }), queries, async (passages, asked) => {
      await withIndex(passages, (sql) => {
        const postings = new Postings(sql);
        for (const [words, limit] of asked) {
          const terms = known(sql, words);
          if (terms.length === 0) continue;
          const saved = postings.best(terms, limit);
          expect(saved ?? postings.best(terms, limit)).toEqual(byFts5(sql, terms, limit));
        }
      });
    }),
    { numRuns: 40 },
  );
});

it("reads the terms of a query together and once, as soon as earlier searches have saved 300 rows each for them", async () => {
  const passages = Array.from({ length: 1_000 }, (_, i) =>
    i < 10 ? ["stone", "river"] : ["stone"],
  );
  await withIndex(passages, async (sql) => {
    const postings = new Postings(sql);
    const read = async (...terms: string[]) => {
      const asked = known(sql, terms);
      let found: readonly Hit[] | undefined;
      const rows = await rowsOf(sql, () => {
        found = postings.best(asked, 3);
      });
      return { rows: rows.read, ids: found?.map(({ id }) => id) };
    };
    expect(await read("river", "stone")).toEqual({ rows: 0, ids: undefined });
    expect(await read("river")).toEqual({ rows: 10, ids: [1, 2, 3] });
    expect(await read("river")).toEqual({ rows: 0, ids: [1, 2, 3] });
    expect(await read("river", "stone")).toEqual({ rows: 0, ids: undefined });
    expect(await read("river", "stone")).toEqual({ rows: 1_000, ids: [1, 2, 3] });
    // Shorter passages score higher.
    expect(await read("stone")).toEqual({ rows: 0, ids: [11, 12, 13] });
    postings.forget();
    expect(await read("river")).toEqual({ rows: 10, ids: [1, 2, 3] });
  });
});

it("holds a bounded number of postings, and drops the term that was searched for longest ago", async () => {
  const terms = Array.from({ length: 25 }, (_, i) => `term${i}`);
  const passages = Array.from({ length: 30_000 }, () => terms);
  await withIndex(passages, async (sql) => {
    const postings = new Postings(sql);
    const readOf = async (term: string) =>
      (await rowsOf(sql, () => postings.best([{ term, passages: 30_000 }], 1))).read;
    for (const term of terms) {
      let read = 0;
      for (let i = 0; i <= 100 && read === 0; i++) read = await readOf(term);
      expect(read, term).toBe(30_000);
    }
    expect(await readOf(terms[24] ?? "")).toBe(0);
    for (let i = 0; i < 100; i++) await readOf(terms[24] ?? "");
    expect(await readOf(terms[0] ?? "")).toBe(30_000);
  });
});
