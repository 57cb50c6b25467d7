// The body of OpenAI's Responses: what is asked, and what is refused.

import { describe, expect, it } from "vitest";
import { ServiceError } from "../../src/errors.ts";
import { RESPONSES } from "../../src/formats/openai-responses-request.ts";

const read = (body: unknown) => RESPONSES.read(body, ["default"]);

/** The response as the request's format begins it. */
function begun(body: unknown): Record<string, unknown> {
  const { format } = read(body);
  const text = format.opening({ queryId: "1-0", askedAt: 0 }, 1);
  return JSON.parse(/data: (.*)/.exec(text)?.[1] ?? "").response;
}

function refusal(body: unknown): string {
  try {
    read(body);
  } catch (thrown) {
    if (thrown instanceof ServiceError && thrown.code === "INVALID_REQUEST") return thrown.message;
    throw thrown;
  }
  throw new Error("The body was not refused.");
}

describe("the body of a response", () => {
  it("asks with a text alone", () => {
    expect(read({ model: "belay", input: " How do refunds work? " })).toMatchObject({
      ask: {
        query: "How do refunds work?",
        history: [],
        topK: 5,
        maxTokens: 1_024,
        temperature: undefined,
        instructions: undefined,
        onDisconnect: "cancel",
      },
      previous: undefined,
      later: false,
      format: { streams: false },
    });
  });

  it("takes the last user message as the query and earlier ones as the history", () => {
    const { ask } = read({
      instructions: "Be brief.",
      input: [
        { role: "system", content: "You are Ann." },
        { role: "user", content: "What is a window?" },
        {
          ...{ type: "message", id: "msg_1", role: "assistant", status: "completed" },
          content: [{ type: "output_text", text: "A month.", annotations: [], logprobs: [] }],
        },
        { role: "assistant", content: "" },
        { role: "developer", content: [{ type: "input_text", text: "Speak German." }] },
        {
          role: "user",
          content: [
            { type: "input_text", text: "And" },
            { type: "input_text", text: "a limit?" },
          ],
        },
      ],
    });
    expect(ask.query).toBe("And\n\na limit?");
    expect(ask.history).toEqual([
      { role: "user", content: "What is a window?" },
      { role: "assistant", content: "A month." },
    ]);
    expect(ask.instructions).toBe("Be brief.\n\nYou are Ann.\n\nSpeak German.");
  });

  it("keeps the latest 20 turns", () => {
    const turn = (n: number) => ({ role: n % 2 ? "assistant" : "user", content: `Turn ${n}.` });
    const input = Array.from({ length: 31 }, (_, n) => turn(n));
    const { ask } = read({ input });
    expect(ask.query).toBe("Turn 30.");
    expect(ask.history).toHaveLength(20);
    expect(ask.history.at(-1)).toEqual({ role: "assistant", content: "Turn 29." });
  });

  it("has Belay's own options", () => {
    const belay = { topK: 3, onDisconnect: "cancel" };
    expect(read({ input: "Why?", stream: true, belay }).ask).toMatchObject(belay);
  });

  it("is answered at once in the background, except as a stream", () => {
    expect(read({ input: "Why?", background: true })).toMatchObject({
      ...{ later: true, format: { streams: true } },
    });
    expect(read({ input: "Why?", background: true, stream: true }).later).toBe(false);
  });

  it("names a model that there is", () => {
    expect(read({ model: "belay/default", input: "Why?" }).ask.query).toBe("Why?");
    expect(() => read({ model: "gpt-unknown", input: "Why?" })).toThrow("no such model");
  });

  it("waits for a stream's client, and finishes in the background", () => {
    expect(read({ input: "?!a", stream: true }).ask.onDisconnect).toBe("wait");
    expect(read({ input: "?!a", background: true }).ask.onDisconnect).toBe("continue");
    expect(read({ input: "?!a", background: true, stream: true }).ask.onDisconnect).toBe(
      "continue",
    );
  });

  it("takes a limit above ours as ours, since it is a limit only", () => {
    expect(read({ input: "Why?", max_output_tokens: 100_000 }).ask.maxTokens).toBe(4_096);
    expect(read({ input: "Why?", max_output_tokens: 7 }).ask.maxTokens).toBe(7);
  });

  it("follows a response by its id, or by the query's", () => {
    const id = "3-0123456789abcdef0123456789abcdef";
    expect(read({ input: "Why?", previous_response_id: `resp_${id}` }).previous).toBe(id);
    expect(read({ input: "Why?", previous_response_id: id }).previous).toBe(id);
    expect(read({ input: "Why?", previous_response_id: null }).previous).toBeUndefined();
  });

  it("repeats in the response what it chose", () => {
    expect(
      begun({
        ...{ model: "belay/default", input: "Why?", temperature: 0.5, metadata: { a: "b" } },
        ...{ instructions: "Be brief.", previous_response_id: "resp_x", background: true },
        max_output_tokens: 7,
      }),
    ).toMatchObject({
      ...{ model: "belay/default", temperature: 0.5, metadata: { a: "b" } },
      ...{ instructions: "Be brief.", previous_response_id: "resp_x", background: true },
      max_output_tokens: 7,
    });
  });

  it("ignores what changes nothing", () => {
    expect(
      read({
        ...{ input: "Why?", store: false, top_p: 0.9, user: "u", include: [], truncation: "auto" },
        ...{ reasoning: { effort: "low" }, parallel_tool_calls: true, service_tier: "auto" },
        ...{ tools: [{ type: "web_search" }], tool_choice: "auto", n: 1, conversation: null },
        ...{ text: { format: { type: "text" }, verbosity: "low" }, prompt: null },
        stream_options: { include_obfuscation: false },
      }).ask.query,
    ).toBe("Why?");
  });

  it.each([
    ["text.format.type", { text: { format: { type: "json_schema", name: "x", schema: {} } } }],
    ["tool_choice", { tool_choice: "required" }],
    ["tool_choice", { tool_choice: { type: "function", name: "f" } }],
    ["n", { n: 2 }],
    ["conversation", { conversation: "conv_1" }],
    ["prompt", { prompt: { id: "pmpt_1" } }],
    ["temperature", { temperature: 3 }],
    ["max_output_tokens", { max_output_tokens: 0 }],
    ["max_output_tokens", { max_output_tokens: 1.5 }],
    ["metadata.a", { metadata: { a: 1 } }],
    ["metadata.a", { metadata: { a: "x".repeat(513) } }],
    [`metadata.${"k".repeat(65)}`, { metadata: { ["k".repeat(65)]: "x" } }],
    ["metadata", { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [i, ""])) }],
    ["input", { instructions: "\u0085".repeat(16_001) }],
    ["stream", { stream: "yes" }],
    ["background", { background: 1 }],
    ["previous_response_id", { previous_response_id: 7 }],
    ["instructions", { instructions: ["a"] }],
    ["model", { model: 7 }],
    ["input", { input: "" }],
    ["input", { input: " \u200b" }],
    ["input", { input: "a".repeat(4_001) }],
    ["input", { input: undefined }],
    ["input", { input: 7 }],
    ["input", { input: [] }],
    [
      "input",
      {
        input: [
          { role: "user", content: "a" },
          { role: "assistant", content: "b" },
        ],
      },
    ],
    ["belay.topK", { belay: { topK: 0 } }],
    ["input.0.role", { input: [{ role: "tool", content: "a" }] }],
    ["input.0.role", { input: [{ content: "a" }] }],
    ["input.0.content", { input: [{ role: "user" }] }],
    ["input.0.type", { input: [{ type: "function_call_output", call_id: "c", output: "x" }] }],
    [
      "input.0.content.1.type",
      {
        input: [
          {
            role: "user",
            content: [
              { type: "input_text", text: "What is this?" },
              { type: "input_image", image_url: "https://example.com/a.png" },
            ],
          },
        ],
      },
    ],
    ["input.0.content.0.text", { input: [{ role: "user", content: [{ type: "input_text" }] }] }],
  ])("is refused by the name of the field %s", (field, change) => {
    expect(refusal({ model: "belay", input: "Why?", ...change })).toMatch(
      new RegExp(`^The field "${field.replaceAll(".", "\\.")}" (must |has |is missing|names )`),
    );
  });

  it("is refused unless it is an object", () => {
    for (const body of [null, [], "Why?", 7]) {
      expect(refusal(body)).toBe("The body must be a JSON object.");
    }
  });
});
