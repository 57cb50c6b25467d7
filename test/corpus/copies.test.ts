// Copies of the documents: they show what the original shows, soon
// after it does, through crashes of both.

import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Alarm } from "../../src/alarm.ts";
import type { ChangePage } from "../../src/corpus/change-log.ts";
import { CopiedDocuments } from "../../src/corpus/copied-documents.ts";
import { CopyObject } from "../../src/corpus/copy-object.ts";
import { CorpusObject } from "../../src/corpus/corpus-object.ts";
import { EmbeddingModel } from "../embedders/embedding-model.ts";
import { FakeVectorize } from "../embedders/fake-vectorize.ts";
import { type AnswerBody, asOperator, newUser } from "../harness.ts";
import { Copied, rowsOfCopy } from "./copied.ts";

// Random changes and crashes take a while on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const WORDS = ["pond", "rose", "frost", "hedge", "lawn", "mulch", "seed", "spade"];

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** No object has this id, so each call fails. */
const NO_ORIGINAL = "down";

function silence(): void {
  vi.spyOn(console, "error").mockImplementation(() => {});
}

/** Moves the clock of all objects; timers go on as before. */
function later(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
}

/** A document of some passages, each below a heading of its own. */
function sections(count: number, word = "pond"): string {
  return Array.from({ length: count }, (_, i) => `# Part ${i}\n\n${word} ${i % 7}.`).join("\n\n");
}

/** The answers of a copy, once it has asked, are those of the original. */
async function isEqual(corpus: Copied, number: number): Promise<void> {
  later(3_001);
  for (const query of ["pond", "rose frost", "hedge lawn mulch", WORDS.join(" ")]) {
    const found = await vi.waitFor(async () => {
      const answer = await corpus.search(query, number);
      expect(answer).toBeDefined();
      return answer;
    }, 20_000);
    expect(found).toEqual(await corpus.searchOriginal(query));
  }
}

/** A copy has each document with all its passages, or not at all. */
async function isWhole(corpus: Copied, number: number): Promise<void> {
  const parts = await rowsOfCopy(
    corpus.copy(number),
    `SELECT id FROM documents
     WHERE passages <> (SELECT count(*) FROM passages WHERE document_id = documents.id)`,
  );
  expect(parts).toEqual([]);
}

describe("a change", () => {
  it("reaches every copy without a search", async () => {
    const corpus = new Copied();
    await corpus.put("pond", "Clean it in October.");
    for (const number of [1, 2]) {
      await vi.waitFor(async () => expect(await corpus.passageIds(number)).toEqual([1]), 20_000);
    }
    await corpus.delete("pond");
    for (const number of [1, 2]) {
      await vi.waitFor(async () => expect(await corpus.passageIds(number)).toEqual([]), 20_000);
    }
  });

  it("that deletes the collection leaves nothing in any copy", async () => {
    const corpus = new Copied();
    await corpus.put("pond", "Clean it in October.");
    for (const number of [1, 2]) {
      await vi.waitFor(async () => expect(await corpus.passageIds(number)).toEqual([1]), 20_000);
    }
    await corpus.original.close();
    for (const number of [1, 2]) {
      await vi.waitFor(async () => expect(await corpus.passageIds(number)).toEqual([]), 20_000);
      expect(await corpus.search("October", number)).toEqual([]);
    }
  });

  it("is in the next answer of a copy that never heard of it", async () => {
    const corpus = new Copied({ CORPUS_COPIES: "0" });
    await corpus.put("pond", "Clean it in October.");
    expect(await corpus.search("October")).toEqual(await corpus.searchOriginal("October"));
    await corpus.put("pond", "Clean it in November.");
    later(3_001);
    expect(await corpus.search("October")).toEqual([]);
    expect(await corpus.search("November")).toEqual(await corpus.searchOriginal("November"));
  });

  it("takes the place of samples in one step", async () => {
    const corpus = new Copied({ CORPUS_COPIES: "0" });
    for (const id of ["a", "b", "c"]) await corpus.put(id, "The pond.", { sample: true });
    await isEqual(corpus, 1);
    await corpus.put("mine", "The rose.");
    await isEqual(corpus, 1);
    expect(await corpus.passageIds()).toEqual([4 + 3]);
  });

  it("that leaves a document without passages removes it from the copies", async () => {
    const corpus = new Copied({ CORPUS_COPIES: "0" });
    await corpus.put("pond", "The pond.");
    await isEqual(corpus, 1);
    await corpus.put("pond", "<!-- Nothing to see. -->");
    await isEqual(corpus, 1);
    expect(await corpus.passageIds()).toEqual([]);
  });
});

it("gives the results of the original after any changes and crashes", async () => {
  const id = fc.constantFrom("a", "b", "c", "d", "e");
  const text = fc
    .array(fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 8 }), { maxLength: 4 })
    .map((parts) =>
      parts.map((words, i) => `# ${words[0]} ${i}\n\n${words.join(" ")}.`).join("\n\n"),
    );
  type Step = (corpus: Copied) => Promise<unknown>;
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(id, text).map(
        ([id, text]) =>
          (c: Copied) =>
            c.put(id, text),
      ),
    },
    { weight: 2, arbitrary: id.map((id) => (c: Copied) => c.delete(id)) },
    { weight: 2, arbitrary: fc.constant((c: Copied) => isEqual(c, 1)) },
    { weight: 1, arbitrary: fc.constant(() => abortAllDurableObjects()) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const corpus = new Copied();
      for (const take of steps) await take(corpus);
      await isEqual(corpus, 1);
      // A copy that has seen none of the history.
      await isEqual(corpus, 2);
    }),
    { numRuns: 10 },
  );
});

describe("a crash", () => {
  const objects: Record<string, object> = {
    changesAfter: CorpusObject.prototype,
    take: CopiedDocuments.prototype,
    finish: CopiedDocuments.prototype,
  };

  it.each([
    ["before", 1, "changesAfter"],
    ["before", 3, "changesAfter"],
    ["before", 1, "take"],
    ["after", 1, "take"],
    ["before", 2, "take"],
    ["after", 2, "take"],
    ["after", 3, "take"],
    ["before", 1, "finish"],
    ["after", 1, "finish"],
  ] as const)("%s call %i of %s loses nothing", async (when, call, method) => {
    const corpus = new Copied({ CORPUS_COPIES: "0" });
    // Three pages.
    for (const id of "abc") await corpus.put(id, sections(101));
    const [row] = await corpus.rows<{ log: string }>("SELECT log FROM corpus");
    let calls = 0;
    const object = objects[method] as Record<string, (...args: unknown[]) => unknown>;
    const real = object[method] as (...args: unknown[]) => unknown;
    vi.spyOn(object, method).mockImplementation(function (this: unknown, ...args) {
      const isOurs =
        method === "changesAfter"
          ? (this as { ctx: DurableObjectState }).ctx.id.toString() === corpus.originalId
          : (args[0] as ChangePage).log === row?.log;
      if (isOurs) calls += 1;
      const isCrash = isOurs && calls === call;
      const result = isCrash && when === "before" ? undefined : real.apply(this, args);
      if (!isCrash) return result;
      // What a dead object cannot do.
      vi.spyOn(Alarm.prototype, "set").mockImplementation(() => {});
      throw new Error("This is the crash.");
    });
    silence();
    await corpus.copy().follow(corpus.originalId);
    await vi.waitFor(() => expect(calls).toBe(call), 20_000);
    await abortAllDurableObjects();
    vi.restoreAllMocks();
    const { length } = await corpus.passageIds();
    const rang = await runDurableObjectAlarm(corpus.copy());
    // A copy that has begun goes on by itself.
    if (length > 0 && length < 303) expect(rang).toBe(true);
    await isWhole(corpus, 1);
    await isEqual(corpus, 1);
  });
});

describe("a copy", () => {
  it("leaves searches to its original until it has everything, and then follows by itself", async () => {
    const corpus = new Copied({ CORPUS_COPIES: "0" });
    for (const id of "abcde") await corpus.put(id, sections(60));
    const take = vi.spyOn(CopiedDocuments.prototype, "take");
    const answers = await Promise.all([1, 2, 3].map(() => corpus.search("pond")));
    expect(take.mock.calls.length).toBeGreaterThan(2);
    const original = await corpus.searchOriginal("pond");
    for (const answer of answers) expect([undefined, original]).toContainEqual(answer);
    await isEqual(corpus, 1);
  });

  it("does not answer while its original is down for more than three seconds", async () => {
    const corpus = new Copied({ CORPUS_COPIES: "0" });
    await corpus.put("pond", "Clean it in October.");
    await isEqual(corpus, 1);
    silence();
    const search = () => corpus.copy().search(NO_ORIGINAL, "October", 5);
    later(2_500);
    expect(await search()).toHaveLength(1);
    later(600);
    expect(await search()).toBeUndefined();
    await isEqual(corpus, 1);
  });

  it("that is not asked does nothing, and has no alarm", async () => {
    const corpus = new Copied({ CORPUS_COPIES: "0" });
    for (const id of "abc") await corpus.put(id, sections(60));
    await isEqual(corpus, 1);
    // The one that was set for the case of a crash.
    await runDurableObjectAlarm(corpus.copy());
    later(60_000);
    expect(await runDurableObjectAlarm(corpus.copy())).toBe(false);
  });

  it("stops trying to reach its original", async () => {
    const corpus = new Copied({ CORPUS_COPIES: "0" });
    await corpus.put("pond", "Clean it in October.");
    await isEqual(corpus, 1);
    silence();
    await rowsOfCopy(corpus.copy(), `UPDATE copy SET original = '${NO_ORIGINAL}'`);
    await corpus.copy().follow(NO_ORIGINAL);
    await expect.poll(() => runDurableObjectAlarm(corpus.copy())).toBe(true);
    let rings = 1;
    while (await runDurableObjectAlarm(corpus.copy())) rings += 1;
    expect(rings).toBe(8);
  });

  it.each([
    ["the log is another", "UPDATE corpus SET log = 'another'"],
    ["the original was restored to an earlier state", "UPDATE corpus SET position = 3"],
    [
      "deletions that it has not seen are no longer known",
      "UPDATE corpus SET deletions_pruned_to = 200, position = 300; DELETE FROM deletions",
    ],
  ])("begins again when %s", async (_, statements) => {
    const corpus = new Copied({ CORPUS_COPIES: "0" });
    for (const id of ["a", "b", "c"]) await corpus.put(id, `The ${id} pond.`);
    await isEqual(corpus, 1);
    await corpus.delete("c");
    await runInDurableObject(corpus.original, (_, { storage }) => {
      storage.sql.exec(statements);
    });
    const clear = vi.spyOn(CopiedDocuments.prototype, "clear");
    await isEqual(corpus, 1);
    expect(clear).toHaveBeenCalled();
    expect(await corpus.passageIds()).toEqual([1, 2]);
  });

  it("begins again when another release has written it", async () => {
    const corpus = new Copied({ CORPUS_COPIES: "0" });
    await corpus.put("pond", "Clean it in October.");
    await isEqual(corpus, 1);
    await rowsOfCopy(corpus.copy(), "UPDATE schema_version SET version = 1");
    await abortAllDurableObjects();
    expect(await corpus.copy().passagesAt(corpus.originalId, ["pond#1"])).toHaveLength(1);
    await isEqual(corpus, 1);
  });

  it("leaves searches to an original that indexes its documents again, and follows it", async () => {
    const corpus = new Copied({ CORPUS_COPIES: "0" });
    for (const id of ["a", "b"]) await corpus.put(id, "The pond.");
    await isEqual(corpus, 1);
    const set = (version: number) =>
      runInDurableObject(corpus.original, (_, { storage }) => {
        storage.sql.exec("UPDATE corpus SET analyzer_version = ?", version);
      });
    await set(0);
    later(3_001);
    expect(await corpus.search("pond")).toBeUndefined();
    expect(await corpus.search("pond", 2)).toBeUndefined();
    await abortAllDurableObjects();
    await runDurableObjectAlarm(corpus.original);
    await isEqual(corpus, 1);
    await isEqual(corpus, 2);
    expect(await corpus.passageIds()).toEqual([3, 4]);
  });

  it("gives the passages of vectors and neighbours as its original does", async () => {
    const index = new FakeVectorize();
    const corpus = new Copied({ RETRIEVER: "vector", AI: new EmbeddingModel(), VECTORIZE: index });
    await corpus.put("cars", "# Cars\n\nA car has wheels.\n\n# Doctors\n\nA doctor heals.");
    await corpus.put("cars", "# Cars\n\nA car has four wheels.\n\n# Doctors\n\nA doctor heals.");
    await expect.poll(() => index.vectors.size, { timeout: 20_000 }).toBe(2);
    await isEqual(corpus, 1);
    const near = Array.from(index.vectors.keys(), (id, i) => ({ id, similarity: 1 - i / 10 }));
    const found = await corpus.copy().passagesOf(corpus.originalId, near, "car", 5);
    expect(found).toHaveLength(2);
    expect(found).toEqual(await corpus.original.passagesOf(near, "car", 5));
    expect(await corpus.copy().searchForPrompt(corpus.originalId, "wheels", 1)).toEqual(
      await corpus.original.searchForPrompt("wheels", 1),
    );
    const ids = ["cars#1", "cars#2", "cars#3"];
    const placed = await corpus.copy().passagesAt(corpus.originalId, ids);
    expect(placed).toEqual(await corpus.original.passagesAt(ids));
  });
});

describe("the number of copies", () => {
  it("can grow and shrink: new copies begin at once, former ones forget the documents", async () => {
    const corpus = new Copied({ CORPUS_COPIES: "1" });
    await corpus.put("pond", "Clean it in October.");
    const countsBecome = (counts: readonly number[]) =>
      vi.waitFor(async () => {
        const ids = await Promise.all([1, 2, 3].map((number) => corpus.passageIds(number)));
        expect(ids.map(({ length }) => length)).toEqual(counts);
      }, 20_000);
    await countsBecome([1, 0, 0]);
    for (const [count, counts] of [
      ["3", [1, 1, 1]],
      ["2", [1, 1, 0]],
      ["0", [0, 0, 0]],
      ["1", [1, 0, 0]],
    ] as const) {
      corpus.set({ CORPUS_COPIES: count });
      await abortAllDurableObjects();
      // Any request wakes it.
      await corpus.searchOriginal("October");
      await countsBecome(counts);
    }
    await isEqual(corpus, 1);
  });

  it("is ignored where it is wrong: documents are taken, and asks report it", async () => {
    const corpus = new Copied({ CORPUS_COPIES: "many" });
    silence();
    await corpus.put("pond", "Clean it in October.");
    const user = await newUser({ CORPUS_COPIES: "65" });
    const response = await user.askForJson("What is Belay?");
    expect(response.status).toBe(503);
    expect(await response.text()).toContain("CORPUS_COPIES");
  });
});

it("lets each user read one copy, always the same", async () => {
  const search = vi.spyOn(CopyObject.prototype, "searchForPrompt");
  await asOperator("/admin/documents/pond", {
    method: "PUT",
    body: JSON.stringify({ title: "Pond", text: "Clean the pond in October." }),
  });
  for (const user of await Promise.all([1, 2, 3].map(() => newUser({ CORPUS_COPIES: "4" })))) {
    search.mockClear();
    for (const query of ["When to clean the pond?", "Is the pond cleaned in October?"]) {
      const answer = await (await user.askForJson(query)).json<AnswerBody>();
      expect(answer.sources[0]).toMatchObject({ documentId: "pond" });
    }
    expect(search).toHaveBeenCalledTimes(2);
    expect(new Set(search.mock.contexts).size).toBe(1);
  }
});
