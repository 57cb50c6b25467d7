// OpenAI's Chat Completions and models: bodies, bytes, and what they cost. The
// real packages ask in test/packages.

import { beforeAll, describe, expect, it } from "vitest";
import {
  asOperator,
  eventually,
  fetchApi,
  modelRequests,
  newUser,
  scripted,
  type TestUser,
  upstreamEnded,
} from "../harness.ts";
import type { Directive } from "../support/directive.ts";

type Body = Record<string, unknown>;

function post(user: TestUser, body: Body, init: RequestInit = {}): Promise<Response> {
  return fetchApi("/v1/chat/completions", {
    method: "POST",
    headers: { authorization: `Bearer ${user.token}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "belay", ...body }),
    ...init,
  });
}

function user(directive: Directive, words?: string): Body {
  return { role: "user", content: scripted(directive, words) };
}

/** The data of each event, in order. Each is one line and a blank one. */
async function dataOf(response: Response): Promise<string[]> {
  const frames = (await response.text()).split("\n\n");
  expect(frames.pop()).toBe("");
  return frames.map((frame) => {
    expect(frame).toMatch(/^data: [^\r\n]+$/);
    return frame.slice("data: ".length);
  });
}

/** What an application gets of a stream: the role, the text and the end. */
function shown(data: readonly string[]): unknown[] {
  return data
    .filter((text) => text !== "[DONE]")
    .map((text) => JSON.parse(text))
    .map(({ id, choices: [choice] }) => ({ id, ...choice }))
    .filter(({ delta, finish_reason }) => finish_reason || Object.keys(delta).length > 0);
}

/** It can be linked to. */
const DOCUMENT = {
  title: "Zeppelins",
  text: "A zeppelin carries twenty passengers.",
  url: "https://docs.example/zeppelins",
};

beforeAll(async () => {
  const body = JSON.stringify(DOCUMENT);
  const { status } = await asOperator("/admin/documents/zeppelins", { method: "PUT", body });
  expect(status).toBe(201);
});

describe("POST /v1/chat/completions", () => {
  it("streams a role, the pieces, a finish reason, the usage and [DONE], and is charged", async () => {
    const asking = await newUser();
    const response = await post(asking, {
      stream: true,
      stream_options: { include_usage: true },
      messages: [user({ tokens: ["One. ", "Two."] })],
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const id = response.headers.get("x-query-id") ?? "";
    const data = await dataOf(response);
    expect(data.pop()).toBe("[DONE]");
    const chunks = data.map((text) => JSON.parse(text));
    for (const chunk of chunks) {
      expect(chunk).toMatchObject({ id, object: "chat.completion.chunk", model: "belay" });
    }
    const usage = chunks.pop();
    expect(usage).toMatchObject({ choices: [], usage: { completion_tokens: 2, total_tokens: 2 } });
    const choices = chunks.map(({ choices }) => choices[0]);
    expect(choices[0]).toMatchObject({ delta: { role: "assistant", content: "" } });
    expect(choices.map(({ delta }) => delta.content ?? "").join("")).toBe("One. Two.");
    expect(choices.map(({ finish_reason }) => finish_reason).filter(Boolean)).toEqual(["stop"]);
    expect(chunks[0].belay).toEqual({ queryId: id, quotaRemaining: 19 });
    expect(chunks.at(-1).belay).toMatchObject({ queryId: id, found: true, quotaRemaining: 19 });
    expect(chunks.every(({ usage }) => usage === null)).toBe(true);
    expect(await asking.resolved(id)).toMatchObject({ state: "charged", answer: "One. Two." });
  });

  it("says nothing of the usage unless it is asked for, and when it was asked", async () => {
    const asking = await newUser();
    const before = Math.floor(Date.now() / 1_000);
    const response = await post(asking, { stream: true, messages: [user({ tokens: 2 })] });
    const chunks = (await dataOf(response)).slice(0, -1).map((text) => JSON.parse(text));
    for (const chunk of chunks) {
      expect(chunk).not.toHaveProperty("usage");
      expect(chunk.created).toBe(chunks[0].created);
    }
    expect(chunks[0].created).toBeGreaterThanOrEqual(before);
    expect(chunks[0].created).toBeLessThanOrEqual(before + 10);
  });

  it("says in a silence nothing but empty deltas", async () => {
    const asking = await newUser({ PING_INTERVAL_MS: "20" });
    const messages = [user({ tokens: ["Late."], firstMs: 200 })];
    const data = await dataOf(await post(asking, { stream: true, messages }));
    const silent = data
      .filter((text) => text !== "[DONE]")
      .map((text) => JSON.parse(text))
      .filter(({ choices: [{ delta }], belay }) => !("content" in delta) && belay === undefined);
    // Two of them belong to the probe.
    expect(silent.length).toBeGreaterThan(4);
    for (const { choices } of silent) {
      expect(choices).toEqual([{ index: 0, delta: {}, logprobs: null, finish_reason: null }]);
    }
  });

  it("is the same when the same ask comes again, and charged once", async () => {
    const asking = await newUser();
    const body = { stream: true, messages: [user({ tokens: ["One. ", "Two."] })] };
    const headers = {
      authorization: `Bearer ${asking.token}`,
      "content-type": "application/json",
      "idempotency-key": crypto.randomUUID(),
    };
    const first = shown(await dataOf(await post(asking, body, { headers })));
    expect(first.length).toBe(4);
    await eventually(
      () => asking.quota(),
      ({ charged }) => charged === 1,
    );
    const again = await post(asking, body, { headers });
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(shown(await dataOf(again))).toEqual(first);
    expect(await asking.quota()).toMatchObject({ charged: 1, reserved: 0 });
  });

  it("says where the text cites what has an address, streamed or not", async () => {
    const text = "Twenty [1].";
    const citation = { url: DOCUMENT.url, title: DOCUMENT.title, start_index: 7, end_index: 10 };
    const annotations = [{ type: "url_citation", url_citation: citation }];
    for (const stream of [true, false]) {
      const asking = await newUser();
      const messages = [user({ tokens: [text] }, "How many passengers has a zeppelin?")];
      const response = await post(asking, { stream, messages });
      const choice = stream
        ? shown(await dataOf(response)).at(-1)
        : (await response.json<{ choices: object[] }>()).choices[0];
      expect(choice).toMatchObject({ [stream ? "delta" : "message"]: { annotations } });
    }
  });

  it("says that nothing was found, without a source", async () => {
    const asking = await newUser();
    const messages = [user({ tokens: ["[0] ", "Nothing was found."] })];
    expect(await (await post(asking, { messages })).json()).toMatchObject({
      choices: [{ message: { content: "Nothing was found.", annotations: [] } }],
      belay: { found: false, sources: [], quotaRemaining: 20 },
    });
  });

  it("answers in one object without stream", async () => {
    const asking = await newUser();
    const response = await post(asking, { messages: [user({ tokens: ["One. ", "Two."] })] });
    const id = response.headers.get("x-query-id");
    expect(await response.json()).toMatchObject({
      id,
      object: "chat.completion",
      model: "belay",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "One. Two.", refusal: null },
          logprobs: null,
          finish_reason: "stop",
        },
      ],
      usage: { prompt_tokens: 0, completion_tokens: 2, total_tokens: 2 },
      belay: { queryId: id, found: true, quotaRemaining: 19 },
    });
  });

  it("asks the last message, after earlier turns and the application's instructions", async () => {
    const asking = await newUser();
    const tag = crypto.randomUUID();
    const response = await post(asking, {
      messages: [
        { role: "system", content: "Answer in verse." },
        {
          role: "user",
          content: [
            { type: "text", text: "What is " },
            { type: "text", text: "it?" },
          ],
        },
        { role: "assistant", content: "A Worker." },
        { role: "developer", content: "Be brief." },
        user({ tag }),
      ],
      temperature: 0.5,
      max_completion_tokens: 100_000,
    });
    expect(response.status).toBe(200);
    await response.text();
    const [request] = await modelRequests(tag);
    expect(request).toMatchObject({
      roles: ["system", "user", "assistant", "user"],
      options: { temperature: 0.5, max_tokens: 4_096 },
    });
  });

  it("refunds a client that disconnects, and stops the model", async () => {
    const asking = await newUser();
    const client = new AbortController();
    const tag = crypto.randomUUID();
    const response = await post(
      asking,
      { stream: true, messages: [user({ tokens: 1_000, gapMs: 20, tag })] },
      { signal: client.signal },
    );
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ""; !/"content":"[^"]/.test(text); ) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      expect(done, text).toBe(false);
      text += value ?? "";
    }
    await reader?.cancel();
    client.abort();
    const receipt = await asking.resolved(response.headers.get("x-query-id") ?? "");
    expect(receipt).toMatchObject({ state: "refunded", reason: "disconnected" });
    await upstreamEnded(tag);
  });

  it("reports a failure in the stream, without [DONE] and without a charge", async () => {
    const asking = await newUser();
    const response = await post(asking, {
      stream: true,
      messages: [user({ tokens: 3, fault: "cut", at: 1 })],
    });
    const data = await dataOf(response);
    expect(data).not.toContain("[DONE]");
    expect(JSON.parse(data.at(-1) ?? "")).toMatchObject({
      error: {
        ...{ type: "server_error", code: "GENERATION_FAILED", param: null },
        ...{ message: expect.stringMatching(/./), belay: { quotaRemaining: 20 } },
      },
    });
    await eventually(
      () => asking.quota(),
      ({ remaining }) => remaining === 20,
    );
  });

  it("reports a failure under its status without stream", async () => {
    const asking = await newUser();
    const response = await post(asking, { messages: [user({ tokens: 3, fault: "cut", at: 1 })] });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({
      error: { type: "server_error", belay: { quotaRemaining: 20 } },
    });
  });

  it("refuses in OpenAI's form once the quota is used up", async () => {
    const asking = await newUser({ QUOTA_LIMIT: "0" });
    for (const stream of [false, true]) {
      const response = await post(asking, { stream, messages: [user({})] });
      expect(response.status).toBe(429);
      expect(response.headers.get("x-should-retry")).toBe("false");
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(await response.json()).toMatchObject({
        error: {
          type: "insufficient_quota",
          code: "insufficient_quota",
          belay: { code: "QUOTA_EXCEEDED", quotaRemaining: 0 },
        },
      });
    }
  });

  it.each<[string, Body, string]>([
    ["n", { n: 2 }, "n"],
    ["a stop sequence", { stop: ["\n"] }, "stop"],
    ["a required tool", { tool_choice: "required" }, "tool_choice"],
    ["a named tool", { tool_choice: { type: "function" } }, "tool_choice"],
    ["a JSON schema", { response_format: { type: "json_schema" } }, "response_format.type"],
    ["log probabilities", { logprobs: true }, "logprobs"],
    ["audio", { modalities: ["audio"] }, "modalities.0"],
    ["a temperature out of range", { temperature: 3 }, "temperature"],
    ["no tokens", { max_tokens: 0 }, "max_tokens"],
    ["an unknown option of Belay", { belay: { topk: 3 } }, "belay.topk"],
    ["no messages", { messages: [] }, "messages"],
    ["a picture", { messages: [{ role: "user", content: [{ type: "image_url" }] }] }, "messages"],
    ["a tool's message", { messages: [{ role: "tool", content: "x" }] }, "messages.0.role"],
    ["no user's message", { messages: [{ role: "system", content: "x" }] }, "messages"],
    ["an answer last", { messages: [{ role: "assistant", content: "x" }] }, "messages"],
    ["an empty question", { messages: [{ role: "user", content: " " }] }, "messages"],
    ["a long question", { messages: [{ role: "user", content: "x".repeat(4_001) }] }, "messages"],
  ])("refuses %s with a 400 that names it, and charges nothing", async (_, body, param) => {
    const asking = await newUser();
    const response = await post(asking, { messages: [user({})], ...body });
    expect(response.status).toBe(400);
    const { error } = await response.json<{ error: { message: string; param: string } }>();
    expect(error).toMatchObject({ type: "invalid_request_error", code: "INVALID_REQUEST" });
    expect(error.param.startsWith(param)).toBe(true);
    expect(error.message).toContain(param.split(".")[0]);
    expect(await asking.quota()).toMatchObject({ remaining: 20, reserved: 0 });
  });

  it("ignores what changes nothing here", async () => {
    const asking = await newUser();
    const response = await post(asking, {
      messages: [user({ tokens: ["Yes."] })],
      ...{ n: 1, top_p: 0.9, presence_penalty: 0, seed: 1, user: "u", store: false, stop: null },
      ...{ tools: [{ type: "function" }], tool_choice: "auto", logprobs: false, metadata: {} },
      ...{ response_format: { type: "text" }, reasoning_effort: "low", parallel_tool_calls: true },
    });
    expect(response.status).toBe(200);
  });

  it("refuses an unknown model, a broken body, no token and another method in OpenAI's form", async () => {
    const asking = await newUser();
    const unknown = await post(asking, { model: "gpt-4o", messages: [user({})] });
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({
      error: { code: "model_not_found", param: "model" },
    });
    const headers = { authorization: `Bearer ${asking.token}`, "content-type": "application/json" };
    const broken = await post(asking, {}, { body: "{", headers });
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({
      error: { type: "invalid_request_error", message: expect.stringMatching(/./) },
    });
    const stranger = await fetchApi("/v1/chat/completions", { method: "POST", body: "{}" });
    expect(stranger.status).toBe(401);
    expect(await stranger.json()).toMatchObject({
      error: { type: "authentication_error", code: "invalid_api_key" },
    });
    const other = await fetchApi("/v1/chat/completions");
    expect(other.status).toBe(405);
    expect(await other.json()).toMatchObject({ error: { code: "METHOD_NOT_ALLOWED" } });
  });
});

describe("GET /v1/models", () => {
  it("lists the models, and tells of one", async () => {
    const asking = await newUser();
    const headers = { authorization: `Bearer ${asking.token}` };
    const list = await fetchApi("/v1/models", { headers });
    expect(await list.json()).toMatchObject({
      object: "list",
      data: [
        { id: "belay", object: "model", owned_by: "belay" },
        { id: "belay/default", object: "model", owned_by: "belay" },
      ],
    });
    const one = await fetchApi("/v1/models/belay%2Fdefault", { headers });
    expect(await one.json()).toMatchObject({ id: "belay/default" });
    expect((await fetchApi("/v1/models/gpt-4o", { headers })).status).toBe(404);
    expect((await fetchApi("/v1/models")).status).toBe(401);
  });
});
