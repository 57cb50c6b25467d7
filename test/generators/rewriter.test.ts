// The rewriter over each kind of model, and its timeout.

import { env } from "cloudflare:workers";
import { beforeEach, expect, it, vi } from "vitest";
import type { ChatModel } from "../../src/answer/generator.ts";
import { OpenAiGenerator } from "../../src/generators/openai.ts";
import { ModelRewriter } from "../../src/generators/rewriter.ts";
import { WorkersAiGenerator } from "../../src/generators/workers-ai.ts";
import type { Turn } from "../../src/protocol.ts";
import { type Directive, scripted } from "../support/directive.ts";

const QUERY = "And for a team?";
const TEXT = "How much does a licence cost for a team?";
const BEFORE: Turn = { role: "user", content: "How much does a licence cost?" };

let log: string[];

beforeEach(() => {
  log = [];
  const spy = vi.spyOn(console, "warn").mockImplementation((...words) => {
    log.push(words.join(" "));
  });
  return () => spy.mockRestore();
});

function rewrite(model: ChatModel, { signal = new AbortController().signal, waitMs = 1_000 } = {}) {
  return new ModelRewriter(model, waitMs).rewrite(QUERY, [BEFORE], signal);
}

const workersAi = (run: () => unknown, model = "@cf/openai/gpt-oss-120b") =>
  new WorkersAiGenerator({ ai: { run } as unknown as Pick<Ai, "run">, model });

const NEVER = new Promise<never>(() => {});
const USAGE = { prompt_tokens: 90, completion_tokens: 11, total_tokens: 101 };
const body = (text: string) =>
  new Blob([
    ...[...text].map((piece) => `data: ${JSON.stringify({ response: piece })}\n\n`),
    `data: ${JSON.stringify({ response: "", usage: USAGE })}\n\ndata: [DONE]\n\n`,
  ]).stream();

it.each<[string, () => unknown]>([
  ["an object of Workers AI", () => ({ response: TEXT, usage: USAGE })],
  [
    "an object of OpenAI",
    () => ({
      object: "chat.completion",
      choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: TEXT } }],
      usage: USAGE,
    }),
  ],
  [
    "thoughts before it",
    () => ({
      choices: [
        { finish_reason: "stop", message: { content: TEXT, reasoning_content: "They ask …" } },
      ],
      usage: USAGE,
    }),
  ],
  ["thoughts in the text", () => ({ response: `<think>Hm.\n</think>\n\n${TEXT}\n`, usage: USAGE })],
  ["a stream, though none was asked for", () => body(TEXT)],
])("takes the text and the count of tokens from %s", async (_, answer) => {
  const run = vi.fn(async () => answer());
  expect(await rewrite(workersAi(run))).toEqual({ text: TEXT, tokens: 101 });
  const [, inputs] = run.mock.calls[0] as unknown as [string, Record<string, unknown>];
  expect(inputs).toMatchObject({ max_tokens: 300, temperature: 0, reasoning_effort: "low" });
  expect(inputs).not.toHaveProperty("stream");
});

it.each<[string, () => unknown, string]>([
  ["never answers", () => NEVER, "nothing in 50 ms"],
  ["sends a stream that never ends", () => new ReadableStream(), "nothing in 50 ms"],
  ["fails", () => Promise.reject(new Error(`3046: ${QUERY}`)), "Workers AI: error 3046 (Error)"],
  ["is a bug", () => Promise.reject(QUERY), "Workers AI: no error code (string)"],
  ["calls a tool", () => ({ response: null, tool_calls: [{}] }), "the model called a tool"],
  [
    "thinks up to the limit",
    () => ({ choices: [{ finish_reason: "length" }] }),
    "the limit was used up before any text",
  ],
])("gives nothing where the model %s, and says why", async (_, answer, why) => {
  const rewritten = await rewrite(
    workersAi(async () => answer()),
    { waitMs: 50 },
  );
  expect(rewritten).toEqual({ text: undefined, tokens: undefined });
  expect(log).toHaveLength(1);
  expect(log[0]).not.toMatch(/team/);
  expect(log[0]).toContain(why);
});

it("counts what a text that is not used cost", async () => {
  const model = workersAi(async () => ({ response: "I cannot do that.", usage: USAGE }));
  expect(await rewrite(model)).toEqual({ text: undefined, tokens: 101 });
});

it("throws the reason of a signal that aborts, at once and without a log line", async () => {
  const controller = new AbortController();
  const reason = new Error("left");
  const rewriting = rewrite(
    workersAi(() => NEVER),
    { signal: controller.signal },
  );
  controller.abort(reason);
  await expect(rewriting).rejects.toBe(reason);
  await expect(
    rewrite(
      workersAi(() => NEVER),
      { signal: controller.signal },
    ),
  ).rejects.toBe(reason);
  expect(log).toEqual([]);
});

it("is asked in the form that a model accepts", async () => {
  const refused = (has: string) => ({
    has,
    body: JSON.stringify({ error: { message: `Unsupported parameter: '${has}'`, param: has } }),
  });
  const directive: Directive = {
    tokens: [TEXT],
    tag: crypto.randomUUID(),
    refusals: ["max_tokens", "temperature"].map(refused),
  };
  const { OPENAI_BASE_URL: baseUrl } = env as unknown as { OPENAI_BASE_URL: string };
  const model = new OpenAiGenerator({ baseUrl, model: directive.tag ?? "", apiKey: undefined });
  const history: Turn[] = [BEFORE, { role: "assistant", content: scripted(directive) }];
  const rewriter = new ModelRewriter(model, 2_000);
  const signal = new AbortController().signal;
  expect(await rewriter.rewrite(QUERY, history, signal)).toEqual({ text: TEXT, tokens: 1 });
});
