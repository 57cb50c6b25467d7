// Refusals of a model server. A refused parameter is omitted and
// remembered, a lost connection is tried again once, and neither the
// log nor the user sees words of the request.

import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { OpenAiGenerator } from "../../src/generators/openai.ts";
import { readRefusal, refusalInNames } from "../../src/generators/refusal.ts";
import { WorkersAiGenerator } from "../../src/generators/workers-ai.ts";
import { adminPath, asOperator, modelRequests, newUser } from "../harness.ts";
import { type Directive, type Refusal, scripted } from "../support/directive.ts";
import { reading } from "../support/reading.ts";

const { OPENAI_BASE_URL: baseUrl } = env;
const API_KEY = "sk-key-that-only-the-endpoint-may-see";

/** A question. The log must not have its words. */
const QUESTION = "What does the secret plan say?";

/** OpenAI's refusal of a parameter. */
function unsupported(param: string, message: string, code = "unsupported_parameter"): string {
  return JSON.stringify({ error: { message, type: "invalid_request_error", param, code } });
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a refused parameter is omitted and remembered:", () => {
  const maxTokens: Refusal = {
    has: "max_tokens",
    body: unsupported(
      "max_tokens",
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    ),
  };
  const temperature: Refusal = {
    has: "temperature",
    body: unsupported(
      "temperature",
      "Unsupported value: 'temperature' does not support 0.5 with this model.",
      "unsupported_value",
    ),
  };
  const system: Refusal = {
    has: "system",
    body: '{"object":"error","message":"System role not supported","type":"BadRequestError","param":null,"code":400}',
  };

  test.each<[string, Refusal[], object, string[]]>([
    ["max_tokens", [maxTokens], { max_completion_tokens: 300, temperature: 0.5 }, []],
    ["temperature", [temperature], { max_tokens: 300 }, []],
    ["both", [maxTokens, temperature], { max_completion_tokens: 300 }, []],
    ["a system's message", [system], { max_tokens: 300, temperature: 0.5 }, ["user"]],
    ["all three", [system, maxTokens, temperature], { max_completion_tokens: 300 }, ["user"]],
    [
      "any limit",
      [maxTokens, { has: "max_completion_tokens", body: "Unknown field: max_completion_tokens" }],
      { temperature: 0.5 },
      [],
    ],
    [
      "a stream",
      [
        {
          has: "stream",
          body: unsupported(
            "stream",
            "Your organization must be verified to stream this model.",
            "unsupported_value",
          ),
        },
      ],
      { max_tokens: 300, temperature: 0.5 },
      [],
    ],
    [
      "temperature, as FastAPI says it",
      [
        {
          has: "temperature",
          status: 422,
          body: '{"detail":[{"type":"extra_forbidden","loc":["body","temperature"],"msg":"Extra inputs are not permitted"}]}',
        },
      ],
      { max_tokens: 300 },
      [],
    ],
    [
      "a system's message, in an error of the template",
      [
        {
          ...system,
          status: 500,
          body: "jinja2.exceptions.TemplateError: System role not supported",
        },
      ],
      { max_tokens: 300, temperature: 0.5 },
      ["user"],
    ],
    [
      "a developer's instruction, as Gemini says it",
      [
        {
          has: "system",
          body: '[{"error":{"code":400,"message":"Developer instruction is not enabled for models/gemma-3","status":"INVALID_ARGUMENT"}}]',
        },
      ],
      { max_tokens: 300, temperature: 0.5 },
      ["user"],
    ],
    [
      "the role of the first message, as o1-mini says it",
      [
        {
          has: "system",
          body: unsupported(
            "messages[0].role",
            "Unsupported value: 'messages[0].role'",
            "unsupported_value",
          ),
        },
      ],
      { max_tokens: 300, temperature: 0.5 },
      ["user"],
    ],
    ...[
      '{"detail":[{"type":"literal_error","loc":["body","messages",0,"role"],"msg":"Input should be \'user\'"}]}',
      '{"error":{"message":"messages: Unexpected role \\"system\\"."}}',
      '{"error":{"code":500,"message":"First message must be from user"}}',
      '{"error":{"message":"The first message must have role \'user\'"}}',
    ].map((body): [string, Refusal[], object, string[]] => [
      `the role of the first message: ${body}`,
      [{ ...system, body }],
      { max_tokens: 300, temperature: 0.5 },
      ["user"],
    ]),
  ])("%s", async (_, refusals, options, roles) => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    const model = crypto.randomUUID();
    const first = await read({ refusals }, { model });
    expect(first.requests.length).toBe(refusals.length + 1);
    expect(first.requests.at(-1)).toMatchObject({ options });
    const { stream: _stream, ...others } = first.requests.at(-1)?.options ?? {};
    expect(others).toEqual(options);
    if (roles.length > 0) expect(first.requests.at(-1)?.roles).toEqual(roles);
    expect(warned).toHaveBeenCalledOnce();
    // It is remembered for this model only.
    expect((await read({ refusals }, { model })).requests).toHaveLength(1);
    const other = await read({ refusals }, { model: crypto.randomUUID() });
    expect(other.requests.length).toBe(refusals.length + 1);
  });

  test("a model that refuses everything is asked a bounded number of times", async () => {
    const refusals = [
      "max_tokens",
      "max_completion_tokens",
      "temperature",
      "system",
      undefined,
    ].map((has) => ({
      ...(has !== undefined && { has }),
      body: "temperature, max_tokens, max_completion_tokens and the system role are not supported",
    }));
    const model = crypto.randomUUID();
    const { requests, error } = await read({ refusals }, { model });
    expect(requests.length).toBeLessThanOrEqual(6);
    expect(error).toMatchObject({ code: "GENERATION_FAILED" });
    // A form that did not help is not remembered.
    expect((await read({}, { model })).requests).toMatchObject([
      { options: { max_tokens: 300, temperature: 0.5 } },
    ]);
  });

  test.each([
    [
      "too large a value",
      unsupported(
        "max_tokens",
        "max_tokens is too large: 300. This model supports at most 100.",
        "invalid_value",
      ),
    ],
    [
      "too long a question",
      unsupported(
        "messages",
        "This model's maximum context length is 10 tokens.",
        "context_length_exceeded",
      ),
    ],
  ])("%s is no reason to ask again", async (_, body) => {
    expect((await read({ refusals: [{ body }] })).requests).toHaveLength(1);
  });

  test("reasoning_effort of Workers AI", async () => {
    const asked: unknown[] = [];
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const ai = {
      run: async (_: string, inputs: object) => {
        asked.push(inputs);
        if ("reasoning_effort" in inputs) {
          throw new Error("5006: Error: unknown parameter 'reasoning_effort'");
        }
        return { response: "20" };
      },
    };
    const generator = new WorkersAiGenerator({
      ai: ai as unknown as Ai,
      model: "@cf/openai/gpt-oss-x",
    });
    for (let n = 0; n < 2; n += 1) {
      const answer = reading(generator, generation({}));
      expect((await answer.next()).value).toBe("20");
    }
    expect(asked).toHaveLength(3);
    expect(asked[2]).not.toHaveProperty("reasoning_effort");
  });
});

describe("a connection lost before the response", () => {
  test("is tried again", async () => {
    const { requests, text } = await read({ tokens: ["20"], resets: 1 });
    expect(requests).toHaveLength(2);
    expect(text).toBe("20");
  });

  test("is tried again only once", async () => {
    const { requests, error } = await read({ resets: 9 });
    expect(requests).toHaveLength(2);
    expect(error).toMatchObject({ code: "GENERATION_FAILED" });
  });

  test.each([
    ["a head", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9\r\n\r\n"],
    ["part of a body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ndata"],
  ])("is not tried again after %s", async (_, resetAfter) => {
    const { requests, error } = await read({ resets: 9, resetAfter });
    expect(error).toMatchObject({ code: "GENERATION_FAILED" });
    expect(requests).toHaveLength(1);
  });

  test("is not tried again after the signal aborted", async () => {
    const tag = crypto.randomUUID();
    const controller = new AbortController();
    const asked = generation({ tag, fault: "hang-before-headers" });
    const answer = reading(generator(), asked, controller.signal);
    const pending = answer.next();
    pending.catch(() => {});
    await vi.waitFor(async () => expect(await modelRequests(tag)).toHaveLength(1));
    controller.abort(new Error("gone"));
    await expect(pending).rejects.toThrow("gone");
    await scheduler.wait(50);
    expect(await modelRequests(tag)).toHaveLength(1);
  });
});

describe("the log and the user get the reason:", () => {
  test.each<[string, Refusal, RegExp, RegExp]>([
    [
      "a wrong key",
      { status: 401, body: unsupported("", "Incorrect API key provided", "invalid_api_key") },
      /HTTP 401, code=invalid_api_key, type=invalid_request_error/,
      /key.*operator/i,
    ],
    [
      "a wrong key, as Gemini says it",
      {
        status: 400,
        body: '[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}]',
      },
      /HTTP 400, code=400, type=INVALID_ARGUMENT/,
      /key.*operator/i,
    ],
    [
      "an account that is used up",
      { status: 429, body: unsupported("", "You exceeded your quota", "insufficient_quota") },
      /HTTP 429, code=insufficient_quota/,
      /account.*operator/i,
    ],
    [
      "a model that is not there",
      { status: 404, body: unsupported("model", "No such model", "model_not_found") },
      /HTTP 404, code=model_not_found, type=invalid_request_error, param=model/,
      /not found.*operator/i,
    ],
    [
      "a limit of its rate",
      { status: 429, body: unsupported("", "Slow down", "rate_limit_exceeded") },
      /code=rate_limit_exceeded/,
      /busy.*ask again in a moment/,
    ],
    [
      "too long a question",
      { status: 400, body: unsupported("messages", "Too long", "context_length_exceeded") },
      /code=context_length_exceeded/,
      /less history/,
    ],
  ])("%s", async (_, refusal, logged, told) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const user = await newUser({ OPENAI_API_KEY: API_KEY });
    const stream = await user.ask(scripted({ refusals: [refusal] }, QUESTION));
    const last = (await stream.all()).at(-1);
    expect(last).toMatchObject({ type: "error", code: "GENERATION_FAILED" });
    const { message } = last as { message: string };
    expect(message).toMatch(told);
    expect(message).toContain("You were not charged");
    if (/operator/.test(message)) expect(message).not.toMatch(/[Aa]sk again/);
    expect(log.mock.calls.join("\n")).toMatch(logged);
    expect(await user.resolved(stream.queryId)).toMatchObject({ state: "refunded" });
  });

  test.each([
    [
      "the question",
      JSON.stringify({ error: { message: QUESTION, code: QUESTION, type: QUESTION } }),
    ],
    ["a word of it", JSON.stringify({ error: { message: "x", code: "secret", param: "plan" } })],
    ["the key", JSON.stringify({ error: { message: API_KEY, code: API_KEY, type: API_KEY } })],
    ["part of the key", JSON.stringify({ error: { code: API_KEY.slice(3, 20) } })],
    ["a number as long as a card's", JSON.stringify({ error: { code: 4111111111111111 } })],
    [
      "lines that look like frames",
      `${QUESTION}\n    at secret (plan.ts:1:1)\n    at ${API_KEY}:2:2`,
    ],
  ])("without anything that repeats %s", async (_, body) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const user = await newUser({ OPENAI_API_KEY: API_KEY });
    for (const status of [400, 500]) {
      const stream = await user.ask(scripted({ refusals: [{ status, body }] }, QUESTION));
      await stream.all();
      expect(stream.text).not.toMatch(/secret plan|sk-key/);
    }
    const lines = log.mock.calls.join("\n");
    expect(lines).toMatch(/HTTP 400/);
    expect(lines).not.toMatch(/secret|plan\b|key-that|4111/);
  });

  // A scripted question contains the refusal: these names are read directly.
  test.each([
    ["secret_plan", "HTTP 400"],
    ["SecretError", "HTTP 400"],
    ["unsupported_parameter", "HTTP 400, code=unsupported_parameter"],
    ["model_decommissioned", "HTTP 400, code=model_decommissioned"],
    ["messages[0].role", "HTTP 400, code=messages[0].role"],
    ["429", "HTTP 400, code=429"],
    ["17", "HTTP 400"],
  ])("with the name %s only if it is an API's own", (code, names) => {
    const refusal = readRefusal(400, JSON.stringify({ error: { code } }));
    expect(refusalInNames(refusal, "My secret, a plan of 17 roles 0 [429] models")).toBe(names);
  });

  test("without the question in the operators' view", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const user = await newUser({ SHARE_QUERIES: "false" });
    await (await user.ask(scripted({ refusals: [{ body: QUESTION }] }, QUESTION))).all();
    expect(await (await asOperator(adminPath(user))).text()).not.toContain("secret plan");
  });
});

function generator(model = "scripted"): OpenAiGenerator {
  return new OpenAiGenerator({ baseUrl, model, apiKey: API_KEY });
}

function generation(directive: Directive) {
  const query = scripted(directive, QUESTION);
  return {
    query,
    search: { text: query, asked: query },
    history: [],
    passages: [],
    messages: [
      { role: "system", content: "Answer from the passages." },
      { role: "user", content: query },
    ] as const,
    maxTokens: 300,
    temperature: 0.5,
  };
}

/** A whole answer, and the requests for it. */
async function read(directive: Directive, { model = crypto.randomUUID() as string } = {}) {
  const tag = crypto.randomUUID();
  const answer = reading(generator(model), generation({ ...directive, tag }));
  let text = "";
  let error: unknown;
  try {
    for await (const part of answer) text += part;
  } catch (thrown) {
    error = thrown;
  }
  return { text, error, requests: await modelRequests(tag) };
}
