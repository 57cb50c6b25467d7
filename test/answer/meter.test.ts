// The meter: what calls of models cost, and the bound that is reserved.

import { describe, expect, it } from "vitest";
import type { Prompt, Usage } from "../../src/answer/generator.ts";
import { Meter, worstCase } from "../../src/answer/meter.ts";
import { prompt, promptBytesMax } from "../../src/answer/prompt.ts";
import type { Passage } from "../../src/answer/retriever.ts";
import { rewritePrompt } from "../../src/answer/rewrite.ts";
import { ServiceError } from "../../src/errors.ts";
import type { Ask } from "../../src/protocol.ts";
import { byteLength } from "../../src/text/pieces.ts";

const PRICES = { input: 1, output: 2 };
const CALL: Prompt = {
  messages: [{ role: "user", content: "x".repeat(100) }],
  maxTokens: 50,
  temperature: undefined,
};
/** 100 bytes and what a template adds to two messages; 50 tokens at 2. */
const MOST = 100 + 32 + 100;
const signal = new AbortController().signal;

/** A model that reports this usage, if any, and then ends or fails. */
function model(usage: Usage | undefined, error?: Error) {
  return {
    generate: async ({ onUsage }: Prompt) => {
      if (usage !== undefined) onUsage?.(usage);
      if (error !== undefined) throw error;
      return "stop" as const;
    },
  };
}

const ask: Ask = {
  ...{ query: "How?", topK: 5, maxTokens: 1_024, temperature: undefined, history: [] },
  ...{ onDisconnect: "cancel", collections: ["default"] },
};

describe("a call costs", () => {
  it.each([
    ["what the model reports", { total: 40, prompt: 30, isWhole: true }, 30 + 2 * 10],
    ["thoughts that are in the total only", { total: 90, prompt: 30, isWhole: true }, 30 + 2 * 60],
    [
      "the dearer price, if the model reports the total only",
      { total: 40, prompt: undefined, isWhole: true },
      80,
    ],
    ["the most, if text came after the report", { total: 40, prompt: 30, isWhole: false }, MOST],
    ["the most, if the model reports nothing", undefined, MOST],
  ])("%s", async (_what, usage, cost) => {
    const meter = new Meter(1_000, PRICES);
    await meter.metered(model(usage)).generate(CALL, () => {}, signal);
    expect(meter.cost).toBe(cost);
  });

  it("nothing, if the model refused the request", async () => {
    const meter = new Meter(1_000, PRICES);
    const refused = new ServiceError("GENERATION_FAILED", "no", { isUnbilled: true });
    const call = meter.metered(model(undefined, refused)).generate(CALL, () => {}, signal);
    await expect(call).rejects.toBe(refused);
    expect(meter.cost).toBe(0);
  });

  it("the most, if it broke off", async () => {
    const meter = new Meter(1_000, PRICES);
    const broken = model({ total: 40, prompt: 30, isWhole: true }, new Error("cut"));
    const call = meter.metered(broken).generate(CALL, () => {}, signal);
    await expect(call).rejects.toThrow("cut");
    expect(meter.cost).toBe(MOST);
  });

  it("the most, if the usage comes after the end", async () => {
    const meter = new Meter(1_000, PRICES);
    let late: Prompt["onUsage"];
    const slow = {
      generate: async ({ onUsage }: Prompt) => {
        late = onUsage;
        return "stop" as const;
      },
    };
    await meter.metered(slow).generate(CALL, () => {}, signal);
    meter.close();
    late?.({ total: 1, prompt: 1, isWhole: true });
    expect(meter.cost).toBe(MOST);
  });
});

it("no call is made that may cost more than was reserved", async () => {
  const meter = new Meter(MOST + 1, PRICES);
  await meter.metered(model(undefined)).generate(CALL, () => {}, signal);
  const second = meter.metered(model(undefined)).generate(CALL, () => {}, signal);
  await expect(second).rejects.toMatchObject({ code: "GENERATION_FAILED" });
});

it("no call is made after the end", async () => {
  const meter = new Meter(1_000, PRICES);
  meter.close();
  const call = meter.metered(model(undefined)).generate(CALL, () => {}, signal);
  await expect(call).rejects.toMatchObject({ code: "GENERATION_FAILED" });
  expect(meter.cost).toBe(0);
});

describe("the prompt is within its bound", () => {
  /** The largest passage that intake makes: see SIZE_MAX of intake/passages.ts. */
  const passage = (text: string): Passage => ({
    ...{ id: "d#1", documentId: "d", title: "t".repeat(200), url: null, score: 1, text },
    heading: Array.from({ length: 6 }, () => "h".repeat(200)),
  });

  it.each([
    ["Latin", "word ".repeat(320)],
    ["Cyrillic", "слово ".repeat(266)],
    ["Chinese", "漢字".repeat(280)],
  ])("of %s passages", (_script, text) => {
    const passages = Array.from({ length: 20 }, () => passage(text));
    const messages = prompt(ask.query, [], passages, "12345678");
    const bytes = messages.reduce((sum, { content }) => sum + byteLength(content), 0);
    expect(bytes).toBeLessThanOrEqual(promptBytesMax({ ...ask, topK: 20 }));
  });

  it("of a long conversation, with its rewrite", () => {
    const history = Array.from({ length: 20 }, (_, at) => ({
      role: at % 2 === 0 ? ("user" as const) : ("assistant" as const),
      content: "漢".repeat(3_000),
    }));
    const asked = { ...ask, query: "漢".repeat(400), history };
    const messages = prompt(asked.query, history, [], "12345678");
    const bytes = messages.reduce((sum, { content }) => sum + byteLength(content), 0);
    expect(bytes).toBeLessThanOrEqual(promptBytesMax(asked));
    const meter = new Meter(worstCase(asked, true, PRICES), PRICES);
    const rewrite = { ...CALL, messages: rewritePrompt(asked.query, history), maxTokens: 300 };
    const answer = { ...CALL, messages, maxTokens: asked.maxTokens };
    const calls = [rewrite, answer].map((call) =>
      meter.metered(model(undefined)).generate(call, () => {}, signal),
    );
    return expect(Promise.all(calls)).resolves.toEqual(["stop", "stop"]);
  });
});
