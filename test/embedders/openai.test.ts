// The OpenAI-compatible embedder against the scripted server, over a real
// connection: what it sends, and what it refuses.

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

test("returns a vector for each text, in order", async () => {
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

test("sends no key if there is none", async () => {
  const tag = crypto.randomUUID();
  const keyless = new OpenAiEmbedder({ baseUrl, model: "bge-m3", apiKey: undefined });
  await keyless.embed([tag], signal);
  expect((await recorded(tag)).authorization).toBeUndefined();
});

test("sorts vectors that arrive in another order", async () => {
  const texts = [directed({ order: [2, 0, 1] }), "A doctor.", "A fee."];
  expect(await embedder.embed(texts, signal)).toEqual(texts.map(meaning));
});

describe("throws RETRIEVAL_FAILED, quoting nothing, for", () => {
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
    ["a repeated index", { order: [0, 0] }, "no list"],
    ["an index that is no whole number", { order: [0, 7] }, "no list"],
    ["a missing first index", { order: [1, 1] }, "something else than a vector"],
    ["an index out of range", { order: [0, 4_294_967_294] }, "no list"],
    ["fewer vectors than texts", { order: [0] }, "1 vectors for 2 texts"],
    ["more vectors than texts", { order: [0, 1, 2] }, "3 vectors for 2 texts"],
    ["numbers for vectors", of(1, 2), "something else than a vector"],
    ["null for a vector", of([1], null), "something else than a vector"],
    ["an encoded vector", of("AACAPw==", "AACAPw=="), "something else than a vector"],
    ["empty vectors", of([], []), "something else than a vector"],
    ["vectors of different lengths", of([1, 2], [1]), "different lengths"],
    ["strings in a vector", of([1, 2], [1, "2"]), "not all numbers"],
    ["null in a vector, as JSON writes NaN", of([1, 2], [1, null]), "not all numbers"],
    ["infinity in a vector", { body: list("[1,2]", "[1,1e999]") }, "not all numbers"],
    ["a vector of zeros", of([1, 2], [0, 0]), "nothing but zeros"],
  ])("%s", async (_, directive, words) => {
    const error = await failure([directed(directive, SECRET), "b"]);
    expect(error.message).toContain(words);
  });

  test("an unreachable endpoint, whose host is named", async () => {
    const nowhere = new OpenAiEmbedder({
      baseUrl: "http://127.0.0.1:9/v1?key=key-of-the-address",
      model: "m",
      apiKey: API_KEY,
    });
    expect(await failure([SECRET], nowhere)).toMatchObject({
      message: "The embedding model failed: no answer at 127.0.0.1:9.",
      details: {
        diagnosis: "no response from 127.0.0.1:9: check its address, and that a server runs there",
      },
    });
  });
});

test("rejects with the signal's reason as soon as it aborts", async () => {
  const controller = new AbortController();
  const text = directed({ fault: "hang" }, crypto.randomUUID());
  const embedding = embedder.embed([text], controller.signal);
  await expect.poll(() => recorded(text)).toBeDefined();
  controller.abort(new Error("the user disconnected"));
  await expect(embedding).rejects.toThrow("the user disconnected");
  await expect.poll(async () => (await recorded(text)).state).toBe("aborted");
});

test("sends no request if the signal has aborted", async () => {
  const text = crypto.randomUUID();
  await expect(embedder.embed([text], AbortSignal.abort(new Error("left")))).rejects.toThrow(
    "left",
  );
  expect(await recorded(text)).toBeUndefined();
});

function of(...vectors: unknown[]): EmbeddingDirective {
  return { body: list(...vectors.map((vector) => JSON.stringify(vector))) };
}

/** JSON texts, since an infinity cannot be written as JSON. */
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
