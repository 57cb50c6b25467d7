// An ask with a reranker: the order of its sources, what it costs when the
// model fails, hangs or sends nonsense, and which settings are refused.

import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Reranker } from "../../src/answer/reranker.ts";
import type { Passage } from "../../src/answer/retriever.ts";
import { RerankingRetriever } from "../../src/retrievers/reranking.ts";
import {
  type AnswerBody,
  type ErrorBody,
  modelRequests,
  newUser,
  type TestUser,
  upstreamEnded,
} from "../harness.ts";
import { directed, type RerankDirective } from "../support/reranking.ts";

const DOCUMENTS = "https://belay.test/api/v1/admin/documents";
const LOG = "The reranking failed; the passages keep their order:";

afterEach(() => vi.restoreAllMocks());

/** A user with a corpus of three documents, which full text finds in the order a, b, c. */
async function newSetup(settings: Record<string, unknown> = {}) {
  const name = crypto.randomUUID();
  const corpus = env.CORPUS.getByName(name);
  const texts = {
    a: "Sails, sails, sails.",
    b: "Sails and sails and oars.",
    c: "Sails, oars, ropes, keels.",
  };
  for (const [id, text] of Object.entries(texts)) {
    await corpus.fetch(`${DOCUMENTS}/${id}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ title: "Boats", text }),
    });
  }
  const CORPUS = { getByName: () => env.CORPUS.getByName(name) };
  const endpoint = {
    RERANKER: "openai-compatible",
    RERANKER_BASE_URL: env.OPENAI_BASE_URL,
    RERANKER_MODEL: "scripted",
  };
  return newUser({ ...endpoint, CORPUS, ...settings } as unknown as Record<string, string>);
}

async function sourcesOf(user: TestUser, directive: RerankDirective, topK = 3) {
  const response = await user.askForJson(directed(directive, "sails"), { topK });
  expect(response.status).toBe(200);
  return (await response.json<AnswerBody>()).sources.map(({ documentId }) => documentId);
}

const REVERSED: RerankDirective = {
  results: [
    [2, 3.5],
    [1, -0.5],
    [0, -4],
  ],
};

describe("RERANKER=openai-compatible", () => {
  it("puts the sources in the order of the model, best first", async () => {
    const user = await newSetup();
    expect(await sourcesOf(user, REVERSED)).toEqual(["c", "b", "a"]);
    expect(await sourcesOf(await newSetup({ RERANKER: "" }), REVERSED)).toEqual(["a", "b", "c"]);
  });

  it("chooses from more passages than the ask wants", async () => {
    expect(await sourcesOf(await newSetup(), REVERSED, 1)).toEqual(["c"]);
  });

  it("shows the scores of the search, whose scale does not depend on a model", async () => {
    const user = await newSetup();
    const response = await user.askForJson(directed(REVERSED, "sails"), { topK: 1 });
    const [source] = (await response.json<AnswerBody>()).sources;
    expect(source).toMatchObject({ n: 1, documentId: "c" });
    expect(source?.score).toBeGreaterThan(0);
    expect(source?.score).toBeLessThanOrEqual(1);
    expect(source).not.toHaveProperty("relevance");
  });

  it.each<[string, RerankDirective, string]>([
    ["the model refuses", { status: 404 }, "refused (HTTP 404)"],
    ["the model fails", { status: 500 }, "refused (HTTP 500)"],
    ["the connection breaks", { fault: "cut" }, "no answer"],
    ["the answer has no end", { fault: "endless" }, "too long"],
    ["the answer is no JSON", { body: "<p>" }, "no JSON"],
    ["a result is missing", { results: [[2, 1]] }, "1 results for 3 texts"],
    [
      "an index comes twice",
      {
        results: [
          [2, 1],
          [2, 1],
          [0, 0],
        ],
      },
      "two results for one text",
    ],
    [
      "an index is out of range",
      {
        results: [
          [3, 1],
          [1, 1],
          [0, 0],
        ],
      },
      "an index of no text",
    ],
    [
      "a score is NaN",
      {
        results: [
          [2, Number.NaN],
          [1, 1],
          [0, 0],
        ],
      },
      "a score that is no number",
    ],
  ])(
    "keeps the order of the search if %s, and says so in the log",
    async (_, directive, reason) => {
      const log = vi.spyOn(console, "error").mockImplementation(() => {});
      const user = await newSetup();
      expect(await sourcesOf(user, directive)).toEqual(["a", "b", "c"]);
      expect(log.mock.calls).toEqual([[LOG, expect.stringContaining(reason)]]);
      expect(log.mock.calls.join()).not.toContain("ails");
      expect(await user.quota()).toMatchObject({ remaining: 19, charged: 1 });
    },
  );

  it("does not wait longer than RERANKER_TIMEOUT_MS, and hangs up", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const user = await newSetup({ RERANKER_TIMEOUT_MS: "50" });
    const hanging: RerankDirective = { fault: "hang" };
    expect(await sourcesOf(user, hanging)).toEqual(["a", "b", "c"]);
    expect(log.mock.calls).toEqual([[LOG, expect.stringContaining("within 50 ms")]]);
    expect(await user.quota()).toMatchObject({ remaining: 19, charged: 1 });
  });

  it("begins the stream and pings before the model has answered", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const user = await newSetup({ RERANKER_TIMEOUT_MS: "400", PING_INTERVAL_MS: "50" });
    const stream = await user.ask(directed({ fault: "hang" }, "sails"));
    await stream.all();
    const types = stream.events.map(({ type }) => type);
    expect(types.slice(0, 3)).toEqual(["start", "ping", "ping"]);
    expect(types.filter((type) => type !== "ping").slice(0, 3)).toEqual([
      "start",
      "sources",
      "token",
    ]);
    expect(types.at(-1)).toBe("done");
  });

  it("costs nothing if the user disconnects meanwhile, hangs up, and logs no failure", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const user = await newSetup({ RERANKER_TIMEOUT_MS: "60000" });
    const query = directed({ fault: "hang" }, `sails ${crypto.randomUUID()}`);
    const stream = await user.ask(query);
    await stream.until("start");
    await expect.poll(() => modelRequests(query)).toHaveLength(1);
    stream.leave();
    expect(await user.resolved(stream.queryId)).toMatchObject({
      ...{ state: "refunded", reason: "disconnected" },
    });
    await upstreamEnded(query);
    expect(await user.quota()).toMatchObject({ remaining: 20, reserved: 0 });
    expect(log).not.toHaveBeenCalled();
  });
});

describe("RERANKER=workers-ai", () => {
  it("puts the sources in the order of the model", async () => {
    const response = [2, 1, 0].map((id) => ({ id, score: id / 10 }));
    const AI = { run: vi.fn(async () => ({ response })) };
    const user = await newSetup({ RERANKER: "workers-ai", RERANKER_MODEL: "", AI });
    expect(await sourcesOf(user, {})).toEqual(["c", "b", "a"]);
    expect(AI.run).toHaveBeenCalledWith(
      "@cf/baai/bge-reranker-base",
      expect.objectContaining({
        contexts: expect.arrayContaining([{ text: "Boats\nSails, sails, sails." }]),
      }),
      expect.anything(),
    );
  });
});

describe("a reranked search", () => {
  const passage = (id: string): Passage => ({
    ...{ id, documentId: id, title: "Title", heading: ["Heading"], url: null, text: id, score: 1 },
  });
  const search = (
    found: string,
    rerank: Reranker["rerank"],
    { topK = 5, waitMs = 1_000, signal = new AbortController().signal } = {},
  ) => {
    const retrieve = async (_: string, topK: number) => {
      expect(topK).toBe(20);
      return Array.from(found, passage);
    };
    return new RerankingRetriever({ retrieve }, { rerank }, waitMs).retrieve("query", topK, signal);
  };
  const ids = async (...args: Parameters<typeof search>) =>
    (await search(...args)).map(({ id }) => id).join("");

  it("gives the model the title, the headings and the text of each passage", async () => {
    const rerank = vi.fn(async () => [0, 1]);
    expect(await ids("ab", rerank)).toBe("ba");
    expect(rerank.mock.calls).toEqual([
      ["query", ["Title\nHeading\na", "Title\nHeading\nb"], expect.any(AbortSignal)],
    ]);
  });

  it("keeps the order of passages with equal scores", async () => {
    expect(await ids("abcd", async () => [1, 2, 1, 2])).toBe("bdac");
    expect(await ids("abcd", async () => [0, 0, 0, 0])).toBe("abcd");
  });

  it("asks the model nothing about one passage or none", async () => {
    const rerank = vi.fn(async () => []);
    expect(await ids("a", rerank)).toBe("a");
    expect(await ids("", rerank)).toBe("");
    expect(rerank).not.toHaveBeenCalled();
  });

  it("returns as many passages as the ask wants if the model fails", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const failing = () => Promise.reject(new Error("no"));
    expect(await ids("abcd", failing, { topK: 2 })).toBe("ab");
  });

  it("fails if the search fails", async () => {
    const retrieve = () => Promise.reject(new Error("the corpus is gone"));
    const retriever = new RerankingRetriever({ retrieve }, { rerank: async () => [] }, 1_000);
    const signal = new AbortController().signal;
    await expect(retriever.retrieve("query", 5, signal)).rejects.toThrow("the corpus is gone");
  });
});

describe("a setting that cannot work", () => {
  const endpoint = { RERANKER: "openai-compatible", RERANKER_MODEL: "m" };
  it.each<[string, Record<string, string>, RegExp]>([
    ["a reranker that is none", { RERANKER: "jina" }, /RERANKER must be/],
    ["no binding", { RERANKER: "workers-ai" }, /RERANKER .*binding AI/],
    ["a model that is none", { RERANKER: "workers-ai", RERANKER_MODEL: "x" }, /RERANKER_MODEL/],
    ["an endpoint without a model", { RERANKER: "openai-compatible" }, /RERANKER_MODEL/],
    ["no address", { ...endpoint, RERANKER_BASE_URL: "jina.ai" }, /RERANKER_BASE_URL must be/],
    ["a time that is none", { ...endpoint, RERANKER_TIMEOUT_MS: "3s" }, /RERANKER_TIMEOUT_MS/],
    [
      "no address of either endpoint",
      { ...endpoint, OPENAI_BASE_URL: "", GENERATOR: "extractive" },
      /OPENAI_BASE_URL/,
    ],
  ])("refuses the ask before anything is reserved, and is named: %s", async (_, settings, name) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const user = await newUser(settings);
    const response = await user.askForJson("sails");
    expect(response.status).toBe(503);
    const { code, message } = await response.json<ErrorBody>();
    expect(code).toBe("UNAVAILABLE");
    expect(message).toMatch(name);
    expect(log.mock.calls.join()).toMatch(name);
    expect(await user.receipts()).toEqual([]);
  });
});

describe("the key for the reranker", () => {
  const asked = async (settings: Record<string, string>) => {
    const user = await newSetup(settings);
    const query = directed({}, `sails ${crypto.randomUUID()}`);
    await user.askForJson(query);
    return (await modelRequests(query))[0]?.authorization;
  };

  it("is never that of another endpoint", async () => {
    expect(await asked({ OPENAI_API_KEY: "key of the model" })).toBeUndefined();
    expect(await asked({ OPENAI_API_KEY: "a", RERANKER_API_KEY: "b" })).toBe("Bearer b");
  });

  it("is that of the same endpoint if the reranker has no address of its own", async () => {
    const same = { RERANKER_BASE_URL: "", OPENAI_API_KEY: "a" };
    expect(await asked(same)).toBe("Bearer a");
    expect(await asked({ ...same, RERANKER_API_KEY: "b" })).toBe("Bearer b");
  });
});
