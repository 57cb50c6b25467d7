// The Workers AI reranker against a fake binding.

import { describe, expect, test, vi } from "vitest";
import { ServiceError } from "../../src/errors.ts";
import { WorkersAiReranker } from "../../src/rerankers/workers-ai.ts";

const CANARY = "words of the binding, which may repeat the secret plan";
const MODEL = "@cf/baai/bge-reranker-base";
const signal = new AbortController().signal;

test("calls its model, and returns a score for each text, in order", async () => {
  const run = vi.fn(async () => ({
    response: [
      { id: 1, score: 0.9 },
      { id: 0, score: 0.002 },
    ],
  }));
  expect(await newReranker(run).rerank("car", ["a", "b"], signal)).toEqual([0.002, 0.9]);
  const inputs = { query: "car", contexts: [{ text: "a" }, { text: "b" }], top_k: 2 };
  expect(run.mock.calls).toEqual([[MODEL, inputs, { signal }]]);
});

describe("throws RETRIEVAL_FAILED, quoting nothing, for", () => {
  test.each<[string, unknown, string]>([
    ["3040: ", new Error(`3040: ${CANARY}`), "(Workers AI error 3040)"],
    ["no code", new Error(CANARY), "The reranking model failed."],
    ["no error", undefined, "The reranking model failed."],
  ])("an error with %s", async (_, thrown, words) => {
    expect((await failure(() => Promise.reject(thrown))).message).toContain(words);
  });

  // openai.test.ts tests everything that can be wrong with a result.
  test.each<[string, unknown]>([
    ["null", null],
    ["a string", CANARY],
    ["no response", { result: [] }],
    ["a missing score", { response: [{ id: 0, score: 1 }] }],
    ["NaN, which no JSON holds", { response: [score(0, Number.NaN), score(1, 1)] }],
    ["a repeated id", { response: [score(0, 1), score(0, 1)] }],
    ["a request for a batch, to be asked for later", { request_id: "1" }],
  ])("an unusable response: %s", async (_, answer) => {
    expect((await failure(async () => answer)).message).toContain("cannot be used");
  });
});

test("rejects as soon as the signal aborts, even if the binding goes on", async () => {
  const controller = new AbortController();
  const reranking = newReranker(() => new Promise(() => {})).rerank("q", ["a"], controller.signal);
  controller.abort(new Error("the user disconnected"));
  await expect(reranking).rejects.toThrow("the user disconnected");
});

function score(id: number, score: number) {
  return { id, score };
}

function newReranker(run: () => Promise<unknown>) {
  return new WorkersAiReranker({ ai: { run } as unknown as Ai, model: MODEL });
}

async function failure(run: () => Promise<unknown>): Promise<ServiceError> {
  const error: unknown = await newReranker(run)
    .rerank("the secret plan", ["a", "b"], signal)
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  if (!(error instanceof ServiceError)) throw new Error("It should have failed.", { cause: error });
  expect(error.code).toBe("RETRIEVAL_FAILED");
  expect(error.message).not.toContain("secret plan");
  return error;
}
