// The Workers AI embedder against a fake binding.

import { describe, expect, test } from "vitest";
import { WorkersAiEmbedder } from "../../src/embedders/workers-ai.ts";
import { ServiceError } from "../../src/errors.ts";
import { EmbeddingModel } from "./embedding-model.ts";

const CANARY = "words of the binding, which may repeat the secret plan";
const signal = new AbortController().signal;

test("returns a vector for each text, in order", async () => {
  const { ai, embedder } = newEmbedder();
  const [car, doctor, automobile] = await embedder.embed(["car", "doctor", "automobile"], signal);
  expect(car).toEqual(automobile);
  expect(car).not.toEqual(doctor);
  expect(ai.calls).toHaveLength(1);
});

test("calls its model, and lets bge-m3 truncate long texts", async () => {
  const { ai, embedder } = newEmbedder();
  await embedder.embed(["a"], signal);
  expect(ai.calls).toEqual([
    {
      model: "@cf/baai/bge-m3",
      texts: ["a"],
      inputs: { text: ["a"], truncate_inputs: true },
    },
  ]);
});

test("sends other models no parameter that they do not know", async () => {
  const { ai, embedder } = newEmbedder("@cf/google/embeddinggemma-300m");
  await embedder.embed(["a"], signal);
  expect(ai.calls[0]?.inputs).toEqual({ text: ["a"] });
});

describe("throws RETRIEVAL_FAILED, quoting nothing, for", () => {
  const refusals: [string, unknown, string][] = [
    ["3040: ", new Error(`3040: ${CANARY}`), "(Workers AI error 3040)"],
    ["a class", new Error(`InferenceUpstreamError: 3036: ${CANARY}`), "(Workers AI error 3036)"],
    ["no code", new Error(CANARY), "The embedding model failed."],
    ["no error", undefined, "The embedding model failed."],
  ];
  test.each(refusals)("an error with %s", async (_, thrown, words) => {
    const error = await failure(() => Promise.reject(thrown));
    expect(error.message).toContain(words);
  });

  // openai.test.ts tests everything that can be wrong with a vector.
  test.each<[string, unknown]>([
    ["null", null],
    ["a string", CANARY],
    ["no data", { shape: [1, 2] }],
    ["a vector with NaN, which no JSON holds", { data: [[1, Number.NaN]] }],
    ["a typed array that is no list", { data: [new Float32Array([1])] }],
    ["a request for a batch, to be asked for later", { request_id: "1" }],
  ])("an unusable response: %s", async (_, answer) => {
    const error = await failure(() => answer);
    expect(error.message).toContain("cannot be used");
  });
});

test("rejects as soon as the signal aborts, even if the binding goes on", async () => {
  const { ai, embedder } = newEmbedder();
  ai.fault = () => new Promise(() => {});
  const controller = new AbortController();
  const embedding = embedder.embed(["a"], controller.signal);
  controller.abort(new Error("the user disconnected"));
  await expect(embedding).rejects.toThrow("the user disconnected");
});

function newEmbedder(model = "@cf/baai/bge-m3") {
  const ai = new EmbeddingModel();
  return { ai, embedder: new WorkersAiEmbedder({ ai: ai as unknown as Ai, model }) };
}

async function failure(fault: () => unknown): Promise<ServiceError> {
  const { ai, embedder } = newEmbedder();
  ai.fault = fault;
  const error: unknown = await embedder.embed(["the secret plan"], signal).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ServiceError)) throw new Error("It should have failed.", { cause: error });
  expect(error.code).toBe("RETRIEVAL_FAILED");
  expect(error.message).not.toContain("secret plan");
  return error;
}
