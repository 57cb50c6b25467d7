// The reranker for endpoints with /rerank against the scripted server, over a
// real connection: what it sends, and what it refuses.

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { ServiceError } from "../../src/errors.ts";
import { OpenAiReranker } from "../../src/rerankers/openai.ts";
import { CANARY, type ModelRequest } from "../support/directive.ts";
import { closeness, directed, type RerankDirective } from "../support/reranking.ts";

const { OPENAI_BASE_URL: baseUrl } = env;
const API_KEY = "key-that-only-the-endpoint-may-see";
const SECRET = "What does the secret plan say?";
const TEXTS = ["A boat has sails.", "What a car is.", "A car has wheels."];

const reranker = new OpenAiReranker({ baseUrl, model: "bge-reranker", apiKey: API_KEY });
const signal = new AbortController().signal;

test("returns a score for each text, in order, though the endpoint sorts them", async () => {
  const query = "What is a car?";
  expect(await reranker.rerank(query, TEXTS, signal)).toEqual(
    TEXTS.map((text) => closeness(query, text)),
  );
});

test("sends the model, the query, the texts and the key", async () => {
  const tag = crypto.randomUUID();
  await reranker.rerank(tag, ["a", "b"], signal);
  expect(await recorded(tag)).toMatchObject([
    {
      path: "/v1/rerank",
      model: "bge-reranker",
      options: { query: tag, documents: ["a", "b"], top_n: 2 },
      authorization: `Bearer ${API_KEY}`,
    },
  ]);
});

test("sends no key if there is none", async () => {
  const tag = crypto.randomUUID();
  const keyless = new OpenAiReranker({ baseUrl, model: "m", apiKey: undefined });
  await keyless.rerank(tag, ["a"], signal);
  expect((await recorded(tag))[0]?.authorization).toBeUndefined();
});

test("asks Text Embeddings Inference in its form, and remembers it", async () => {
  const inference = new OpenAiReranker({
    ...{ baseUrl: baseUrl.replace("127.0.0.1", "localhost"), model: "m", apiKey: undefined },
  });
  const sent = async () => {
    const query = directed({ form: "texts" }, crypto.randomUUID());
    expect(await inference.rerank(query, TEXTS, signal)).toEqual(
      TEXTS.map((text) => closeness(query, text)),
    );
    return (await recorded(query)).map(({ options }) => Object.keys(options));
  };
  expect(await sent()).toEqual([
    ["query", "documents", "top_n"],
    ["query", "texts"],
  ]);
  expect(await sent()).toEqual([["query", "texts"]]);
});

describe("throws RETRIEVAL_FAILED, quoting nothing, for", () => {
  test.each<[string, RerankDirective, string]>([
    ["a refusal", { status: 401 }, "refused (HTTP 401)"],
    ["a missing route", { status: 404 }, "refused (HTTP 404)"],
    ["an unprocessable request", { status: 422 }, "refused (HTTP 422)"],
    ["a busy model", { status: 429 }, "refused (HTTP 429)"],
    ["a failure", { status: 500 }, "refused (HTTP 500)"],
    ["a redirect", { fault: "redirect" }, "refused (HTTP 307)"],
    ["a broken connection", { fault: "cut" }, "no answer"],
    ["an answer without end", { fault: "endless" }, "too long"],
    ["no JSON", { body: `<p>${CANARY}</p>` }, "no JSON"],
    ["nothing", { body: "" }, "no JSON"],
    ["null", { body: "null" }, "no list"],
    ["an error under 200", { body: `{"error":{"message":"${CANARY}"}}` }, "no list"],
    ["results that are an object", { body: '{"results":{"0":1}}' }, "no list"],
    ["no results", { results: [] }, "0 results for 2 texts"],
    ["a missing result", of([1, 0.5]), "1 results for 2 texts"],
    ["a result too many", of([0, 1], [1, 0.5], [1, 0.5]), "3 results for 2 texts"],
    ["a repeated index", of([0, 1], [0, 0.5]), "two results for one text"],
    ["an index out of range", of([0, 1], [2, 0.5]), "an index of no text"],
    ["a negative index", of([0, 1], [-1, 0.5]), "an index of no text"],
    ["a broken index", of([0, 1], [0.5, 0.5]), "an index of no text"],
    ["an index that is text", of([0, 1], ["1", 0.5]), "an index of no text"],
    ["no index", of([0, 1], [undefined, 0.5]), "an index of no text"],
    ["null for a result", { body: '{"results":[null,null]}' }, "something else than a result"],
    ["null for a score, as JSON writes NaN", of([0, 1], [1, null]), "a score that is no number"],
    ["no score", of([0, 1], [1, undefined]), "a score that is no number"],
    ["a score that is text", of([0, 1], [1, "0.5"]), "a score that is no number"],
    ["an infinite score", { body: '[{"index":0,"score":1},{"index":1,"score":1e999}]' }, "number"],
  ])("%s", async (_, directive, words) => {
    const error = await failure(directed(directive, SECRET));
    expect(error.message).toContain(words);
  });

  test("an unreachable endpoint, whose host is named", async () => {
    const nowhere = new OpenAiReranker({
      baseUrl: "http://127.0.0.1:9/v1?key=key-of-the-address",
      model: "m",
      apiKey: API_KEY,
    });
    expect(await failure(SECRET, nowhere)).toMatchObject({
      message: "The reranking model failed: no answer at 127.0.0.1:9.",
      details: {
        diagnosis: "no response from 127.0.0.1:9: check its address, and that a server runs there",
      },
    });
  });
});

test("rejects with the signal's reason as soon as it aborts, and hangs up", async () => {
  const controller = new AbortController();
  const query = directed({ fault: "hang" }, crypto.randomUUID());
  const reranking = reranker.rerank(query, ["a", "b"], controller.signal);
  await expect.poll(() => recorded(query)).toHaveLength(1);
  controller.abort(new Error("the user disconnected"));
  await expect(reranking).rejects.toThrow("the user disconnected");
  await expect.poll(async () => (await recorded(query))[0]?.state).toBe("aborted");
});

test("sends no request if the signal has aborted", async () => {
  const query = crypto.randomUUID();
  const aborted = AbortSignal.abort(new Error("left"));
  await expect(reranker.rerank(query, ["a"], aborted)).rejects.toThrow("left");
  expect(await recorded(query)).toEqual([]);
});

function of(...results: (readonly [unknown, unknown])[]): RerankDirective {
  return { results };
}

async function recorded(tag: string): Promise<ModelRequest[]> {
  const requests: ModelRequest[] = await (await fetch(baseUrl.replace(/v1$/, "requests"))).json();
  return requests.filter((request) => request.tag === tag);
}

async function failure(query: string, by = reranker): Promise<ServiceError> {
  const error: unknown = await by.rerank(query, ["a", "b"], signal).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ServiceError)) throw new Error("It should have failed.", { cause: error });
  expect(error.code).toBe("RETRIEVAL_FAILED");
  for (const secret of [CANARY, API_KEY, "secret plan"])
    expect(error.message).not.toContain(secret);
  return error;
}
