// The OpenAI-compatible embedder against the scripted server, over a real connection: what it sends, and
// what it makes of every answer that is none.

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { OpenAiEmbedder } from "../../src/embedders/openai.ts";
import { ServiceError } from "../../src/errors.ts";
import { CANARY, type ModelRequest } from "../support/directive.ts";
import { directed, type EmbeddingDirective, meaning } from "../support/meaning.ts";

const { OPENAI_BASE_URL: baseUrl } = env;
const API_KEY = "key-that-only-the-endpoint-may-see";
const SECRET = "What does the secret plan say?";

const embedder = new OpenAiEmbedder({ baseUrl, model: "bge-m3", apiKey: API_KEY });
const signal = new AbortController().signal;

test("gives a vector for each text, in their order", async () => {
  const texts = ["A car.", "A doctor.", "余额是多少？"];
  expect(await embedder.embed(texts, signal)).toEqual(texts.map(meaning));
});

test("sends the model, the texts and the key", async () => {
  const tag = crypto.randomUUID();
  await embedder.embed([tag, "b"], signal);
  expect(await recorded(tag)).toMatchObject({
    path: "/v1/embeddings",
    model: "bge-m3",
    options: { input: [tag, "b"], encoding_format: "float" },
    authorization: `Bearer ${API_KEY}`,
  });
});

test("sends no key where there is none", async () => {
  const tag = crypto.randomUUID();
  const keyless = new OpenAiEmbedder({ baseUrl, model: "bge-m3", apiKey: undefined });
  await keyless.embed([tag], signal);
  expect((await recorded(tag)).authorization).toBeUndefined();
});

test("puts vectors that come in another order in that of the texts", async () => {
  const texts = [directed({ order: [2, 0, 1] }), "A doctor.", "A fee."];
  expect(await embedder.embed(texts, signal)).toEqual(texts.map(meaning));
});

describe("refuses with RETRIEVAL_FAILED, and without the endpoint's words,", () => {
  test.each<[string, EmbeddingDirective, string]>([
    ["a refusal", { status: 401 }, "refused (HTTP 401)"],
    ["a busy model", { status: 429 }, "refused (HTTP 429)"],
    ["a failure", { status: 500 }, "refused (HTTP 500)"],
    ["a redirect", { fault: "redirect" }, "refused (HTTP 307)"],
    ["a broken connection", { fault: "cut" }, "no answer"],
    ["an answer without end", { fault: "endless" }, "too long"],
    ["no JSON", { body: `<p>${CANARY}</p>` }, "no JSON"],
    ["nothing", { body: "" }, "no JSON"],
    ["null", { body: "null" }, "no list"],
    ["an error under 200", { body: `{"error":{"message":"${CANARY}"}}` }, "no list"],
    ["a list that is an object", { body: '{"data":{"0":[1]}}' }, "no list"],
    ["places that are taken twice", { order: [0, 0] }, "no list"],
    ["a place that is none", { order: [0, 7] }, "no list"],
    ["a first place that is missing", { order: [1, 1] }, "something else than a vector"],
    ["places out of all range", { order: [0, 4_294_967_294] }, "no list"],
    ["fewer vectors than texts", { order: [0] }, "1 vectors for 2 texts"],
    ["more vectors than texts", { order: [0, 1, 2] }, "3 vectors for 2 texts"],
    ["numbers for vectors", of(1, 2), "something else than a vector"],
    ["null for a vector", of([1], null), "something else than a vector"],
    ["an encoded vector", of("AACAPw==", "AACAPw=="), "something else than a vector"],
    ["empty vectors", of([], []), "something else than a vector"],
    ["vectors of different lengths", of([1, 2], [1]), "different lengths"],
    ["strings in a vector", of([1, 2], [1, "2"]), "not all numbers"],
    ["null in a vector, which stands for NaN", of([1, 2], [1, null]), "not all numbers"],
    ["infinity in a vector", { body: list("[1,2]", "[1,1e999]") }, "not all numbers"],
    ["a vector of zeros", of([1, 2], [0, 0]), "nothing but zeros"],
  ])("%s", async (_, directive, words) => {
    const error = await failure([directed(directive, SECRET), "b"]);
    expect(error.message).toContain(words);
  });

  test("an endpoint that is not there", async () => {
    const nowhere = new OpenAiEmbedder({
      baseUrl: "http://127.0.0.1:9/v1",
      model: "m",
      apiKey: API_KEY,
    });
    expect((await failure([SECRET], nowhere)).message).toContain("no answer");
  });
});

test("gives up as soon as the signal aborts, with its reason", async () => {
  const leaver = new AbortController();
  const text = directed({ fault: "hang" }, crypto.randomUUID());
  const embedding = embedder.embed([text], leaver.signal);
  await expect.poll(() => recorded(text)).toBeDefined();
  leaver.abort(new Error("the user left"));
  await expect(embedding).rejects.toThrow("the user left");
  await expect.poll(async () => (await recorded(text)).state).toBe("aborted");
});

test("asks nothing once the signal has aborted", async () => {
  const text = crypto.randomUUID();
  await expect(embedder.embed([text], AbortSignal.abort(new Error("left")))).rejects.toThrow(
    "left",
  );
  expect(await recorded(text)).toBeUndefined();
});

function of(...vectors: unknown[]): EmbeddingDirective {
  return { body: list(...vectors.map((vector) => JSON.stringify(vector))) };
}

/** Strings of JSON, since JSON has no infinity to be made from. */
function list(...vectors: string[]): string {
  return `{"data":[${vectors.map((embedding) => `{"embedding":${embedding}}`).join()}]}`;
}

async function recorded(tag: string): Promise<ModelRequest> {
  const requests: ModelRequest[] = await (await fetch(baseUrl.replace(/v1$/, "requests"))).json();
  return requests.find((request) => request.tag === tag) as ModelRequest;
}

async function failure(texts: readonly string[], by = embedder): Promise<ServiceError> {
  const error: unknown = await by.embed(texts, signal).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ServiceError)) throw new Error("It should have failed.", { cause: error });
  expect(error.code).toBe("RETRIEVAL_FAILED");
  for (const secret of [CANARY, API_KEY, "secret plan"])
    expect(error.message).not.toContain(secret);
  return error;
}
