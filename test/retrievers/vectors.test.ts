// An ask with vector search: what it finds, what it costs when the model or the
// index fails, hangs or sends nonsense, and which settings are refused.

import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Passage, Retriever } from "../../src/answer/retriever.ts";
import { HybridRetriever } from "../../src/retrievers/hybrid.ts";
import { EmbeddingModel } from "../embedders/embedding-model.ts";
import { FakeVectorize } from "../embedders/fake-vectorize.ts";
import { type AnswerBody, type ErrorBody, newUser } from "../harness.ts";
import { directed } from "../support/meaning.ts";
import { corpora } from "../worker.ts";

const DOCUMENTS: Record<string, string> = {
  cars: "A car has four wheels.",
  doctors: "A doctor heals the sick.",
  boats: "A boat has sails and no wheels.",
};

afterEach(() => vi.restoreAllMocks());

/** A user with their own corpus, index and model. */
async function newSetup(retriever: string, variables: Record<string, unknown> = {}) {
  const ai = new EmbeddingModel();
  const index = new FakeVectorize();
  const name = crypto.randomUUID();
  const adapters = { RETRIEVER: retriever, AI: ai, VECTORIZE: index, ...variables };
  corpora.set(name, adapters);
  const corpus = env.CORPUS.getByName(name);
  for (const [id, text] of Object.entries(DOCUMENTS)) {
    await corpus.fetch(`https://belay.test/api/v1/admin/documents/${id}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ title: "Title", text }),
    });
  }
  while (await runDurableObjectAlarm(corpus));
  expect(index.vectors.size).toBe(3);
  const CORPUS = { getByName: () => env.CORPUS.getByName(name) };
  const user = await newUser({ ...adapters, CORPUS } as unknown as Record<string, string>);
  const sources = async (query: string, topK = 3) => {
    const response = await user.askForJson(query, { topK });
    expect(response.status).toBe(200);
    return (await response.json<AnswerBody>()).sources.map(({ documentId }) => documentId);
  };
  return { ai, index, user, sources };
}

describe("RETRIEVER=vector", () => {
  it("finds the same meaning in other words, nearest first", async () => {
    const { sources } = await newSetup("vector");
    expect((await sources("automobile"))[0]).toBe("cars");
    expect(await sources("medic", 1)).toEqual(["doctors"]);
  });

  it("scores passages by the query terms they cover, as full text does", async () => {
    const { user } = await newSetup("vector");
    const answer = async (query: string) =>
      (await (await user.askForJson(query, { topK: 1 })).json<AnswerBody>()).sources[0];
    expect(await answer("car wheels")).toMatchObject({ documentId: "cars", score: 1 });
    expect(await answer("automobile")).toMatchObject({ documentId: "cars", score: 0 });
    expect(await answer("🚲")).toBeUndefined();
  });

  it("works with an OpenAI-compatible endpoint too", async () => {
    const { sources } = await newSetup("vector", { EMBEDDER: "openai", EMBEDDING_MODEL: "m" });
    expect((await sources("automobile"))[0]).toBe("cars");
  });

  it.each<[string, (setup: Awaited<ReturnType<typeof newSetup>>) => void]>([
    ["the model fails", ({ ai }) => (ai.fault = () => Promise.reject(new Error("3040: plan")))],
    ["the model lies", ({ ai }) => (ai.fault = () => ({ data: [[Number.NaN]] }))],
    ["the model's vectors do not fit", ({ ai }) => (ai.fault = () => ({ data: [[1, 2]] }))],
    ["the index fails", ({ index }) => (index.fault = () => Promise.reject(new Error("plan")))],
  ])("costs nothing when %s, and the error quotes no query", async (_, fail) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const setup = await newSetup("vector");
    fail(setup);
    const response = await setup.user.askForJson("What is the secret plan?");
    expect(response.status).toBe(502);
    const { code, message } = await response.json<ErrorBody>();
    expect(code).toBe("RETRIEVAL_FAILED");
    expect(message).toMatch(/You were not charged; ask again\.$/);
    expect(await setup.user.quota()).toMatchObject({ remaining: 20, refunded: 1 });
    expect(JSON.stringify([message, log.mock.calls])).not.toContain("plan");
  });

  it("fails in time when the model hangs, and costs nothing", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const { ai, user } = await newSetup("vector", { FIRST_TOKEN_TIMEOUT_MS: "100" });
    ai.fault = () => new Promise(() => {});
    const response = await user.askForJson("automobile");
    expect(response.status).toBe(504);
    expect(await user.quota()).toMatchObject({ remaining: 20, reserved: 0 });
  });
});

describe("RETRIEVER=hybrid", () => {
  it("finds by words and by meaning", async () => {
    const { sources } = await newSetup("hybrid");
    expect((await sources("automobile"))[0]).toBe("cars");
    expect((await sources("sails"))[0]).toBe("boats");
    // Both searches find cars and boats; only one finds the other word for car.
    expect((await sources("automobile wheels"))[0]).toBe("cars");
    expect(await sources("wheels", 2)).toHaveLength(2);
  });

  it.each<[string, (setup: Awaited<ReturnType<typeof newSetup>>) => void, string]>([
    [
      "the model fails",
      ({ ai }) => (ai.fault = () => Promise.reject(new Error("3040: sails"))),
      "Workers AI error 3040",
    ],
    ["the model lies", ({ ai }) => (ai.fault = () => ({ data: "sails" })), "cannot be used"],
    [
      "the index fails",
      ({ index }) =>
        (index.fault = () => Promise.reject(new Error("VECTOR_QUERY_ERROR (code = 40006): sails"))),
      "Vectorize error 40006",
    ],
  ])("answers by full text alone when %s, and the log quotes no query", async (_, fail, reason) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const setup = await newSetup("hybrid");
    fail(setup);
    expect(await setup.sources("sails")).toEqual(["boats"]);
    expect(log.mock.calls).toEqual([
      ["The vector search failed; full text answered alone:", expect.stringContaining(reason)],
    ]);
    expect(log.mock.calls.join()).not.toContain("sails");
    expect(await setup.user.quota()).toMatchObject({ remaining: 19, charged: 1 });
  });

  it("answers by full text alone before there are vectors", async () => {
    const { index, sources } = await newSetup("hybrid");
    index.clear();
    expect(await sources("sails")).toEqual(["boats"]);
    expect(await sources("automobile")).toEqual([]);
  });
});

describe("a hybrid search", () => {
  const passage = (id: string): Passage => ({
    ...{ id, documentId: id, title: id, heading: [], url: null, text: id, score: 1 },
  });
  const finding = (...ids: string[]): Retriever => ({
    retrieve: async () => ids.map(passage),
  });
  const hanging: Retriever = {
    retrieve: (_query, _topK, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  };
  const ids = async (words: Retriever, vectors: Retriever, topK = 5, waitMs = 1_000) => {
    const found = await new HybridRetriever(words, vectors, waitMs).retrieve(
      "query",
      topK,
      new AbortController().signal,
    );
    return found.map(({ id }) => id);
  };

  it("requests the maximum from both searches, and returns what was asked for", async () => {
    const asked: number[] = [];
    const counting: Retriever = {
      retrieve: async (_query, topK) => {
        asked.push(topK);
        return ["a", "b", "c"].map(passage);
      },
    };
    expect(await ids(counting, counting, 2)).toEqual(["a", "b"]);
    expect(asked).toEqual([20, 20]);
  });

  it("puts passages of both searches first", async () => {
    expect(await ids(finding("a", "b", "c"), finding("c", "d"))).toEqual(["c", "a", "b", "d"]);
  });

  it("does not wait longer than its timeout for the vectors", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const startedAt = Date.now();
    expect(await ids(finding("a"), hanging, 5, 50)).toEqual(["a"]);
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    expect(log.mock.calls.join()).toContain("within 50 ms");
  });

  it("fails if full text fails", async () => {
    const failing: Retriever = { retrieve: () => Promise.reject(new Error("the corpus is gone")) };
    await expect(ids(failing, finding("a"))).rejects.toThrow("the corpus is gone");
    await expect(ids(failing, failing)).rejects.toThrow("the corpus is gone");
  });

  it("ends at once when the user disconnects, and logs no failure", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const controller = new AbortController();
    const search = new HybridRetriever(finding("a"), hanging, 60_000).retrieve(
      "query",
      5,
      controller.signal,
    );
    controller.abort(new Error("the user disconnected"));
    await expect(search).rejects.toThrow("the user disconnected");
    expect(log).not.toHaveBeenCalled();
  });
});

describe("a setting that cannot work", () => {
  const bindings = () => ({ AI: new EmbeddingModel(), VECTORIZE: new FakeVectorize() });
  it.each<[string, Record<string, unknown>, RegExp]>([
    ["no index", { RETRIEVER: "vector", AI: new EmbeddingModel() }, /RETRIEVER .*VECTORIZE/],
    ["no index either", { RETRIEVER: "hybrid", AI: new EmbeddingModel() }, /RETRIEVER .*VECTORIZE/],
    ["no model", { RETRIEVER: "hybrid", VECTORIZE: new FakeVectorize() }, /EMBEDDER .*AI/],
    ["a retriever that is none", { ...bindings(), RETRIEVER: "guess" }, /RETRIEVER/],
    ["an embedder that is none", { ...bindings(), RETRIEVER: "hybrid", EMBEDDER: "x" }, /EMBEDDER/],
    [
      "a model that is none",
      { ...bindings(), RETRIEVER: "hybrid", EMBEDDING_MODEL: "bge m3" },
      /EMBEDDING_MODEL/,
    ],
    [
      "an endpoint without a model",
      { ...bindings(), RETRIEVER: "hybrid", EMBEDDER: "openai" },
      /EMBEDDING_MODEL/,
    ],
    [
      "an endpoint without an address",
      {
        ...bindings(),
        RETRIEVER: "hybrid",
        EMBEDDER: "openai",
        EMBEDDING_MODEL: "m",
        GENERATOR: "extractive",
        OPENAI_BASE_URL: "",
      },
      /OPENAI_BASE_URL/,
    ],
  ])(
    "refuses the ask before anything is reserved, and is named: %s",
    async (_, settings, names) => {
      const log = vi.spyOn(console, "error").mockImplementation(() => {});
      const user = await newUser(settings as Record<string, string>);
      const response = await user.askForJson(directed({}, "x"));
      expect(response.status).toBe(503);
      const { code, message } = await response.json<ErrorBody>();
      expect(code).toBe("UNAVAILABLE");
      expect(message).toMatch(names);
      expect(log.mock.calls.join()).toMatch(names);
      expect(await user.receipts()).toEqual([]);
    },
  );
});
