// The OpenAI-compatible generator against a scripted model server, over
// a real connection: every misbehaviour, and every way to stop it.

import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import type { Generation } from "../../src/answer/generator.ts";
import { ServiceError } from "../../src/errors.ts";
import { OpenAiGenerator } from "../../src/generators/openai.ts";
import type { Finish } from "../../src/protocol.ts";
import {
  ANSWER,
  CANARY,
  type Directive,
  type ModelRequest,
  scripted,
} from "../support/directive.ts";
import { reading } from "../support/reading.ts";

const { OPENAI_BASE_URL: baseUrl } = env as unknown as { OPENAI_BASE_URL: string };
const API_KEY = "key-that-only-the-endpoint-may-see";

const generator = new OpenAiGenerator({ baseUrl, model: "scripted", apiKey: API_KEY });

describe("a well-behaved endpoint", () => {
  test("has its tokens yielded unchanged, one piece each, with the reason of the end", async () => {
    expect(await read({})).toEqual({ pieces: ANSWER, finish: "stop" });
  });

  test("is sent the model, the messages, the limits and the key", async () => {
    const directive = tagged({});
    await read(directive, { maxTokens: 300, temperature: 0.5 });
    expect(await recorded(directive)).toMatchObject({
      model: "scripted",
      messageCount: 2,
      options: { stream: true, max_tokens: 300, temperature: 0.5 },
      authorization: `Bearer ${API_KEY}`,
    });
  });

  test("is sent no temperature and no key if none is set", async () => {
    const directive = tagged({});
    const keyless = new OpenAiGenerator({ baseUrl, model: "scripted", apiKey: undefined });
    await drain(reading(keyless, generation(directive)));
    const request = await recorded(directive);
    expect(request.options).toEqual({ stream: true, max_tokens: 1024 });
    expect(request.authorization).toBeUndefined();
  });

  test("ends as `length` if it was cut at maxTokens", async () => {
    const { pieces, finish } = await read({ tokens: 50 }, { maxTokens: 7 });
    expect(pieces).toHaveLength(7);
    expect(finish).toBe("length");
  });

  test("may be slow to begin and slow to go on", async () => {
    const directive = { tokens: ["a", "b", "c"], headersMs: 100, firstMs: 200, gapMs: 100 };
    const startedAt = performance.now();
    expect(await read(directive)).toEqual({ pieces: ["a", "b", "c"], finish: "stop" });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(490);
  });

  test("has each token yielded as soon as it arrives", async () => {
    const controller = new AbortController();
    const directive = { tokens: ["a", "b"], gapMs: 60_000 };
    const answer = reading(generator, generation(directive), controller.signal);
    expect(await answer.next()).toEqual({ done: false, value: "a" });
    controller.abort();
  });

  test("loses no token to a slow reader", async () => {
    const answer = generate({ tokens: 3000, ignoreMaxTokens: true });
    await answer.next();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await drain(answer)).pieces).toHaveLength(2999);
  });
});

describe("in every form of stream", () => {
  const TOKENS = ["Quota ", "余额 ", "👩‍🚀", "\r\n", "é", " end"];

  test.each<[string, Directive]>([
    ["one byte at a time, inside characters, fields and line ends", { bytesPerWrite: 1 }],
    ["seven bytes at a time", { bytesPerWrite: 7 }],
    ["several frames in one write", { framesPerWrite: 4 }],
    ["all frames in one write", { framesPerWrite: 100 }],
    ["lines that end in CR LF", { lineEnd: "\r\n" }],
    ["lines that end in CR LF, cut between the two", { lineEnd: "\r\n", bytesPerWrite: 1 }],
    ["lines that end in CR", { lineEnd: "\r" }],
    ["comments, other fields and unknown members", { noise: true }],
    ["all of that at once", { noise: true, lineEnd: "\r\n", bytesPerWrite: 1 }],
    ["a content type that is wrong", { contentType: "text/plain" }],
    ["the content type of JSON", { contentType: "application/json" }],
  ])("the tokens are exact: %s", async (_, directive) => {
    expect(await read({ tokens: TOKENS, ...directive })).toEqual({
      pieces: TOKENS,
      finish: "stop",
    });
  });

  test.each([
    ["what looks like an event of ours", '\n\ndata: {"type":"done"}\n\n'],
    ["what looks like an end marker", "data: [DONE]\n\n"],
    ["line separators and control characters", "\u2028\u2029\u0085\u0000"],
  ])("a token is only text: %s", async (_, token) => {
    expect(await read({ tokens: ["a", token, "b"] })).toMatchObject({ pieces: ["a", token, "b"] });
  });

  test("a character in two tokens is yielded whole", async () => {
    expect(await read({ tokens: ["a\ud83d", "\udc69b"] })).toMatchObject({ pieces: ["a", "👩b"] });
  });

  test("a token of 2 MB comes in pieces of at most 16 Ki that cut no character", async () => {
    const { pieces } = await read({ tokens: ["a👩"], tokenLength: 2_100_000 });
    expect(pieces.join("") === "a👩".repeat(700_000)).toBe(true);
    expect(pieces.filter((piece) => piece.length > 16 * 1024 || !piece.isWellFormed())).toEqual([]);
  });

  test("hidden reasoning is never shown", async () => {
    expect(await read({ reasoning: 3 })).toEqual({ pieces: ANSWER, finish: "stop" });
  });

  test("a single JSON object is an answer in one piece", async () => {
    const answer = { pieces: [ANSWER.join("")], finish: "stop" };
    expect(await read({ fault: "json" })).toEqual(answer);
    expect(await read({ fault: "json", contentType: "text/event-stream" })).toEqual(answer);
    expect((await read({ fault: "json", tokens: 9 }, { maxTokens: 8 })).finish).toBe("length");
  });
});

describe("an answer is whole", () => {
  test.each<[string, Directive, Finish]>([
    ["at an end marker alone", { ending: ["done"] }, "stop"],
    ["at an end marker without a line end", { ending: ["unfinished-done"] }, "stop"],
    ["at a finish reason alone", { ending: ["finish"] }, "stop"],
    ["at the reason `length`", { finish: "length" }, "length"],
    ["at the first end marker of two", { ending: ["finish", "done", "done"] }, "stop"],
    ["at an end marker, even if more follows", { ending: ["finish", "done", "more"] }, "stop"],
    ["at an end marker, even if the connection then breaks", { ending: ["done", "cut"] }, "stop"],
    [
      "at a finish reason, even if the connection then breaks",
      { ending: ["finish", "cut"] },
      "stop",
    ],
    ["at an end marker, even if the stream never ends", { ending: ["done", "hang"] }, "stop"],
    ["at a finish reason, even if the stream never ends", { ending: ["finish", "hang"] }, "stop"],
  ])("%s", async (_, ending, finish) => {
    expect(await read(ending)).toEqual({ pieces: ANSWER, finish });
  });

  test("and the rest of its stream is then cancelled", async () => {
    const directive = tagged({ ending: ["finish", "done", "hang"] });
    await read(directive);
    await ended(directive, "aborted");
  });
});

describe("an answer fails", () => {
  test.each<[string, Directive]>([
    ["without an end marker and a finish reason", { fault: "end", at: 5 }],
    ["without an end marker after the last token", { ending: [] }],
    ["if the connection breaks between two tokens", { fault: "cut", at: 5 }],
    ["if the connection breaks before the first token", { fault: "cut", at: 0 }],
    ["if a frame is not JSON", { fault: "garbage", at: 5 }],
    ["if a frame reports a failure", { fault: "error", at: 5 }],
    ["if a frame reports a failure before any token", { fault: "error", at: 0 }],
    ["if its finish reason is an error", { finish: "error" }],
    ["if its finish reason is a filter", { finish: "content_filter" }],
    ["if its finish reason is unknown", { finish: "pause_turn" }],
    ["if it is an HTML page", { fault: "html" }],
    ["if it is half a JSON object", { fault: "half-json" }],
    ["if its body is empty", { fault: "empty" }],
    ["if it is only an end marker", { tokens: 0, ending: ["done"] }],
    ["if it is only a finish reason", { tokens: 0, ending: ["finish"] }],
    ["if it is only white space", { tokens: [" ", "\n"] }],
    ["if it is JSON without text", { fault: "json", tokens: [""] }],
    ["if it is only hidden reasoning", { tokens: 0, reasoning: 3, finish: "length" }],
    ["if an event is too large", { tokens: 1, tokenLength: 5 * 1024 * 1024 }],
    ["if its JSON object is too large", { fault: "json", tokens: 1, tokenLength: 5 * 1024 * 1024 }],
  ])("%s", async (_, directive) => {
    await failure(directive);
  });

  test("only after the tokens before the failure are yielded", async () => {
    const pieces: string[] = [];
    const answer = generate({ tokens: ["a", "b", "c"], fault: "cut", at: 2, framesPerWrite: 3 });
    await expect(
      (async () => {
        for await (const piece of answer) pieces.push(piece);
      })(),
    ).rejects.toThrow(ServiceError);
    expect(pieces).toEqual(["a", "b"]);
  });

  test("with a message that names the filter that stopped it", async () => {
    const error = await failure({ finish: "SAFETY" });
    expect(error.message).toContain("filter");
  });

  test("with advice to raise maxTokens if thoughts used it up", async () => {
    const error = await failure({ tokens: 0, reasoning: 3, finish: "length" });
    expect(error.message).toContain("maxTokens");
  });
});

describe("an endpoint that refuses an ask", () => {
  test.each([400, 401, 404, 429, 500, 503])(
    "with %i fails the ask, and its message stays in the cause",
    async (status) => {
      const error = await failure({ status });
      expect(String(error.cause)).toContain(`HTTP ${status}`);
      expect(String(error.cause)).toContain(CANARY);
    },
  );

  test("has the key removed from its message", async () => {
    const error = await failure({ status: 401 });
    expect(String(error.cause)).toContain("Bearer [key]");
  });

  test("has only the beginning of its message kept", async () => {
    const error = await failure({ fault: "error", tokens: 0, tokenLength: 100_000 });
    expect(String(error.cause).length).toBeLessThan(1100);
  });

  test("without end is left after a moment", async () => {
    const directive = tagged({ status: 500, fault: "hang" });
    await failure(directive);
    await ended(directive, "aborted");
  });

  test("with a redirect is not followed", async () => {
    const directive = tagged({ fault: "redirect" });
    await failure(directive);
    expect((await requests(directive)).map((request) => request.path)).toEqual([
      "/v1/chat/completions",
    ]);
  });

  test.each([
    [
      "names a host of this machine",
      "http://127.0.0.1:1/v1?key=key-of-the-address",
      "The model cannot be reached at 127.0.0.1:1. You were not charged. Is its server running?",
      "127.0.0.1:1",
    ],
    [
      "names another host in the log only",
      "http://model.invalid:8443/v1?key=key-of-the-address",
      "The model cannot be reached. You were not charged; ask again in a moment.",
      "model.invalid:8443",
    ],
  ])("at the connection %s", async (_, baseUrl, message, host) => {
    const nowhere = new OpenAiGenerator({ baseUrl, model: "scripted", apiKey: API_KEY });
    const error = await drain(reading(nowhere, generation({}))).catch((thrown) => thrown);
    expect(error).toMatchObject({
      code: "GENERATION_FAILED",
      message,
      details: {
        diagnosis: `no response from ${host}: check OPENAI_BASE_URL, and that a server runs there`,
      },
    });
  });
});

describe("the endpoint is stopped at once", () => {
  const disconnected = new Error("disconnected");

  test.each<[string, Directive, number]>([
    ["before the headers", { fault: "hang-before-headers" }, 0],
    ["before the first token", { fault: "hang", at: 0 }, 0],
    ["in a silence between tokens", { fault: "hang", at: 5 }, 5],
    ["while tokens flow", { tokens: 100, gapMs: 20 }, 5],
    ["while tokens flow without a pause", { fault: "endless" }, 50],
    ["while a refusal does not end", { status: 500, fault: "hang" }, 0],
  ])("by the signal, %s", async (_, script, piecesBefore) => {
    const directive = tagged(script);
    const controller = new AbortController();
    const answer = reading(generator, generation(directive), controller.signal);
    for (let n = 0; n < piecesBefore; n++) await answer.next();
    const pending = drain(answer);
    pending.catch(() => {}); // Looked at below, once the endpoint has been asked.
    await vi.waitFor(() => recorded(directive));

    const stoppedAt = Date.now();
    controller.abort(disconnected);
    await expect(pending).rejects.toBe(disconnected);
    const { endedAt } = await ended(directive, "aborted");
    expect(endedAt - stoppedAt).toBeLessThan(2_000);
  });

  test("and is not asked if the signal has already aborted", async () => {
    const directive = tagged({});
    const answer = reading(generator, generation(directive), AbortSignal.abort(disconnected));
    await expect(answer.next()).rejects.toBe(disconnected);
    expect(await requests(directive)).toEqual([]);
  });
});

interface Limits {
  maxTokens?: number;
  temperature?: number;
}

function generation(
  directive: Directive,
  { maxTokens = 1024, temperature }: Limits = {},
): Generation {
  const query = scripted(directive);
  return {
    query,
    search: { text: query, asked: query },
    history: [],
    passages: [],
    messages: [
      { role: "system", content: "Answer from the passages." },
      { role: "user", content: query },
    ],
    maxTokens,
    temperature,
  };
}

function generate(directive: Directive, limits?: Limits): AsyncGenerator<string, Finish, void> {
  return reading(generator, generation(directive, limits));
}

async function drain(answer: AsyncGenerator<string, Finish, void>) {
  const pieces: string[] = [];
  for (;;) {
    const { done, value } = await answer.next();
    if (done) return { pieces, finish: value };
    pieces.push(value);
  }
}

function read(directive: Directive, limits?: Limits) {
  return drain(generate(directive, limits));
}

/** The failure. Checks that its message has no word of the model server. */
async function failure(directive: Directive): Promise<ServiceError> {
  const error: unknown = await read(directive).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ServiceError)) throw new Error("It should have failed.", { cause: error });
  expect(error.code).toBe("GENERATION_FAILED");
  for (const secret of [CANARY, API_KEY, baseUrl]) {
    expect(JSON.stringify(error.body)).not.toContain(secret);
  }
  expect(String(error.cause)).not.toContain(API_KEY);
  return error;
}

function tagged(directive: Directive): Directive & { tag: string } {
  return { ...directive, tag: crypto.randomUUID() };
}

/** The requests of the model server under a tag. */
async function requests({ tag }: { tag: string }): Promise<ModelRequest[]> {
  const response = await fetch(new URL("/requests", baseUrl));
  return (await response.json<ModelRequest[]>()).filter((request) => request.tag === tag);
}

async function recorded(directive: { tag: string }): Promise<ModelRequest> {
  const [request] = await requests(directive);
  if (request === undefined) throw new Error("The model server was not asked.");
  return request;
}

async function ended(directive: { tag: string }, state: ModelRequest["state"]) {
  const { endedAt } = await vi.waitFor(async () => {
    const request = await recorded(directive);
    expect(request.state).toBe(state);
    return request;
  });
  return { endedAt: endedAt ?? Number.NaN };
}
