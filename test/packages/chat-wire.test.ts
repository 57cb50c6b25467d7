// The bytes of Chat Completions, held to the form that OpenAI documents.

import { once } from "node:events";
import { Agent, request as send } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { words } from "./proofs.ts";
import { type Customer, DOCUMENTS, LIMIT, NOTHING_FOUND, Site } from "./site.ts";

interface Chunk {
  readonly id: string;
  readonly choices: readonly {
    readonly delta: { readonly role?: string; readonly content?: string };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: unknown;
}

let site: Site;
beforeAll(async () => {
  site = await Site.start();
});
afterAll(() => site.stop());

function post(customer: Customer, body: object, headers: Record<string, string> = {}) {
  return fetch(`${site.url}/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${customer.key}`,
      "content-type": "application/json",
      ...headers,
    },
    body: JSON.stringify(body),
  });
}

/** The chunks of a stream, each exactly one line and a blank line. */
async function chunksOf(response: Response): Promise<Chunk[]> {
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  const frames = (await response.text()).split("\n\n");
  expect(frames.slice(-2)).toEqual(["data: [DONE]", ""]);
  return frames.slice(0, -2).map((frame) => {
    expect(frame).toMatch(/^data: \{[^\r\n]*\}$/);
    return JSON.parse(frame.slice("data: ".length));
  });
}

const isHeartbeat = ({ choices: [choice] }: Chunk, n: number) =>
  n > 0 && choice !== undefined && !choice.delta.content && choice.finish_reason === null;

describe.concurrent("a stream of chat completions", () => {
  test("begins with the role, and ends with a reason and [DONE]", async () => {
    const customer = await site.customer();
    const content = customer.question({ tokens: 5, gapMs: 20 });
    const before = Math.floor(Date.now() / 1000);
    const messages = [{ role: "user", content }];
    const response = await post(customer, { model: "belay", stream: true, messages });
    const chunks = await chunksOf(response);
    const [first] = chunks;
    for (const chunk of chunks) {
      expect(chunk).toMatchObject({
        id: first?.id,
        object: "chat.completion.chunk",
        created: expect.any(Number),
        model: "belay",
        choices: [{ index: 0, delta: expect.any(Object) }],
      });
      expect(chunk).not.toHaveProperty("usage");
    }
    expect(first?.id).toBe(response.headers.get("x-query-id"));
    const { created } = first as unknown as { created: number };
    expect(created).toBeGreaterThanOrEqual(before - 1);
    expect(created).toBeLessThanOrEqual(before + 10);
    expect(first?.choices[0]?.delta).toMatchObject({ role: "assistant", content: "" });
    expect(chunks.slice(1).filter(({ choices }) => choices[0]?.delta.role)).toEqual([]);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe(words(5));
    const reasons = chunks.map(({ choices }) => choices[0]?.finish_reason);
    expect(reasons).toEqual([...chunks.slice(1).map(() => null), "stop"]);
    expect(chunks.at(-1)?.choices[0]?.delta.content ?? "").toBe("");
    await customer.paid({ charged: 1 });
  });

  test("has one chunk of usage with `choices: []` if it was asked for", async () => {
    const customer = await site.customer();
    const content = customer.question({ tokens: 5 });
    const chunks = await chunksOf(
      await post(customer, {
        model: "belay",
        stream: true,
        stream_options: { include_usage: true },
        messages: [{ role: "user", content }],
      }),
    );
    const last = chunks.pop();
    expect(last?.choices).toEqual([]);
    const { prompt_tokens = NaN, ...usage } = (last?.usage ?? {}) as Record<string, number>;
    expect(usage).toMatchObject({ completion_tokens: 5, total_tokens: prompt_tokens + 5 });
    expect(chunks.filter(({ usage }) => usage !== null)).toEqual([]);
  });

  test("says in a silence nothing but empty deltas", async () => {
    const customer = await site.customer();
    const content = customer.question({ tokens: 3, firstMs: 500 });
    const chunks = await chunksOf(
      await post(customer, { model: "belay", stream: true, messages: [{ role: "user", content }] }),
    );
    const silent = chunks.filter(isHeartbeat).filter((chunk) => !("belay" in chunk));
    expect(silent.length).toBeGreaterThan(2);
    for (const { choices } of silent) {
      expect(choices).toEqual([{ index: 0, delta: {}, logprobs: null, finish_reason: null }]);
    }
  });

  test("is the same when the same ask comes again, and charged once", async () => {
    const customer = await site.customer();
    const content = customer.question({ tokens: 5 });
    const body = { model: "belay", stream: true, messages: [{ role: "user", content }] };
    const key = { "idempotency-key": crypto.randomUUID() };
    const first = await chunksOf(await post(customer, body, key));
    const again = await post(customer, body, key);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    const shown = (chunks: Chunk[]) => chunks.filter((chunk, n) => !isHeartbeat(chunk, n));
    const text = (chunks: Chunk[]) =>
      shown(chunks).map(({ id, choices }) => [id, choices[0]?.delta, choices[0]?.finish_reason]);
    expect(text(await chunksOf(again))).toEqual(text(first));
    await customer.paid({ charged: 1 });
  });

  test("ends with OpenAI's error and no [DONE] if the model fails", async () => {
    const customer = await site.customer();
    const content = customer.question({ tokens: 5, fault: "cut", at: 2 });
    const response = await post(customer, {
      model: "belay",
      stream: true,
      messages: [{ role: "user", content }],
    });
    expect(response.status).toBe(200);
    const frames = (await response.text()).split("\n\n");
    expect(frames.pop()).toBe("");
    expect(frames).not.toContain("data: [DONE]");
    const { error } = JSON.parse(frames.at(-1)?.slice("data: ".length) ?? "{}");
    expect(error).toMatchObject({
      message: expect.stringMatching(/./),
      type: "server_error",
      param: null,
      code: "GENERATION_FAILED",
      belay: { code: "GENERATION_FAILED", quotaRemaining: LIMIT },
    });
    await customer.paid({ refunded: 1, reason: "failed" });
  });
});

describe.concurrent("a chat completion in one body", () => {
  test("has OpenAI's members", async () => {
    const customer = await site.customer();
    const content = customer.question({ tokens: ["Twenty", " [1][2]."] });
    const response = await post(customer, {
      model: "belay",
      messages: [{ role: "user", content }],
    });
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    const body = await response.json();
    expect(response.headers.get("x-query-id")).toBe(body.belay.queryId);
    expect(body).toMatchObject({
      id: body.belay.queryId,
      object: "chat.completion",
      created: expect.any(Number),
      model: "belay",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "Twenty [1][2].", refusal: null },
          logprobs: null,
          finish_reason: "stop",
        },
      ],
      usage: { completion_tokens: 2 },
      belay: { quotaRemaining: LIMIT - 1 },
    });
    const [annotation] = body.choices[0].message.annotations;
    expect(annotation).toEqual({
      type: "url_citation",
      url_citation: {
        url: DOCUMENTS.quota.url,
        title: DOCUMENTS.quota.title,
        start_index: expect.any(Number),
        end_index: expect.any(Number),
      },
    });
    const { prompt_tokens, completion_tokens, total_tokens } = body.usage;
    expect(total_tokens).toBe(prompt_tokens + completion_tokens);
  });

  test("says that nothing was found", async () => {
    const { question, script, answer } = NOTHING_FOUND;
    const customer = await site.customer();
    const response = await post(customer, {
      model: "belay",
      messages: [{ role: "user", content: customer.question(script, question) }],
    });
    const body = await response.json();
    expect(body.choices[0].message).toMatchObject({ content: answer, annotations: [] });
    expect(body.belay).toMatchObject({ found: false, sources: [], quotaRemaining: LIMIT });
  });

  test("comes twice over one connection", async () => {
    const customer = await site.customer();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const reused: boolean[] = [];
    for (const [tokens, stream] of [true, false, true].entries()) {
      const request = send(`${site.url}/v1/chat/completions`, {
        method: "POST",
        agent,
        headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
      });
      const content = customer.question({ tokens: tokens + 3 });
      request.end(
        JSON.stringify({ model: "belay", stream, messages: [{ role: "user", content }] }),
      );
      const [response] = await once(request, "response");
      expect(response.statusCode).toBe(200);
      expect(await text(response)).toContain("w2 ");
      reused.push(request.reusedSocket);
    }
    agent.destroy();
    expect(reused).toEqual([false, true, true]);
    await customer.paid({ charged: 3 });
  });
});

describe.concurrent("a refusal of chat completions", () => {
  const refusals: [string, number, string, object][] = [
    ["no messages", 400, "messages", { model: "belay" }],
    ["an empty list", 400, "messages", { model: "belay", messages: [] }],
    ["no user's message", 400, "messages", { messages: [{ role: "system", content: "Hello" }] }],
    ["two answers", 400, "n", { n: 2 }],
    ["required tools", 400, "tool_choice", { tool_choice: "required" }],
    ["a schema", 400, "response_format.type", { response_format: { type: "json_schema" } }],
    ["a model of another", 404, "model", { model: "gpt-5" }],
  ];

  test.each(refusals)("of %s has OpenAI's form", async (_, status, param, body) => {
    const customer = await site.customer();
    const messages = [{ role: "user", content: customer.question() }];
    const response = await post(customer, {
      model: "belay",
      ...(param === "messages" ? {} : { messages }),
      ...body,
    });
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    const { error } = await response.json();
    expect(error).toMatchObject({ type: "invalid_request_error", param });
    expect(error.message).toContain(param);
    await customer.paid({});
  });

  test("for lack of quota says when to ask again, and that a retry is useless", async () => {
    const customer = await site.customer(0);
    const messages = [{ role: "user", content: customer.question() }];
    const response = await post(customer, { model: "belay", stream: true, messages });
    expect(response.status).toBe(429);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    const { error } = await response.json();
    expect(error).toMatchObject({ type: "insufficient_quota", code: "insufficient_quota" });
  });

  test("of a body that is no JSON has OpenAI's form", async () => {
    const customer = await site.customer();
    const response = await fetch(`${site.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
      body: "{",
    });
    expect(response.status).toBe(400);
    const { error } = await response.json();
    expect(error).toMatchObject({ type: "invalid_request_error", message: expect.any(String) });
  });
});
