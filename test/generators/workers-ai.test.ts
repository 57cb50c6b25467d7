// The Workers AI generator against a stand-in for the binding. It
// replays recordings of both dialects and their mixture, cut at every
// byte, and every failure.

import { describe, expect, test, vi } from "vitest";
import type { Generation } from "../../src/answer/generator.ts";
import { ServiceError } from "../../src/errors.ts";
import { WorkersAiGenerator } from "../../src/generators/workers-ai.ts";
import type { Finish } from "../../src/protocol.ts";
import { newUser } from "../harness.ts";
import { reading } from "../support/reading.ts";

const QUERY = "What does the secret plan say?";
const CANARY = "words of the binding, which may repeat the secret plan";

/** llama-3.3-70b and llama-4-scout: native, padded, digits as a number. */
const NATIVE = events(
  { response: "", tool_calls: [], p: "abdefghijklmnoprstuvxyz12" },
  { response: "In ", tool_calls: [], p: "abdefghijklmnoprstuvxyz1234567890abdefghijklmnopr" },
  { response: 2026, tool_calls: [], p: "abdefgh" },
  { response: " 余额 👩‍🚀\n\n", tool_calls: [], p: "abdefghi" },
  { response: "[1].", tool_calls: [], p: "a" },
  { response: "", tool_calls: [], p: "abdefghijklmno" },
  { tool_calls: [], p: "abdefghijk" },
  { response: "", usage: { prompt_tokens: 169, completion_tokens: 48, total_tokens: 217 } },
  "[DONE]",
);
const NATIVE_PIECES = ["In ", "2026", " 余额 👩‍🚀\n\n", "[1]."];

/** kimi-k2.5: OpenAI's dialect, then one native event. */
const MIXED = events(
  chunk({ role: "assistant", content: "" }),
  { ...chunk({ reasoning_content: "The user wants" }), p: "abdefghijklmnop" },
  { ...chunk({ content: "Quota " }), p: "abdefghi" },
  { ...chunk({ content: "余额 [1]." }), p: "abd" },
  chunk({}, "stop"),
  { object: "chat.completion.chunk", choices: [], usage: { completion_tokens: 21 } },
  {
    response: "",
    usage: { completion_tokens: 21, prompt_tokens_details: { cached_tokens: 0 } },
  },
  "[DONE]",
);
const MIXED_PIECES = ["Quota ", "余额 [1]."];

/** gpt-oss: thoughts first, and two ends. */
const REASONING = events(
  chunk({ role: "assistant", content: "" }),
  chunk({ reasoning_content: "" }),
  chunk({ reasoning_content: "We need " }),
  chunk({ reasoning: "to answer." }),
  chunk({ content: "é" }),
  chunk({ content: " end" }),
  { ...chunk({}, "stop"), usage: { prompt_tokens: 90, completion_tokens: 33, total_tokens: 123 } },
  { ...chunk({}, "stop"), usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } },
  "[DONE]",
);
const REASONING_PIECES = ["é", " end"];

/** From the provider's tests: an end marker without `data:`. */
const BARE_END = `${events({ response: "a" }, { choices: [], usage: {} })}[DONE]\n\n`;

describe("the binding", () => {
  test("is sent the model, the messages, the limits and a signal", async () => {
    const ai = new StandIn(() => stream(NATIVE));
    await read(ai, { maxTokens: 300, temperature: 0.5 }, "@cf/meta/llama-4-scout-17b-16e-instruct");
    const { signal, ...call } = ai.only();
    expect(call).toEqual({
      model: "@cf/meta/llama-4-scout-17b-16e-instruct",
      inputs: { messages: generation().messages, stream: true, max_tokens: 300, temperature: 0.5 },
    });
    expect(signal).toBeInstanceOf(AbortSignal);
  });

  test("is always sent a limit, and no temperature if none is set", async () => {
    const ai = new StandIn(() => stream(NATIVE));
    await read(ai, {}, "@cf/meta/llama-4-scout-17b-16e-instruct");
    expect(ai.only().inputs).toMatchObject({ max_tokens: 1024 });
    expect(ai.only().inputs).not.toHaveProperty("temperature");
  });

  test.each(["@cf/openai/gpt-oss-120b", "@cf/openai/gpt-oss-20b"])(
    "asks %s to think little, since thoughts use up maxTokens",
    async (model) => {
      const ai = new StandIn(() => stream(REASONING));
      await read(ai, {}, model);
      expect(ai.only().inputs).toMatchObject({ reasoning_effort: "low" });
    },
  );
});

describe("a recorded stream", () => {
  const recordings: [string, string, string[]][] = [
    ["the native dialect", NATIVE, NATIVE_PIECES],
    ["both dialects in one stream", MIXED, MIXED_PIECES],
    ["OpenAI's dialect, with hidden reasoning and two ends", REASONING, REASONING_PIECES],
    ["an end marker without its field", BARE_END, ["a"]],
    ["lines that end in CR LF", NATIVE.replaceAll("\n", "\r\n"), NATIVE_PIECES],
    ["no blank line at the end", NATIVE.trimEnd(), NATIVE_PIECES],
    ["no line's end after a bare end marker", BARE_END.trimEnd(), ["a"]],
  ];

  test.each(recordings)(
    "is the same in two chunks, cut at any byte: %s",
    async (_, text, pieces) => {
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at <= bytes.length; at += 1) {
        const ai = new StandIn(() => stream(bytes.subarray(0, at), bytes.subarray(at)));
        expect(await read(ai), `cut at byte ${at}`).toEqual({ pieces, finish: "stop" });
      }
    },
  );

  test.each(recordings)("is the same byte by byte: %s", async (_, text, pieces) => {
    const bytes = Array.from(new TextEncoder().encode(text), (byte) => new Uint8Array([byte]));
    const ai = new StandIn(() => stream(...bytes));
    expect(await read(ai)).toEqual({ pieces, finish: "stop" });
  });

  test.each<[string, string, string]>([
    ["the native dialect", NATIVE, "data: [DONE]"],
    ["a bare end marker", BARE_END, "\n[DONE]"],
    ["both dialects", MIXED, 'finish_reason":"stop"}]}'],
  ])(
    "is whole where it breaks off at its end or later, and never before: %s",
    async (_, text, end) => {
      const bytes = new TextEncoder().encode(text);
      const wholeFrom = new TextEncoder().encode(
        text.slice(0, text.indexOf(end) + end.length),
      ).length;
      for (let at = 0; at < wholeFrom; at += 1) {
        const ai = new StandIn(() => stream(bytes.subarray(0, at)));
        await expect(read(ai), `cut at byte ${at}`).rejects.toMatchObject({
          code: "GENERATION_FAILED",
        });
      }
      for (let at = wholeFrom; at <= bytes.length; at += 1) {
        const ai = new StandIn(() => stream(bytes.subarray(0, at)));
        expect((await read(ai)).finish, `cut at byte ${at}`).toBe("stop");
      }
    },
  );
});

describe("an answer ends", () => {
  const said = (finish_reason: string) => events({ response: "a" }, { finish_reason }, "[DONE]");
  const counted = (tokens: number) => {
    const usage = { completion_tokens: tokens };
    return events(
      { response: "a" },
      { response: "", usage },
      { usage: { completion_tokens: 0 } },
      "[DONE]",
    );
  };

  test.each<[string, string, Finish]>([
    ["by `stop` at the top of an event", said("stop"), "stop"],
    ["by `length` at the top of an event", said("length"), "length"],
    ["by `model_length`", said("model_length"), "length"],
    ["by its limit where it gives no reason, but counts its tokens", counted(1024), "length"],
    ["by itself where it gives no reason, and counts fewer", counted(1023), "stop"],
    [
      "by the reason that it gives, whatever it counts",
      events({ response: "a", usage: { completion_tokens: 1024 } }, { finish_reason: "stop" }),
      "stop",
    ],
  ])("%s", async (_, text, finish) => {
    expect(await read(new StandIn(() => stream(text)))).toEqual({ pieces: ["a"], finish });
  });
});

describe("thoughts between tags in the answer", () => {
  const native = (...tokens: string[]) =>
    events(...tokens.map((response) => ({ response })), "[DONE]");

  test.each<[string, string[]]>([
    ["in one token", ["<think>\nThe user wants\n</think>\n\nThe answer"]],
    ["in many", ["<think>", "\n", "The user", " wants", "</think>", "\n\n", "The answer"]],
    ["whose tags are cut", ["\n<th", "ink", ">The user <", "/thi", "nk", ">The ", "answer"]],
    ["that are empty", ["<think></think>", "The answer"]],
  ])("are never shown: %s", async (_, tokens) => {
    const { pieces } = await read(new StandIn(() => stream(native(...tokens))));
    expect(pieces.join("").trimStart()).toBe("The answer");
  });

  test.each([["<"], ["<thinking> is a tag"], ["Write <think> and </think>"], ["<th"]])(
    "are not found in %j",
    async (text) => {
      const { pieces } = await read(new StandIn(() => stream(native(...text))));
      expect(pieces.join("")).toBe(text);
    },
  );

  test("are no answer if they never end", async () => {
    const ai = new StandIn(() => stream(native("<think>", "On and on")));
    await expect(read(ai)).rejects.toMatchObject({ code: "GENERATION_FAILED" });
  });
});

describe("a single object instead of a stream", () => {
  test.each<[string, unknown, Finish]>([
    ["of the native dialect", { response: "7 days", tool_calls: [], usage: {} }, "stop"],
    ["that was cut", { response: "7 days", usage: { completion_tokens: 1024 } }, "length"],
    ["of OpenAI's dialect", whole({ content: "7 days", reasoning_content: "Hm." }, "stop"), "stop"],
    ["of OpenAI's dialect, cut", whole({ content: "7 days" }, "length"), "length"],
  ])("%s is an answer in one piece", async (_, object, finish) => {
    expect(await read(new StandIn(() => object))).toEqual({ pieces: ["7 days"], finish });
  });

  test("with only a number is an answer", async () => {
    expect((await read(new StandIn(() => ({ response: 7 })))).pieces).toEqual(["7"]);
  });

  test("may come as a stream if its content type has a charset", async () => {
    const ai = new StandIn(() => stream('{"response":', '"7 days"}'));
    expect(await read(ai)).toEqual({ pieces: ["7 days"], finish: "stop" });
  });
});

describe("an answer fails", () => {
  test.each<[string, () => unknown]>([
    ["no end marker and no finish reason", () => stream(events({ response: CANARY }))],
    ["nothing", () => stream()],
    ["an end marker and nothing else", () => stream(events("[DONE]"))],
    ["a bare end marker and nothing else", () => stream("[DONE]")],
    ["no text", () => stream(events({ response: "" }, { tool_calls: [] }, "[DONE]"))],
    [
      "nothing but reasoning",
      () => stream(events(chunk({ reasoning: CANARY }, "length"), "[DONE]")),
    ],
    [
      "an error among the events",
      () => stream(events({ response: "a" }, { error: CANARY }, "[DONE]")),
    ],
    [
      "a list of errors among the events",
      () =>
        stream(events({ response: "a" }, { errors: [{ code: 3040, message: CANARY }] }, "[DONE]")),
    ],
    [
      "an event that is not JSON",
      () => stream(`data: {"response":"${CANARY}\n\n`, events("[DONE]")),
    ],
    [
      "a reason that says so",
      () => stream(events({ response: "a", finish_reason: "error" }, "[DONE]")),
    ],
    ["an object without text", () => ({ tool_calls: [] })],
    ["an object of errors", () => ({ success: false, errors: [{ code: 3040, message: CANARY }] })],
    ["an object of objects", () => ({ response: { text: CANARY } })],
    ["null", () => null],
    ["undefined", () => undefined],
    ["a string", () => CANARY],
    ["a stream that breaks", () => broken(events({ response: "a" }))],
    ["an event too large to read", () => stream(events({ response: CANARY.repeat(100_000) }))],
  ])("with %s", async (_, respond) => {
    const error = await failure(new StandIn(respond));
    expect(error.code).toBe("GENERATION_FAILED");
  });

  test("but not if the stream breaks only after its end", async () => {
    expect((await read(new StandIn(() => broken(MIXED)))).pieces).toEqual(MIXED_PIECES);
  });

  test("only after the tokens before the failure are yielded", async () => {
    const answer = generate(new StandIn(() => broken(events({ response: "a" }))));
    expect(await answer.next()).toEqual({ done: false, value: "a" });
    await expect(answer.next()).rejects.toThrow(ServiceError);
  });
});

describe("the binding refuses", () => {
  const MIDNIGHT = Date.UTC(2026, 10, 23);

  test.each([
    ["3040: ", 3040],
    ["AiError: 3040: ", 3040],
    ["InferenceUpstreamError: 3040: ", 3040],
    ["InferenceUpstreamError: AiError: 3040: ", 3040],
  ])("when it is out of capacity: UNAVAILABLE for a moment (%s)", async (prefix) => {
    const error = await failure(refusing(new Error(prefix + CANARY)));
    expect(error).toMatchObject({ code: "UNAVAILABLE", status: 503 });
    expect(error.details.headers).toEqual({ "retry-after": "10" });
    expect(error.message).toContain("3040");
  });

  test.each([3036, 4006])(
    "when the daily allocation is used up: UNAVAILABLE until midnight (%i)",
    async (code) => {
      vi.useFakeTimers({ now: MIDNIGHT - 90_000, toFake: ["Date"] });
      const error = await failure(refusing(new Error(`${code}: ${CANARY}`)));
      vi.useRealTimers();
      expect(error).toMatchObject({ code: "UNAVAILABLE", status: 503 });
      expect(error.details.headers).toEqual({ "retry-after": "90" });
      expect(error.message).toContain("00:00 UTC");
    },
  );

  test.each([
    [3006, "topK"],
    [3007, "too long"],
    [3008, "too long"],
    [3003, "operator"],
    [3023, "operator"],
    [3041, "operator"],
    [3042, "operator"],
    [5004, "operator"],
    [5005, "operator"],
    [5007, "operator"],
    [5016, "operator"],
    [5018, "operator"],
    [5019, "operator"],
    [5035, "operator"],
    [9999, "operator"],
  ])("with error %i, and the user is told what to do", async (code, advice) => {
    const error = await failure(refusing(new Error(`${code}: ${CANARY}`)));
    expect(error.code).toBe("GENERATION_FAILED");
    expect(error.message).toContain(String(code));
    expect(error.message).toContain(advice);
    expect(error.message).toContain("You were not charged");
    expect(String(error.cause)).toContain(String(code));
  });

  test.each([
    ["an error without a code", new Error(CANARY)],
    ["a number that is no code", new Error(`The plan for 3040: ${CANARY}`)],
    ["a lost connection", new Error("Network connection lost.")],
    ["no error", CANARY],
    ["nothing", undefined],
  ])("with %s", async (_, thrown) => {
    const error = await failure(refusing(thrown));
    expect(error).toMatchObject({
      code: "GENERATION_FAILED",
      message: "The model failed. You were not charged; ask again in a moment.",
    });
  });

  test("at once, without a promise", async () => {
    const error = await failure(
      new StandIn(() => {
        throw new Error(`3040: ${CANARY}`);
      }),
    );
    expect(error.code).toBe("UNAVAILABLE");
  });
});

describe("the model is stopped at once", () => {
  const disconnected = new Error("disconnected");

  test("by the signal, before the model has answered", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const controller = new AbortController();
    const ai = new StandIn(() => promise);
    const pending = generate(ai, {}, controller.signal).next();
    controller.abort(disconnected);
    await expect(pending).rejects.toBe(disconnected);
    expect(ai.only().signal?.aborted).toBe(true);

    const late = new Watched(NATIVE);
    resolve(late.stream);
    await vi.waitFor(() => expect(late.cancelled).toBe(true));
  });

  test.each([0, 1])("by the signal, in a silence after %i tokens", async (tokens) => {
    const watched = new Watched(events(...Array(tokens).fill({ response: "a" })));
    const controller = new AbortController();
    const ai = new StandIn(() => watched.stream);
    const answer = generate(ai, {}, controller.signal);
    for (let n = 0; n < tokens; n += 1) await answer.next();
    const pending = answer.next();
    await vi.waitFor(() => expect(watched.waitedFor).toBe(true));
    controller.abort(disconnected);
    await expect(pending).rejects.toBe(disconnected);
    expect(watched.cancelled).toBe(true);
    expect(ai.only().signal?.aborted).toBe(true);
  });

  test("and is not asked if the signal has already aborted", async () => {
    const ai = new StandIn(() => stream(NATIVE));
    await expect(generate(ai, {}, AbortSignal.abort(disconnected)).next()).rejects.toBe(
      disconnected,
    );
    expect(ai.calls).toEqual([]);
  });

  test("after an end marker, even if the stream does not end", async () => {
    const watched = new Watched(NATIVE);
    await read(new StandIn(() => watched.stream));
    expect(watched.cancelled).toBe(true);
  });
});

describe("an ask of a deployment with Workers AI", () => {
  const userOf = (ai: StandIn | undefined, settings = {}) =>
    newUser({ GENERATOR: "workers-ai", AI: ai as never, ...settings });

  test("streams, and is charged", async () => {
    const ai = new StandIn(() => stream(NATIVE));
    const user = await userOf(ai);
    const answer = await user.ask(QUERY);
    expect((await answer.all()).at(-1)).toMatchObject({ type: "done", finish: "stop" });
    expect(answer.answer).toBe(NATIVE_PIECES.join(""));
    expect(ai.only().model).toBe("@cf/openai/gpt-oss-120b");
    expect(await user.resolved(answer.queryId)).toMatchObject({ state: "charged" });
  });

  test("asks the model that WORKERS_AI_MODEL names", async () => {
    const ai = new StandIn(() => stream(NATIVE));
    const user = await userOf(ai, { WORKERS_AI_MODEL: "@cf/zai-org/glm-4.7-flash" });
    await (await user.ask(QUERY)).all();
    expect(ai.only().model).toBe("@cf/zai-org/glm-4.7-flash");
  });

  test("is refunded with 503 and Retry-After when there is no capacity", async () => {
    const user = await userOf(refusing(new Error(`3040: ${CANARY}`)));
    const response = await user.askForJson(QUERY);
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("10");
    expect(await response.json()).toMatchObject({ type: "error", code: "UNAVAILABLE" });
    expect(await user.quota()).toMatchObject({ reserved: 0, charged: 0, refunded: 1 });
  });

  test("ends in an error event if the stream has begun", async () => {
    const user = await userOf(refusing(new Error(`3040: ${CANARY}`)));
    const answer = await user.ask(QUERY);
    expect(answer.response.status).toBe(200);
    expect((await answer.all()).at(-1)).toMatchObject({ type: "error", code: "UNAVAILABLE" });
    expect(answer.text).not.toContain(CANARY);
    expect(await user.resolved(answer.queryId)).toMatchObject({ state: "refunded" });
  });

  test("stops the model when its user disconnects", async () => {
    const watched = new Watched(events({ response: "a" }));
    const ai = new StandIn(() => watched.stream);
    const user = await userOf(ai);
    const answer = await user.ask(QUERY);
    await answer.until("token");
    answer.leave();
    expect(await user.resolved(answer.queryId)).toMatchObject({ reason: "disconnected" });
    expect(watched.cancelled).toBe(true);
    expect(ai.only().signal?.aborted).toBe(true);
  });

  test("is refused without the binding, and the error and the log name it", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const user = await userOf(undefined);
    const response = await user.askForJson(QUERY);
    expect(response.status).toBe(503);
    const { code, message } = await response.json<{ code: string; message: string }>();
    expect(code).toBe("UNAVAILABLE");
    expect(message).toMatch(/GENERATOR .*binding AI/);
    expect(log.mock.calls.join()).toMatch(/GENERATOR .*binding AI/);
    expect(await user.receipts()).toEqual([]);
  });

  test.each(["glm-flash", "@cf/glm", "@cf/zai/a b", "https://models.example/a/b"])(
    "is refused with the impossible model name %s",
    async (model) => {
      const user = await userOf(new StandIn(() => stream(NATIVE)), { WORKERS_AI_MODEL: model });
      const response = await user.askForJson(QUERY);
      expect(response.status).toBe(503);
      const { message } = await response.json<{ message: string }>();
      expect(message).toContain("WORKERS_AI_MODEL");
      expect(message).not.toContain(model);
    },
  );
});

interface Call {
  readonly model: string;
  readonly inputs: Record<string, unknown>;
  readonly signal: AbortSignal | undefined;
}

/** Replaces the AI binding. */
class StandIn {
  readonly calls: Call[] = [];
  readonly #respond: () => unknown;

  constructor(respond: () => unknown) {
    this.#respond = respond;
  }

  run(model: string, inputs: Record<string, unknown>, options: AiOptions = {}): Promise<unknown> {
    this.calls.push({ model, inputs, signal: options.signal });
    return Promise.resolve(this.#respond());
  }

  only(): Call {
    expect(this.calls).toHaveLength(1);
    return this.calls[0] as Call;
  }
}

/** A stream that goes silent, and records what happens to it. */
class Watched {
  cancelled = false;
  waitedFor = false;
  readonly stream: ReadableStream<Uint8Array>;

  constructor(text: string) {
    let sent = text === "";
    this.stream = new ReadableStream({
      pull: async (controller) => {
        if (sent) {
          this.waitedFor = true;
          await new Promise(() => {});
        }
        sent = true;
        controller.enqueue(new TextEncoder().encode(text));
      },
      cancel: () => {
        this.cancelled = true;
      },
    });
  }
}

function refusing(thrown: unknown): StandIn {
  return new StandIn(() => Promise.reject(thrown));
}

function stream(...parts: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) {
        controller.enqueue(typeof part === "string" ? new TextEncoder().encode(part) : part);
      }
      controller.close();
    },
  });
}

function broken(text: string): ReadableStream<Uint8Array> {
  let sent = false;
  return new ReadableStream({
    pull(controller) {
      if (sent) controller.error(new Error("Network connection lost."));
      else controller.enqueue(new TextEncoder().encode(text));
      sent = true;
    },
  });
}

function events(...data: unknown[]): string {
  return data
    .map((one) => `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`)
    .join("");
}

function chunk(delta: Record<string, unknown>, finish_reason: string | null = null) {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason }];
  return { id: "id-1778261", object: "chat.completion.chunk", choices };
}

function whole(message: Record<string, unknown>, finish_reason: string) {
  const choices = [{ index: 0, message: { role: "assistant", ...message }, finish_reason }];
  return { id: "id-1778261", object: "chat.completion", choices };
}

interface Limits {
  maxTokens?: number;
  temperature?: number;
}

function generation({ maxTokens = 1024, temperature }: Limits = {}): Generation {
  return {
    query: QUERY,
    search: { text: QUERY, asked: QUERY },
    history: [],
    passages: [],
    messages: [
      { role: "system", content: "Answer from the passages." },
      { role: "user", content: QUERY },
    ],
    maxTokens,
    temperature,
  };
}

function generate(
  ai: StandIn,
  limits: Limits = {},
  signal = new AbortController().signal,
  model = "@cf/openai/gpt-oss-120b",
): AsyncGenerator<string, Finish, void> {
  const generator = new WorkersAiGenerator({ ai: ai as unknown as Ai, model });
  return reading(generator, generation(limits), signal);
}

async function read(ai: StandIn, limits: Limits = {}, model?: string) {
  const answer = generate(ai, limits, undefined, model);
  const pieces: string[] = [];
  for (;;) {
    const { done, value } = await answer.next();
    if (done) return { pieces, finish: value };
    pieces.push(value);
  }
}

/**
 * The failure. Checks that neither its message nor the log quotes the
 * error.
 */
async function failure(ai: StandIn): Promise<ServiceError> {
  const error: unknown = await read(ai).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ServiceError)) throw new Error("It should have failed.", { cause: error });
  const shown = JSON.stringify(error.body) + String(error.cause);
  expect(shown).not.toContain(CANARY.slice(0, 20));
  expect(shown).not.toContain(QUERY);
  expect(error.message).toMatch(/ask again|operator/i);
  return error;
}
