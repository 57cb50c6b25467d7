// The Vectorize adapter against a fake with the real limits.

import { describe, expect, test } from "vitest";
import type { Vector } from "../../src/answer/embedder.ts";
import { VectorizeIndex } from "../../src/embedders/vectorize.ts";
import { FakeVectorize } from "./fake-vectorize.ts";

const signal = new AbortController().signal;

describe("the index", () => {
  test("returns the nearest ids with their similarity, nearest first", async () => {
    const { index } = newIndex();
    await index.put(vectors({ east: [1, 0], north: [0, 1], northeast: [1, 1] }), signal);
    expect(await index.nearest([3, 0.1], 2, signal)).toEqual([
      { id: "east", similarity: expect.closeTo(0.999, 3) },
      { id: "northeast", similarity: expect.closeTo(0.73, 1) },
    ]);
  });

  test("replaces the vector of an id", async () => {
    const { index, standIn } = newIndex();
    await index.put(vectors({ a: [1, 0] }), signal);
    await index.put(vectors({ a: [0, 1] }), signal);
    expect([...standIn.vectors]).toEqual([["a", [0, 1]]]);
  });

  test("says whether it is empty", async () => {
    const { index } = newIndex();
    expect(await index.isEmpty(signal)).toBe(true);
    await index.put(vectors({ a: [1, 0] }), signal);
    expect(await index.isEmpty(signal)).toBe(false);
  });

  test("removes ids, and ignores unknown ones", async () => {
    const { index, standIn } = newIndex();
    const ids = Array.from({ length: 100 }, (_, i) => `id ${i}`);
    await index.put(vectors(Object.fromEntries(ids.map((id) => [id, [1, 1]]))), signal);
    await index.remove([...ids.slice(0, 99), "nobody's"], signal);
    expect([...standIn.vectors.keys()]).toEqual(["id 99"]);
  });

  test("sends no request if there is nothing to put", async () => {
    const { index, standIn } = newIndex();
    standIn.fault = () => {
      throw new Error("It was asked.");
    };
    await index.put(new Map(), signal);
  });
});

describe("a failure of the index", () => {
  test("is RETRIEVAL_FAILED with the error code, quoting nothing else", async () => {
    const { index } = newIndex();
    await expect(index.nearest([1, 2, 3], 5, signal)).rejects.toMatchObject({
      code: "RETRIEVAL_FAILED",
      message: "The vector index failed (Vectorize error 40006).",
    });
    await expect(index.put(vectors({ a: [1] }), signal)).rejects.toMatchObject({
      message: expect.stringContaining("40012"),
    });
  });

  test("is the signal's reason once it aborts, even while the binding is busy", async () => {
    const { index, standIn } = newIndex();
    standIn.fault = () => new Promise(() => {});
    const controller = new AbortController();
    const search = index.nearest([1, 0], 5, controller.signal);
    controller.abort(new Error("the user disconnected"));
    await expect(search).rejects.toThrow("the user disconnected");
  });
});

describe("the fake", () => {
  const long = "x".repeat(65);
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ id: `${i}`, values: [1, 0] }));
  test.each<[string, (standIn: FakeVectorize) => Promise<unknown>, number]>([
    ["an id of more than 64 bytes", (it) => it.upsert([{ id: long, values: [1, 0] }]), 40008],
    ["another number of dimensions", (it) => it.upsert([{ id: "a", values: [1] }]), 40012],
    ["what is no number", (it) => it.upsert([{ id: "a", values: [1, Number.NaN] }]), 40026],
    ["more than 1,000 vectors at once", (it) => it.upsert(many(1_001)), 40007],
    ["to delete more than 100", (it) => it.deleteByIds(many(101).map(({ id }) => id)), 40007],
    ["to find more than 100", (it) => it.query([1, 0], { topK: 101 }), 40025],
    ["more than 20 with values", (it) => it.query([1, 0], { topK: 21, returnValues: true }), 40025],
    ["false for no metadata", (it) => it.query([1, 0], { returnMetadata: false }), 40026],
  ])("refuses %s, as Vectorize does", async (_, call, code) => {
    await expect(call(new FakeVectorize({ dimensions: 2 }))).rejects.toThrow(`code = ${code}`);
  });

  test("finds new vectors only after a while", async () => {
    const standIn = new FakeVectorize({ dimensions: 2, lagMs: 50 });
    await standIn.upsert([{ id: "a", values: [1, 0] }]);
    expect((await standIn.query([1, 0])).matches).toEqual([]);
    await expect.poll(async () => (await standIn.query([1, 0])).matches).toHaveLength(1);
  });
});

function newIndex() {
  const standIn = new FakeVectorize({ dimensions: 2 });
  return { standIn, index: new VectorizeIndex(standIn as unknown as Vectorize, "one") };
}

function vectors(all: Record<string, Vector>): ReadonlyMap<string, Vector> {
  return new Map(Object.entries(all));
}
