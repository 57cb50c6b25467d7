// How many passages have a term, and what a search reads to know it.

import { runInDurableObject } from "cloudflare:test";
import { expect, it, vi } from "vitest";
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

it("lists all terms in steps, after which unknown ones are known to be in no passage", async () => {
  const { stub, put } = newCorpus();
  const words = Array.from({ length: 25 }, (_, i) => `word${i}`);
  await put("a", { title: "A", text: words.join(" ") });
  await put("b", { title: "B", text: "word7 中文 𠀀𠀁" });
  await runInDurableObject(stub, async (_, { storage }) => {
    const vocabulary = new Vocabulary(storage.sql);
    const rowsRead = async (work: () => unknown) => (await rowsOf(storage.sql, work)).read;
    const { terms } = storage.sql
      .exec<{ terms: number }>("SELECT count(*) AS terms FROM vocabulary")
      .one();
    const steps: number[] = [];
    for (let i = 0; i <= Math.ceil(terms / 10); i++) {
      steps.push(await rowsRead(() => vocabulary.list(10)));
    }
    expect(Math.max(...steps)).toBeLessThanOrEqual(11);
    expect(steps.at(-1)).toBe(0);
    // The last one sorts behind the terms of copies, which are not listed.
    const asked = ["word7", "unknown", "word24", "𠀀𠀁"];
    let found: ReadonlyMap<string, number> = new Map();
    const read = () =>
      rowsRead(() => {
        found = vocabulary.frequencies(asked, 50);
      });
    const known = [
      ["word7", 2],
      ["unknown", 0],
      ["word24", 1],
      ["𠀀𠀁", 1],
    ];
    expect([await read(), [...found]]).toEqual([1, known]);
    expect([await read(), [...found]]).toEqual([0, known]);
    vocabulary.forget();
    expect([await read(), [...found]]).toEqual([3, known]);
    // Without rows to spare nothing is listed.
    expect(await rowsRead(() => vocabulary.list(0))).toBe(0);
  });
});

it.for([
  ["while it lists them", 2, (i: number) => `unknown${i}`],
  // These are never listed.
  ["once it has listed all", 50, (i: number) => `𠀀${i}`],
] as const)(
  "knows its terms after more than it keeps were asked for, %s",
  async ([, rows, name]) => {
    const { stub, put } = newCorpus();
    await put("a", { title: "A", text: "alpha beta gamma delta" });
    await runInDurableObject(stub, (_, { storage }) => {
      const vocabulary = new Vocabulary(storage.sql);
      vocabulary.list(rows);
      vocabulary.frequencies(
        Array.from({ length: 40_100 }, (_, i) => name(i)),
        50,
      );
      for (let i = 0; i < 5; i++) vocabulary.list(rows);
      const terms = ["alpha", "beta", "gamma", "delta"];
      expect([...vocabulary.frequencies(terms, 50).values()]).toEqual([1, 1, 1, 1]);
    });
  },
);

it("looks for a pair of terms once until a passage changes", async () => {
  const { stub, put } = newCorpus();
  await put("a", { title: "A", text: "Node 20 and Deno 2" });
  await runInDurableObject(stub, async (_, { storage }) => {
    const vocabulary = new Vocabulary(storage.sql);
    const exec = vi.fn(storage.sql.exec.bind(storage.sql));
    storage.sql.exec = exec as typeof storage.sql.exec;
    expect(vocabulary.hasNeighbours("node", "20")).toBe(true);
    expect(vocabulary.hasNeighbours("node", "2")).toBe(false);
    expect(exec).toHaveBeenCalledTimes(2);
    expect(vocabulary.hasNeighbours("node", "20")).toBe(true);
    expect(vocabulary.hasNeighbours("node", "2")).toBe(false);
    expect(exec).toHaveBeenCalledTimes(2);
    vocabulary.forget();
    expect(vocabulary.hasNeighbours("node", "20")).toBe(true);
    expect(exec).toHaveBeenCalledTimes(3);
  });
});
