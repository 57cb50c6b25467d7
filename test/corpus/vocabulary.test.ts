// How many passages have a term, and what a search reads to know it.

import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { Vocabulary } from "../../src/corpus/vocabulary.ts";
import { newCorpus } from "./new-corpus.ts";
import { rowsOf } from "./sql-rows.ts";

it("reads a row for each known term and none for others, once until a passage changes", async () => {
  const { stub, put } = newCorpus();
  await put("a", { title: "A", text: "alpha beta gamma" });
  await put("b", { title: "B", text: "alpha beta" });
  await runInDurableObject(stub, async (_, { storage }) => {
    const vocabulary = new Vocabulary(storage.sql);
    const read = async (terms: readonly string[], rowsMax: number) => {
      let found: ReadonlyMap<string, number> = new Map();
      const rows = await rowsOf(storage.sql, () => {
        found = vocabulary.frequencies(terms, rowsMax);
      });
      return { rows: rows.read, found: [...found] };
    };
    const terms = ["alpha", "unknown", "gamma", "beta"];
    const all = [
      ["alpha", 2],
      ["unknown", 0],
      ["gamma", 1],
      ["beta", 2],
    ];
    expect(await read(terms, 50)).toEqual({ rows: 3, found: all });
    expect(await read(terms, 50)).toEqual({ rows: 0, found: all });
    // What is known counts all the same, so that results stay the same.
    expect(await read(terms, 2)).toEqual({ rows: 0, found: all.slice(0, 3) });
    vocabulary.forget();
    const { rows, found } = await read(terms, 2);
    expect(found).toEqual(all.slice(0, 3));
    expect(rows).toBeLessThanOrEqual(2);
    // More than a statement takes.
    const many = Array.from({ length: 250 }, (_, i) => `unknown${i}`);
    expect((await read([...many, "beta"], 50)).found.at(-1)).toEqual(["beta", 2]);
  });
});
