// A search that is asked again, and what changes between.

import { runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Documents } from "../../src/corpus/documents.ts";
import { RecentSearches } from "../../src/corpus/recent-searches.ts";
import { newCorpus } from "./new-corpus.ts";
import { rowsOf } from "./sql-rows.ts";

describe("recent searches", () => {
  it("are bounded in number and length, and lose the least recent first", () => {
    const recent = new RecentSearches<{ text: string }>();
    for (let i = 0; i < 501; i++) {
      recent.add(`query ${i}`, 5, [{ text: "short" }]);
      recent.get("query 0", 5);
    }
    expect(recent.get("query 0", 5)).toEqual([{ text: "short" }]);
    expect(recent.get("query 0", 6)).toBeUndefined();
    expect(recent.get("query 1", 5)).toBeUndefined();
    expect(recent.get("query 2", 5)).toBeDefined();
    const long = { text: "x".repeat(2_500_000) };
    recent.add("long", 5, [long]);
    recent.add("longer", 5, [long]);
    expect(recent.get("long", 5)).toBeUndefined();
    expect(recent.get("longer", 5)).toBeDefined();
    recent.add("too long", 5, [long, long]);
    expect(recent.get("too long", 5)).toBeUndefined();
    expect(recent.get("longer", 5)).toBeDefined();
  });

  it("read nothing but the number of passages the second time", async () => {
    const { stub, put } = newCorpus();
    await put("pond", { title: "Pond", text: "Clean the pond in October." });
    await runInDurableObject(stub, async (object, { storage }) => {
      const first = object.search("When to clean the pond?", 5);
      expect(first).toHaveLength(1);
      let again: unknown;
      const rows = await rowsOf(storage.sql, () => {
        again = object.search("When to clean the pond?", 5);
      });
      expect(again).toEqual(first);
      expect(rows).toEqual({ read: 1, written: 0 });
    });
  });

  it("are what a new object finds, after any changes and failed ones", async () => {
    const words = fc.constantFrom("pond", "october", "clean", "roses", "prune");
    const text = fc.array(words, { minLength: 1, maxLength: 6 }).map((all) => all.join(" "));
    const id = fc.constantFrom("a", "b", "c");
    const change = fc.oneof(
      fc.record({ kind: fc.constantFrom("put", "fail"), id, text }),
      fc.record({ kind: fc.constant("delete"), id, text }),
    );
    const { stub, put } = newCorpus();
    await put("first", { title: "First", text: "pond" });
    await runInDurableObject(stub, async (_, { storage }) => {
      const documents = new Documents(storage);
      fc.assert(
        fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
          for (const { kind, id, text } of changes) {
            const document = { id, title: id, url: null, text, sample: false };
            if (kind === "delete") documents.delete(id);
            else if (kind === "put") documents.put(document, 1, crypto.randomUUID(), 0);
            else {
              const fail = () => {
                documents.put(document, 1, crypto.randomUUID(), 0);
                throw new Error("undone");
              };
              expect(() => storage.transactionSync(fail)).toThrow("undone");
            }
            for (const query of ["pond", "prune roses", "clean in october"]) {
              expect(documents.search(query, 3)).toEqual(new Documents(storage).search(query, 3));
            }
          }
        }),
        { numRuns: 25 },
      );
    });
  });
});
