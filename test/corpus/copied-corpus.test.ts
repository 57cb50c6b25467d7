// When a user's search reads a copy, and when the original.

import { afterEach, describe, expect, it, vi } from "vitest";
import type { Passage } from "../../src/answer/retriever.ts";
import { CopiedCorpus, copyOf, type ReadableCopy } from "../../src/corpus/copied-corpus.ts";
import { NO_TERMS } from "../../src/corpus/query-terms.ts";

const passage = (id: string): Passage => ({
  ...{ id, documentId: "a", title: "A", heading: [], url: null, text: "A.", score: 1 },
});
const ORIGINAL = [passage("original#1")];
const COPIED = [passage("copy#1")];
const ORIGINAL_TERMS = { ...NO_TERMS, passages: 2 };
const COPIED_TERMS = { ...NO_TERMS, passages: 1 };

/** @param read What the copy does. */
function newCorpus(read: () => Promise<Passage[] | undefined>) {
  const copy = {
    ...{ search: vi.fn(read), searchForPrompt: vi.fn(read) },
    ...{ passagesOf: vi.fn(read), passagesAt: vi.fn(read) },
    termsOf: vi.fn(async () => (await read()) && COPIED_TERMS),
  };
  const original = {
    termsOf: () => ORIGINAL_TERMS,
    search: () => ORIGINAL,
    searchForPrompt: () => ORIGINAL,
    passagesOf: () => ORIGINAL,
    passagesAt: () => ORIGINAL,
  };
  const name = crypto.randomUUID();
  const corpus = new CopiedCorpus(original, copy satisfies ReadableCopy, name);
  const readAll = async () => [
    await corpus.search("pond", 5),
    await corpus.searchForPrompt("pond", 5),
    await corpus.passagesOf([{ id: "v", similarity: 1 }], "pond", 5),
    await corpus.passagesAt(["a#1"]),
  ];
  return { copy, corpus, readAll };
}

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a copy", () => {
  it("says what is known of the words of a query, and else the original does", async () => {
    expect(await newCorpus(async () => COPIED).corpus.termsOf("pond")).toBe(COPIED_TERMS);
    expect(await newCorpus(async () => undefined).corpus.termsOf("pond")).toBe(ORIGINAL_TERMS);
  });

  it("answers every read", async () => {
    const { copy, readAll } = newCorpus(async () => COPIED);
    expect(await readAll()).toEqual([COPIED, COPIED, COPIED, COPIED]);
    expect(copy.search).toHaveBeenCalledWith("pond", 5);
    expect(copy.searchForPrompt).toHaveBeenCalledWith("pond", 5);
    expect(copy.passagesOf).toHaveBeenCalledWith([{ id: "v", similarity: 1 }], "pond", 5);
    expect(copy.passagesAt).toHaveBeenCalledWith(["a#1"]);
  });

  it("that finds nothing is believed", async () => {
    const { readAll } = newCorpus(async () => []);
    expect(await readAll()).toEqual([[], [], [], []]);
  });

  it("that is new or behind leaves the answer to the original, and is asked again", async () => {
    const { copy, readAll } = newCorpus(async () => undefined);
    expect(await readAll()).toEqual([ORIGINAL, ORIGINAL, ORIGINAL, ORIGINAL]);
    expect(copy.passagesAt).toHaveBeenCalled();
  });

  it("that fails is left alone for five seconds", async () => {
    vi.useFakeTimers();
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const { copy, readAll } = newCorpus(() => Promise.reject(new Error("The copy died.")));
    expect(await readAll()).toEqual([ORIGINAL, ORIGINAL, ORIGINAL, ORIGINAL]);
    expect(copy.search).toHaveBeenCalledTimes(1);
    expect(copy.passagesOf).not.toHaveBeenCalled();
    expect(error).toHaveBeenCalledOnce();
    copy.search.mockResolvedValue(COPIED);
    vi.advanceTimersByTime(5_000);
    expect((await readAll())[0]).toEqual(COPIED);
  });

  it("that does not answer is waited for a second, and then left alone", async () => {
    vi.useFakeTimers();
    vi.spyOn(console, "error").mockImplementation(() => {});
    const { copy, corpus } = newCorpus(() => new Promise(() => {}));
    const found = corpus.search("pond", 5);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await found).toEqual(ORIGINAL);
    expect(await corpus.search("pond", 5)).toEqual(ORIGINAL);
    expect(copy.search).toHaveBeenCalledTimes(1);
  });
});

it("spreads users evenly over the copies, each always to the same", () => {
  const readers = new Map<number, number>();
  for (let i = 0; i < 16_000; i++) {
    const user = crypto.randomUUID();
    const copy = copyOf(user, 16);
    expect(copyOf(user, 16)).toBe(copy);
    readers.set(copy, (readers.get(copy) ?? 0) + 1);
  }
  expect([...readers.keys()].sort((a, b) => a - b)).toEqual(
    Array.from({ length: 16 }, (_, i) => i + 1),
  );
  for (const count of readers.values()) expect(Math.abs(count - 1_000)).toBeLessThan(200);
});
