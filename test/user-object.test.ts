// The promise, row by row: what an ask costs, by how it ended.
// test/servers has the cases in which the client's socket matters.

import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { AnswerBody, ErrorBody } from "../src/protocol.ts";
import { billedRows } from "./billed-rows.ts";
import {
  adminPath,
  asOperator,
  audit,
  eventually,
  modelRequests,
  newUser,
  scripted,
  type TestUser,
  upstreamEnded,
} from "./harness.ts";
import { variables } from "./worker.ts";

describe("an answer that arrives", () => {
  it("streams start, sources, tokens and done, and charges once", async () => {
    const user = await newUser({ QUOTA_LIMIT: "4" });
    const stream = await user.ask({ tokens: ["The", " cat", " [1]."] });
    expect(stream.response.status).toBe(200);
    expect(stream.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const events = await stream.all();
    expect(events.map(({ type }) => type)).toEqual([
      "start",
      "sources",
      "token",
      "token",
      "token",
      "done",
    ]);
    expect(events[0]).toEqual({ type: "start", queryId: stream.queryId, quotaRemaining: 3 });
    expect(events.at(-1)).toMatchObject({ type: "done", finish: "stop", quotaRemaining: 3 });
    expect(await user.resolved(stream.queryId)).toMatchObject({
      state: "charged",
      reason: null,
      answer: "The cat [1].",
      finish: "stop",
      tokens: 3,
    });
    expect(await user.quota()).toMatchObject({ limit: 4, remaining: 3, reserved: 0, charged: 1 });
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  it("is sent in the exact form that every client reads, whatever its text", async () => {
    const user = await newUser();
    const tokens = ["a\n\ndata: {}\n\n", "\r\u2028\u2029\u0085\u009f", "張😀", '"\\', "\u0000"];
    const stream = await user.ask({ tokens });
    await stream.all();
    expect(stream.answer).toBe(tokens.join(""));
    expect(stream.text).toMatch(/^(data: \{[^\r\n\u0080-\u009f\u2028\u2029]*\}\n\n)+$/);
  });

  it("is the same in JSON as in a stream", async () => {
    const user = await newUser();
    const tokens = ["The", " cat [1]."];
    const response = await user.askForJson({ tokens });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    const body: AnswerBody = await response.json();
    const stream = await user.ask({ tokens });
    const done = (await stream.all()).at(-1);
    expect(body).toEqual({
      queryId: response.headers.get("x-query-id"),
      answer: stream.answer,
      sources: done?.type === "done" ? done.sources : undefined,
      finish: "stop",
      found: true,
      quotaRemaining: 19,
    });
    expect(await user.resolved(body.queryId)).toMatchObject({ state: "charged" });
  });

  it("carries its quota in headers", async () => {
    const user = await newUser({ QUOTA_LIMIT: "4" });
    const stream = await user.ask({ tokens: 1 });
    const { headers } = stream.response;
    expect(headers.get("ratelimit-policy")).toBe('"quota";q=4;w=86400');
    expect(headers.get("ratelimit")).toMatch(/^"quota";r=3;t=\d+$/);
    expect(headers.get("cache-control")).toBe("no-cache, no-transform");
    expect(headers.get("x-accel-buffering")).toBe("no");
    await stream.all();
  });

  it("reports its duration in a header, and in one log line without its text", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    const user = await newUser();
    const response = await user.askForJson(
      { tokens: ["canary-answer"], gapMs: 5 },
      {},
      { headers: { "idempotency-key": "canary-key" } },
    );
    expect(response.headers.get("server-timing")).toMatch(
      /^admit;dur=\d+, first-token;dur=\d+, total;dur=\d+$/,
    );
    const { queryId } = await response.json<AnswerBody>();
    const lines = await eventually(
      async () => log.mock.calls.map(([line]) => String(line)),
      (seen) => seen.some((line) => line.includes(queryId)),
    );
    log.mockRestore();
    const ours = lines.filter((line) => line.includes(queryId));
    expect(ours).toHaveLength(1);
    expect(JSON.parse(ours[0] ?? "")).toMatchObject({
      event: "query",
      queryId,
      user: user.stub.id.toString(),
      state: "charged",
      finish: "stop",
      tokens: 1,
    });
    for (const secret of ["canary", "What does Belay do?", user.name, user.token]) {
      expect(ours[0]).not.toContain(secret);
    }
  });

  it("says in its log line what was found, and passes the client's trace on", async () => {
    const trace = ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"];
    const tag = crypto.randomUUID();
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    const user = await newUser();
    const headers = { traceparent: `00-${trace.join("-")}-01` };
    const response = await user.askForJson({ tag, tokens: ["Yes."] }, {}, { headers });
    const { queryId } = await response.json<AnswerBody>();
    const lines = await eventually(
      async () => log.mock.calls.map(([line]) => String(line)),
      (seen) => seen.some((line) => line.includes(queryId)),
    );
    log.mockRestore();
    const lineOf = (id: string) => JSON.parse(lines.find((line) => line.includes(id)) ?? "{}");
    expect(lineOf(queryId)).toMatchObject({
      ...{ found: true, cited: 0, collections: ["default"], modelTokens: 1, traceId: trace[0] },
    });
    const requests = await modelRequests(tag);
    expect(requests.map(({ traceparent }) => traceparent)).toEqual([headers.traceparent]);
  });

  it.each([
    ["no trace", "00-canary-01"],
    ["upper case", `00-${"CA".repeat(16)}-${"ca".repeat(8)}-01`],
    ["a trace of zeros", `00-${"00".repeat(16)}-${"ca".repeat(8)}-01`],
    ["a parent of zeros", `00-${"ca".repeat(16)}-${"00".repeat(8)}-01`],
    ["another version", `ff-${"ca".repeat(16)}-${"ca".repeat(8)}-01`],
    ["more at its end", `00-${"ca".repeat(16)}-${"ca".repeat(8)}-01-canary`],
    ["two values", `00-${"ca".repeat(16)}-${"ca".repeat(8)}-01, canary`],
    ["2,000 characters", "canary".repeat(333)],
  ])("is not traced by a traceparent of %s, which is nowhere repeated", async (_, traceparent) => {
    const tag = crypto.randomUUID();
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    const user = await newUser();
    const response = await user.askForJson(
      { tag, tokens: ["No."] },
      {},
      { headers: { traceparent } },
    );
    const { queryId } = await response.json<AnswerBody>();
    const lines = await eventually(
      async () => log.mock.calls.map(([line]) => String(line)),
      (seen) => seen.some((line) => line.includes(queryId)),
    );
    log.mockRestore();
    const said = JSON.stringify([
      lines.filter((line) => line.includes(queryId)),
      ...response.headers,
    ]);
    expect(said).not.toMatch(/traceId|canary|caca|00000000/i);
    expect((await modelRequests(tag)).map((request) => request.traceparent)).toEqual([undefined]);
  });

  it("is kept open by pings while the model is silent", async () => {
    const user = await newUser({ PING_INTERVAL_MS: "20" });
    const stream = await user.ask({ fault: "hang" });
    for (let pings = 0; pings < 5; pings += 1) await stream.until("ping");
    expect(stream.answer).toBe("");
    stream.leave();
  });
});

describe("an alarm that audits", () => {
  it("logs one line if the counters differ from the rows, and none if not", async () => {
    const user = await newUser();
    const stream = await user.ask({ tokens: 1 });
    await stream.all();
    await user.resolved(stream.queryId);
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const random = vi.spyOn(Math, "random").mockReturnValue(0);
    const ring = () => runInDurableObject(user.stub, (object) => object.alarm());
    const said = () => error.mock.calls.filter(([line]) => /counters of a user/.test(String(line)));
    try {
      await ring();
      expect(said()).toEqual([]);
      await user.rows("UPDATE windows SET charged = charged + 1");
      random.mockReturnValue(0.5);
      await ring();
      expect(said()).toEqual([]);
      random.mockReturnValue(0);
      await ring();
      await ring();
      expect(said()).toEqual([
        [
          "The counters of a user differ from the rows:",
          user.stub.id.toString(),
          expect.stringMatching(/: charged is 2, but 1 rows are$/),
        ],
      ]);
    } finally {
      random.mockRestore();
      error.mockRestore();
    }
  });
});

describe("an answer cut by our limits", () => {
  it("ends at maxTokens with finish length and is charged", async () => {
    const user = await newUser();
    const tag = crypto.randomUUID();
    const stream = await user.ask(
      { tag, tokens: 500, gapMs: 1, ignoreMaxTokens: true },
      { maxTokens: 3 },
    );
    const events = await stream.all();
    expect(events.filter(({ type }) => type === "token")).toHaveLength(3);
    expect(events.at(-1)).toMatchObject({ type: "done", finish: "length" });
    expect(await user.resolved(stream.queryId)).toMatchObject({ state: "charged", tokens: 3 });
    await upstreamEnded(tag);
  });

  it("ends at ANSWER_BYTES_MAX between two characters", async () => {
    const user = await newUser({ ANSWER_BYTES_MAX: "10" });
    const stream = await user.ask({ tokens: ["張張", "張張張"] });
    expect((await stream.all()).at(-1)).toMatchObject({ type: "done", finish: "length" });
    expect(stream.answer).toBe("張張張");
  });

  it("ends at GENERATION_TIMEOUT_MS while it flows", async () => {
    const user = await newUser({ GENERATION_TIMEOUT_MS: "1000" });
    const tag = crypto.randomUUID();
    const stream = await user.ask({ tag, tokens: 5_000, gapMs: 10 });
    expect((await stream.all()).at(-1)).toMatchObject({ type: "done", finish: "length" });
    expect(await user.resolved(stream.queryId)).toMatchObject({ state: "charged" });
    await upstreamEnded(tag);
  });
});

describe("a user who disconnects", () => {
  it.each([
    ["before the first token", { firstMs: 60_000 }, "start"],
    ["between tokens", { gapMs: 20 }, "token"],
    ["in a silence", { fault: "hang", at: 2 }, "ping"],
  ] as const)("%s is refunded, and the model is stopped", async (_name, directive, last) => {
    const user = await newUser();
    const tag = crypto.randomUUID();
    const stream = await user.ask({ tag, tokens: 500, ...directive });
    await stream.until(last);
    await eventually(
      () => modelRequests(tag),
      ({ length }) => length === 1,
    );
    stream.leave();
    expect(await user.resolved(stream.queryId)).toMatchObject({
      state: "refunded",
      reason: "disconnected",
      answer: null,
    });
    expect(await user.quota()).toMatchObject({ remaining: 20, reserved: 0, refunded: 1 });
    await upstreamEnded(tag);
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  it("between the last token and done is refunded", async () => {
    const user = await newUser({ DELIVERY_HOLD_MS: "10000" });
    const stream = await user.ask({ tokens: ["all"] });
    await stream.until("token");
    stream.leave();
    expect(await user.resolved(stream.queryId)).toMatchObject({ reason: "disconnected" });
  });

  it("after reading done is charged", async () => {
    const user = await newUser();
    const stream = await user.ask({ tokens: 2 });
    await stream.until("done");
    stream.leave();
    expect(await user.resolved(stream.queryId)).toMatchObject({ state: "charged" });
  });

  it("from a JSON ask is refunded when the connection breaks", async () => {
    const user = await newUser();
    const tag = crypto.randomUUID();
    const controller = new AbortController();
    const response = user.askForJson(
      { tag, tokens: 500, gapMs: 20 },
      {},
      { signal: controller.signal },
    );
    await eventually(
      () => modelRequests(tag),
      ([request]) => (request?.tokensSent ?? 0) > 1,
    );
    controller.abort();
    await response.catch(() => {});
    const [receipt] = await eventually(
      () => user.receipts(),
      ([first]) => first?.state === "refunded",
    );
    expect(receipt).toMatchObject({ reason: "disconnected" });
    await upstreamEnded(tag);
  });

  it("by not reading a stored answer is cut off when a write is late", async () => {
    const user = await newUser();
    const query = scripted({ tokens: 100, tokenLength: 2_000 });
    const first = await user.ask(query);
    await first.all();
    await user.resolved(first.queryId);
    // Only from here on: a busy machine may read the first answer slowly.
    variables.set(user.name, { WRITE_TIMEOUT_MS: "50" });
    await abortAllDurableObjects();
    const response = await user.askForJson(query);
    expect(response.headers.get("idempotency-replayed")).toBe("true");
    await scheduler.wait(300);
    await expect(response.text()).rejects.toThrow();
  });

  it("by not reading is refunded when a write is late", async () => {
    const user = await newUser({ WRITE_TIMEOUT_MS: "300" });
    const tag = crypto.randomUUID();
    const stream = await user.ask({ tag, tokens: 5_000, gapMs: 1 });
    await stream.until("start");
    expect(await user.resolved(stream.queryId)).toMatchObject({ reason: "disconnected" });
    await upstreamEnded(tag);
  });
});

describe("a stop", () => {
  it("refunds, ends every listener with CANCELLED, and stops the model", async () => {
    const user = await newUser();
    const tag = crypto.randomUUID();
    const stream = await user.ask({ tag, tokens: 500, gapMs: 20 });
    await stream.until("token");
    const response = await user.post(`/ai/queries/${stream.queryId}/cancel`);
    expect(await response.json()).toMatchObject({ state: "refunded", reason: "cancelled" });
    expect((await stream.all()).at(-1)).toMatchObject({
      type: "error",
      code: "CANCELLED",
      queryId: stream.queryId,
      quotaRemaining: 20,
    });
    await upstreamEnded(tag);
    const again = await user.post(`/ai/queries/${stream.queryId}/cancel`);
    expect(await again.json()).toMatchObject({ state: "refunded", reason: "cancelled" });
    expect(await user.quota()).toMatchObject({ refunded: 1, refundsLeft: 19 });
  });

  it("ends a JSON ask with CANCELLED, after which no client retries", async () => {
    const user = await newUser();
    const asked = user.askForJson({ tokens: 500, gapMs: 20 });
    const [receipt] = await eventually(
      () => user.receipts(),
      ({ length }) => length === 1,
    );
    await user.post(`/ai/queries/${receipt?.queryId}/cancel`);
    const response = await asked;
    expect(response.status).toBe(409);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(await response.json()).toMatchObject({ code: "CANCELLED", quotaRemaining: 20 });
  });

  it("after the pipeline has finished changes nothing and returns the outcome", async () => {
    // The only pings are those of the probe, which begins after the pipeline's end.
    const user = await newUser({ DELIVERY_HOLD_MS: "300", PING_INTERVAL_MS: "60000" });
    const stream = await user.ask({ tokens: ["all"] });
    await stream.until("ping");
    const [response, events] = await Promise.all([
      user.post(`/ai/queries/${stream.queryId}/cancel`),
      stream.all(),
    ]);
    expect(await response.json()).toMatchObject({ state: "charged" });
    expect(events.at(-1)).toMatchObject({ type: "done" });
  });

  it("of another user's query is 404 and changes nothing", async () => {
    const [user, other] = [await newUser(), await newUser()];
    const stream = await user.ask({ tokens: 20, gapMs: 10 });
    await stream.until("token");
    expect((await other.post(`/ai/queries/${stream.queryId}/cancel`)).status).toBe(404);
    expect((await stream.all()).at(-1)).toMatchObject({ type: "done" });
  });
});

describe("a model that fails", () => {
  it.each([
    ["breaks off", { tokens: 5, fault: "cut", at: 2 }],
    ["ends without saying so", { tokens: 5, fault: "end", at: 2 }],
    ["sends garbage", { tokens: 5, fault: "garbage", at: 2 }],
    ["sends a page", { fault: "html" }],
    ["says nothing", { fault: "empty" }],
    ["refuses the key", { status: 401 }],
    ["breaks down", { status: 500 }],
  ] as const)("costs nothing when it %s", async (_name, directive) => {
    const user = await newUser();
    const stream = await user.ask(directive);
    expect((await stream.all()).at(-1)).toMatchObject({
      type: "error",
      code: "GENERATION_FAILED",
      queryId: stream.queryId,
      quotaRemaining: 20,
    });
    expect(stream.text).not.toContain("canary");
    expect(await user.receipt(stream.queryId)).toMatchObject({
      state: "refunded",
      reason: "failed",
    });
    const json = await user.askForJson(directive);
    expect(json.status).toBe(502);
    expect(await json.json<ErrorBody>()).toMatchObject({
      code: "GENERATION_FAILED",
      quotaRemaining: 20,
    });
    // The user did not cause a failure: the
    // refund allowance does not count it.
    expect(await user.quota()).toMatchObject({ refunded: 2, refundsLeft: 20 });
  });

  it.each([
    ["never begins", { FIRST_TOKEN_TIMEOUT_MS: "80" }, { fault: "hang-before-headers" }],
    ["begins and says nothing", { FIRST_TOKEN_TIMEOUT_MS: "400" }, { fault: "hang" }],
    ["stalls", { TOKEN_GAP_TIMEOUT_MS: "80" }, { tokens: 5, fault: "hang", at: 2 }],
  ] as const)("costs nothing when it %s", async (_name, variables, directive) => {
    const user = await newUser(variables);
    const tag = crypto.randomUUID();
    const stream = await user.ask({ tag, ...directive });
    expect((await stream.all()).at(-1)).toMatchObject({ code: "GENERATION_TIMEOUT" });
    expect(await user.receipt(stream.queryId)).toMatchObject({ reason: "failed" });
    await upstreamEnded(tag);
    const json = await user.askForJson(directive);
    expect(json.status).toBe(504);
    await json.text();
  });
});

describe("a search that fails", () => {
  it("costs nothing and calls no model", async () => {
    const broken = { getByName: () => ({ search: () => Promise.reject(new Error("gone")) }) };
    const user = await newUser({ CORPUS: broken as unknown as string });
    const tag = crypto.randomUUID();
    const stream = await user.ask({ tag, tokens: 1 });
    expect((await stream.all()).at(-1)).toMatchObject({
      type: "error",
      code: "RETRIEVAL_FAILED",
      queryId: stream.queryId,
      quotaRemaining: 20,
    });
    expect(await user.receipt(stream.queryId)).toMatchObject({ reason: "failed" });
    const json = await user.askForJson({ tag, tokens: 2 });
    expect(json.status).toBe(502);
    expect(await json.json()).toMatchObject({ code: "RETRIEVAL_FAILED" });
    expect(await modelRequests(tag)).toEqual([]);
  });
});

describe("a limit", () => {
  it("of three answers admits three of fifty simultaneous asks", async () => {
    const user = await newUser({ QUOTA_LIMIT: "3", CONCURRENCY_LIMIT: "50" });
    const responses = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        user.askForJson(scripted({ tokens: 3, gapMs: 5 }, `Question ${index}.`)),
      ),
    );
    const bodies = await Promise.all(responses.map((response) => response.json<ErrorBody>()));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(bodies.filter(({ code }) => code === "QUOTA_EXCEEDED")).toHaveLength(47);
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  it("that is used up refuses asks and names its reset time, so that no client retries at once", async () => {
    const user = await newUser({ QUOTA_LIMIT: "0" });
    const response = await user.post("/ai/ask", { query: "x" });
    expect(response.status).toBe(429);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(response.headers.get("ratelimit")).toMatch(/^"quota";r=0;t=\d+$/);
    const { resetsAt } = await user.quota();
    expect(await response.json()).toMatchObject({ code: "QUOTA_EXCEEDED", resetsAt });
  });

  it("names no reset time where the period never ends", async () => {
    const user = await newUser({ QUOTA_LIMIT: "0", QUOTA_PERIOD: "total" });
    const response = await user.post("/ai/ask", { query: "x" });
    expect(response.headers.get("retry-after")).toBeNull();
    expect(response.headers.get("ratelimit-policy")).toBe('"quota";q=0');
    expect(response.headers.get("ratelimit")).toBe('"quota";r=0');
    expect(await user.quota()).toMatchObject({ period: "total", resetsAt: null });
  });

  it("of concurrent answers frees a place at every end", async () => {
    const user = await newUser({ CONCURRENCY_LIMIT: "1" });
    const first = await user.ask({ tokens: 500, gapMs: 20 });
    await first.until("token");
    const second = await user.post("/ai/ask?stream=true", { query: "x" });
    expect(second.status).toBe(429);
    expect(second.headers.get("retry-after")).toBe("1");
    expect(await second.text()).toContain("TOO_MANY_STREAMS");
    first.leave();
    await user.resolved(first.queryId);
    for (const directive of [{ tokens: 1 }, { status: 500 }, { tokens: 1 }]) {
      await (await user.ask(directive)).all();
    }
  });
});

describe("a crash", () => {
  it("is refunded as expired by the alarm, without a request", async () => {
    const user = await newUser();
    const stream = await user.ask({ tokens: 500, gapMs: 20 });
    await stream.until("token");
    const rest = stream.all();
    await abortAllDurableObjects();
    await expect(rest).rejects.toThrow();
    const restarted = Date.now();
    expect(await runDurableObjectAlarm(user.stub)).toBe(true);
    const [row] = await user.rows<{ state: string; reason: string; resolved_at: number }>(
      "SELECT state, reason, resolved_at FROM queries",
    );
    expect(row).toMatchObject({ state: "refunded", reason: "expired" });
    expect(row?.resolved_at).toBeLessThan(restarted + 60_000);
    expect(await user.quota()).toMatchObject({ remaining: 20, reserved: 0, refundsLeft: 20 });
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  it("is refunded by the next request if that comes first", async () => {
    const user = await newUser();
    const stream = await user.ask({ tokens: 500, gapMs: 20 });
    await stream.until("token");
    const rest = stream.all().catch(() => {});
    await abortAllDurableObjects();
    await rest;
    expect(await user.receipt(stream.queryId)).toMatchObject({ reason: "expired" });
  });
});

it("the failure limit still counts earlier failures after an eviction", async () => {
  const user = await newUser({ FAILURE_LIMIT: "2" });
  for (const words of ["One?", "Two?"]) {
    await (await user.ask(scripted({ status: 500 }, words))).all();
  }
  await evictDurableObject(user.stub);
  const { response } = await user.ask(scripted({ status: 500 }, "Three?"));
  expect(response.status).toBe(503);
});

describe("the alarm", () => {
  const alarmAt = (user: TestUser) =>
    runInDurableObject(user.stub, (_object, { storage }) => storage.getAlarm());

  it("leaves a live run alone and is set again while anything is reserved", async () => {
    const user = await newUser();
    const stream = await user.ask({ tokens: 500, gapMs: 20 });
    await stream.until("token");
    expect(await runDurableObjectAlarm(user.stub)).toBe(true);
    expect(await user.receipt(stream.queryId)).toMatchObject({ state: "reserved" });
    expect(await runDurableObjectAlarm(user.stub)).toBe(true);
    stream.leave();
    await user.resolved(stream.queryId);
    await runDurableObjectAlarm(user.stub);
    // What remains is to prune the ask's key, a day later.
    const seen = await (await asOperator(adminPath(user))).json<{ alarmAt: string }>();
    expect(Date.parse(seen.alarmAt)).toBeGreaterThan(Date.now() + 23 * 60 * 60 * 1000);
  });

  it("does not throw and is set again when storage fails", async () => {
    const user = await newUser();
    const stream = await user.ask({ tokens: 500, gapMs: 20 });
    await stream.until("token");
    await runInDurableObject(user.stub, async (object, state) => {
      const { sql } = state.storage;
      const real = sql.exec;
      sql.exec = () => {
        throw new Error("disk I/O error");
      };
      await object.alarm();
      sql.exec = real;
      expect(await state.storage.getAlarm()).not.toBeNull();
    });
    stream.leave();
  });

  it("is not postponed by an ask after an eviction", async () => {
    const user = await newUser();
    const first = await user.ask("One?");
    await first.all();
    await user.resolved(first.queryId);
    const before = await alarmAt(user);
    expect(before).not.toBeNull();
    await evictDurableObject(user.stub);
    await scheduler.wait(20);
    await (await user.ask("Two?")).all();
    expect(await alarmAt(user)).toBe(before);
  });

  it("is set again after storage refused it", async () => {
    const user = await newUser();
    await user.quota();
    await runInDurableObject(user.stub, (_object, { storage }) => {
      const real = storage.setAlarm.bind(storage);
      let times = 0;
      storage.setAlarm = (at) => {
        times += 1;
        return times === 1 ? Promise.reject(new Error("disk I/O error")) : real(at);
      };
    });
    const stream = await user.ask({ tokens: 500, gapMs: 20 });
    await stream.until("token");
    await eventually(
      () => alarmAt(user),
      (at) => at !== null,
    );
    stream.leave();
  });
});

describe("storage that fails", () => {
  it.each([
    ["a stream", "cancel"],
    ["a stream", "continue"],
    ["JSON", "cancel"],
    ["JSON", "continue"],
  ])("costs nothing when %s cannot be sent its headers (%s)", async (mode, onDisconnect) => {
    const user = await newUser({ REFUND_LIMIT: "0", WRITE_TIMEOUT_MS: "150" });
    await user.receipts();
    // With windows of two periods the quota is counted in the log, each time.
    await runInDurableObject(user.stub, (_object, { storage }) => {
      storage.sql.exec("INSERT INTO windows (window) VALUES ('total')");
    });
    await abortAllDurableObjects();
    await runInDurableObject(user.stub, (_object, { storage }) => {
      const real = storage.sql.exec.bind(storage.sql);
      let reserved = false;
      let failed = false;
      storage.sql.exec = ((...query: Parameters<typeof real>) => {
        const [text] = query;
        reserved ||= text.includes("INSERT INTO queries");
        if (reserved && !failed && text.includes("SELECT window, asked_at")) {
          failed = true;
          throw new Error("disk I/O error");
        }
        return real(...query);
      }) as typeof real;
    });
    const path = mode === "JSON" ? "/ai/ask" : "/ai/ask?stream=true";
    const response = await user.post(path, { query: scripted({ tokens: 3 }), onDisconnect });
    expect(response.status).toBe(500);
    await response.text();
    const [receipt] = await eventually(
      () => user.receipts(),
      ([one]) => one?.state !== "reserved",
    );
    expect(receipt).toMatchObject({ state: "refunded", reason: "failed" });
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  it("for one query does not keep the sweep from other queries", async () => {
    const user = await newUser();
    const streams = [
      await user.ask(scripted({ tokens: 500, gapMs: 20 }, "One?")),
      await user.ask(scripted({ tokens: 500, gapMs: 20 }, "Two?")),
    ];
    for (const stream of streams) await stream.until("token");
    const rest = streams.map((stream) => stream.all().catch(() => {}));
    await abortAllDurableObjects();
    await Promise.all(rest);
    await runInDurableObject(user.stub, (_object, { storage }) => {
      storage.sql.exec("UPDATE queries SET state = 'reserved', reason = NULL, resolved_at = NULL");
      storage.sql.exec("UPDATE windows SET reserved = 2, refunded = 0");
      storage.sql.exec(
        `CREATE TRIGGER fault BEFORE UPDATE ON queries WHEN old.number = 2
         BEGIN SELECT raise(ABORT, 'disk I/O error'); END`,
      );
    });
    // An object does not see what others write to its database.
    await abortAllDurableObjects();
    await runInDurableObject(user.stub, async (object, { storage }) => {
      await (object as unknown as { alarm(): Promise<void> }).alarm();
      expect(storage.sql.exec("SELECT number, state FROM queries").toArray()).toEqual([
        { number: 1, state: "refunded" },
        { number: 2, state: "reserved" },
      ]);
      expect(await storage.getAlarm()).not.toBeNull();
    });
  });

  it("at the reservation refuses the ask and calls no model", async () => {
    const user = await newUser();
    await user.quota();
    const tag = crypto.randomUUID();
    await failTransactions(user, 1);
    const response = await user.askForJson({ tag, tokens: 1 });
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({
      type: "error",
      code: "INTERNAL",
      message: "Internal error.",
    });
    expect(await modelRequests(tag)).toEqual([]);
    expect(await user.quota()).toMatchObject({ reserved: 0, charged: 0 });
  });

  it("at the charge gives the answer away, and the sweep refunds it", async () => {
    const user = await newUser();
    await user.quota();
    await failTransactions(user, 1, "reserved");
    const stream = await user.ask({ tokens: 2 });
    expect((await stream.all()).at(-1)).toMatchObject({ type: "done" });
    await runDurableObjectAlarm(user.stub);
    expect(await user.receipt(stream.queryId)).toMatchObject({ reason: "expired" });
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  it("at the refund leaves the reservation to the sweep", async () => {
    const user = await newUser();
    const stream = await user.ask({ tokens: 500, gapMs: 20 });
    await stream.until("token");
    await failTransactions(user, 1);
    stream.leave();
    await eventually(
      () => user.rows<{ state: string }>("SELECT state FROM queries"),
      ([row]) => row?.state === "reserved",
    );
    await eventually(
      async () => {
        await runDurableObjectAlarm(user.stub);
        return user.receipt(stream.queryId);
      },
      ({ reason }) => reason === "expired",
    );
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  describe("for minutes", () => {
    afterEach(() => {
      vi.useRealTimers();
      vi.restoreAllMocks();
    });

    /**
     * A user with a stored answer, a reservation
     * of a dead instance, and a switch.
     */
    async function inOutage() {
      const storage = { isOut: false, tries: 0 };
      const tryWrite = async () => {
        storage.tries += 1;
        if (storage.isOut) throw new Error("database or disk is full");
      };
      const USERS = { getByName: () => ({ tryWrite }) } as unknown as string;
      const user = await newUser({ USERS });
      const stored = await user.ask("Stored?");
      await stored.all();
      await user.resolved(stored.queryId);
      const left = await user.ask({ tokens: 500, gapMs: 20 });
      await left.until("token");
      const rest = left.all().catch(() => {});
      storage.isOut = true;
      await abortAllDurableObjects();
      await rest;
      return { user, storage, stored, left };
    }

    it("keeps stored answers readable and refuses writes", async () => {
      const { user, storage, stored, left } = await inOutage();
      // The clock stands still, so that the first check goes on counting.
      setClock(new Date().toISOString());
      expect(await user.quota()).toMatchObject({ charged: 1, reserved: 1 });
      expect(await user.receipt(left.queryId)).toMatchObject({ state: "reserved" });
      expect((await (await user.events(stored.queryId)).all()).at(-1)).toMatchObject({
        type: "done",
      });
      const writing = [
        await user.post("/ai/ask", { query: "New?" }),
        await user.post("/ai/feedback", { queryId: stored.queryId, rating: "up" }),
        await user.request(`/ai/queries/${stored.queryId}`, { method: "DELETE" }),
        await asOperator(adminPath(user), { method: "PATCH", body: '{"limit":1}' }),
      ];
      // Once when it woke: repeated asks cause no work.
      expect(storage.tries).toBe(1);
      for (const response of writing) {
        expect(response.status).toBe(503);
        expect(response.headers.get("retry-after")).toBe("10");
        expect(await response.json()).toMatchObject({ code: "UNAVAILABLE" });
      }
      storage.isOut = false;
      vi.setSystemTime(Date.now() + 1_050);
      // The first write finds storage back,
      // and refunds the dead instance's ask.
      await (await user.ask("New?")).all();
      expect(await user.receipt(left.queryId)).toMatchObject({ reason: "expired" });
      expect(await audit(user)).toEqual({ ok: true, differences: [] });
    });

    it("keeps the alarm waiting, which refunds within 10 s of recovery", async () => {
      const { user, storage, left } = await inOutage();
      const row = async () => (await user.rows(`SELECT reason FROM queries WHERE number = 2`))[0];
      vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: Date.now() });
      const rung = runInDurableObject(user.stub, (object) => object.alarm());
      for (let look = 0; look < 60; look += 1) {
        await scheduler.wait(0);
        await runInDurableObject(user.stub, () => vi.advanceTimersByTimeAsync(10_000));
      }
      expect(await row()).toEqual({ reason: null });
      storage.isOut = false;
      await runInDurableObject(user.stub, () => vi.advanceTimersByTimeAsync(10_000));
      await rung;
      expect(await row()).toEqual({ reason: "expired" });
      expect(await user.receipt(left.queryId)).toMatchObject({ state: "refunded" });
    });

    it("does not keep the alarm longer than the runtime allows", async () => {
      const { user } = await inOutage();
      vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: Date.now() });
      let isOver = false;
      const rung = runInDurableObject(user.stub, async (object) => {
        await object.alarm();
        isOver = true;
      });
      for (let look = 0; look < 89 && !isOver; look += 1) {
        await scheduler.wait(0);
        await runInDurableObject(user.stub, () => vi.advanceTimersByTimeAsync(10_000));
      }
      expect(isOver).toBe(true);
      await rung;
    });

    it("writes no charge, which would reset the object and cut off other answers", async () => {
      const { user, storage } = await inOutage();
      storage.isOut = false;
      const real = setTimeout;
      vi.spyOn(globalThis, "setTimeout").mockImplementation(((callback: () => void, ms: number) =>
        real(callback, ms === 10_000 ? 50 : ms)) as typeof setTimeout);
      const first = await user.ask(scripted({ tokens: 2, gapMs: 1_000 }, "One?"));
      const second = await user.ask(scripted({ tokens: 4, gapMs: 500 }, "Two?"));
      await second.until("token");
      storage.isOut = true;
      const rung = runInDurableObject(user.stub, (object) => object.alarm());
      expect((await first.all()).at(-1)).toMatchObject({ type: "done" });
      expect(await user.receipt(first.queryId)).toMatchObject({ state: "reserved" });
      expect((await second.all()).at(-1)).toMatchObject({ type: "done" });
      storage.isOut = false;
      await rung;
      expect(await user.receipt(first.queryId)).toMatchObject({ reason: "expired" });
    });

    it("logs a query only once its outcome is on disk", async () => {
      const lines: string[] = [];
      vi.spyOn(console, "log").mockImplementation((line) => {
        lines.push(line);
      });
      const user = await newUser();
      await user.quota();
      const synced = Promise.withResolvers<void>();
      await runInDurableObject(user.stub, (_object, { storage }) => {
        const real = storage.sync.bind(storage);
        storage.sync = () => synced.promise.then(real);
      });
      const stream = await user.ask({ tokens: 1 });
      await stream.all();
      await user.resolved(stream.queryId);
      expect(lines).toEqual([]);
      synced.reject(new Error("database or disk is full"));
      await scheduler.wait(20);
      expect(lines).toEqual([]);
    });
  });

  /**
   * The next transactions throw after their writes; or only those that find
   * something reserved, so that the reservation itself succeeds.
   */
  async function failTransactions(
    user: TestUser,
    times: number,
    which: "all" | "reserved" = "all",
  ): Promise<void> {
    await runInDurableObject(user.stub, (_object, { storage }) => {
      const real = storage.transactionSync.bind(storage);
      const isMeant = () =>
        which === "all" ||
        storage.sql.exec("SELECT 1 FROM queries WHERE state = 'reserved'").toArray().length > 0;
      let left = times;
      storage.transactionSync = (closure) => {
        if (left === 0 || !isMeant()) return real(closure);
        left -= 1;
        return real(() => {
          closure();
          throw new Error("disk I/O error");
        });
      };
    });
  }
});

function setClock(time: string): void {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date(time) });
}

describe("a window", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("that has ended still gets the refunds of its own reservations", async () => {
    setClock("2028-02-29T23:59:59Z");
    const user = await newUser({ QUOTA_LIMIT: "2" });
    const stream = await user.ask({ tokens: 500, gapMs: 20 });
    await stream.until("token");
    expect(await user.quota()).toMatchObject({ reserved: 1, resetsAt: "2028-03-01T00:00:00.000Z" });
    setClock("2028-03-01T00:00:01Z");
    expect(await user.quota()).toMatchObject({ remaining: 2, reserved: 0 });
    stream.leave();
    expect(await user.resolved(stream.queryId)).toMatchObject({ window: "2028-02-29" });
    expect(await user.quota()).toMatchObject({ remaining: 2, reserved: 0, refunded: 0 });
    expect(await user.rows("SELECT window, reserved, refunded FROM windows")).toEqual([
      { window: "2028-02-29", reserved: 0, refunded: 1 },
    ]);
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  it("is not reopened by a clock that goes backwards", async () => {
    setClock("2027-01-01T00:00:01Z");
    const user = await newUser({ QUOTA_LIMIT: "1" });
    await (await user.ask({ tokens: 1 })).all();
    setClock("2026-12-31T23:59:59Z");
    expect(await user.quota()).toMatchObject({ remaining: 0, charged: 1 });
    expect((await user.post("/ai/ask", { query: "x" })).status).toBe(429);
  });
});

describe("a change of QUOTA_PERIOD", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  const BEFORE = { QUOTA_LIMIT: "5", REFUND_LIMIT: "3" };

  async function leave(user: TestUser) {
    const stream = await user.ask(scripted({ tokens: 500, gapMs: 20 }, crypto.randomUUID()));
    await stream.until("token");
    stream.leave();
    return user.resolved(stream.queryId);
  }

  async function answer(user: TestUser) {
    const stream = await user.ask(scripted({ tokens: 1 }, crypto.randomUUID()));
    await stream.all();
    if (stream.response.status === 200) await user.resolved(stream.queryId);
    return stream.response.status;
  }

  async function change(user: TestUser, period: string) {
    variables.set(user.name, { ...BEFORE, QUOTA_PERIOD: period });
    await abortAllDurableObjects();
  }

  it.each([
    ["day", "month"],
    ["day", "total"],
    ["month", "day"],
    ["month", "total"],
    ["total", "day"],
    ["total", "month"],
  ])("from %s to %s grants no extra answers", async (from, to) => {
    setClock("2030-05-17T12:00:00Z");
    const user = await newUser({ ...BEFORE, QUOTA_PERIOD: from });
    for (let n = 0; n < 3; n += 1) expect(await answer(user)).toBe(200);
    for (let n = 0; n < 2; n += 1) await leave(user);
    const before = await user.quota();
    expect(before).toMatchObject({ remaining: 2, charged: 3, refundsLeft: 1 });
    await change(user, to);
    expect(await user.quota()).toMatchObject({
      limit: 5,
      remaining: 2,
      charged: 3,
      refundsLeft: 1,
    });
    expect(await leave(user)).toMatchObject({ state: "refunded" });
    expect(await user.quota()).toMatchObject({ remaining: 2, refundsLeft: 0 });
    for (const status of [200, 200, 429]) expect(await answer(user)).toBe(status);
    expect(await user.quota()).toMatchObject({ remaining: 0, charged: 5, reserved: 0 });
    // And back again.
    await change(user, from);
    expect(await user.quota()).toMatchObject({ remaining: 0, charged: 5, refundsLeft: 0 });
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  it("counts the asks made during the new window and none made before it", async () => {
    setClock("2030-05-16T23:50:00Z");
    const user = await newUser({ ...BEFORE, QUOTA_PERIOD: "month" });
    for (let n = 0; n < 2; n += 1) expect(await answer(user)).toBe(200);
    setClock("2030-05-17T12:00:00Z");
    expect(await answer(user)).toBe(200);
    await change(user, "day");
    expect(await user.quota()).toMatchObject({ remaining: 4, charged: 1 });
    setClock("2030-05-18T12:00:00Z");
    expect(await user.quota()).toMatchObject({ remaining: 5, charged: 0 });
  });
});

describe("a failure", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("refuses no ask when the clock goes back to before it", async () => {
    setClock("2027-01-01T12:00:00Z");
    const user = await newUser({ FAILURE_LIMIT: "1" });
    await (await user.askForJson({ status: 500 })).text();
    expect((await user.post("/ai/ask", { query: "x" })).status).toBe(503);
    setClock("2027-01-01T11:00:00Z");
    const stream = await user.ask({ tokens: 1 });
    expect((await stream.all()).at(-1)).toMatchObject({ type: "done" });
  });
});

describe("the query log", () => {
  it("lists a user's receipts in pages, newest first", async () => {
    const user = await newUser();
    const asked: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      const stream = await user.ask(`Question ${index}.`);
      await stream.all();
      asked.unshift(stream.queryId);
    }
    const listed: string[] = [];
    for (let before = ""; ; ) {
      const page = await user.get<{ queries: { queryId: string }[]; before: string | null }>(
        `/ai/queries?limit=2${before}`,
      );
      listed.push(...page.queries.map(({ queryId }) => queryId));
      if (page.before === null) break;
      before = `&before=${page.before}`;
    }
    expect(listed).toEqual(asked);
  });

  it("ends a page early to avoid sending megabytes", async () => {
    const user = await newUser({ ANSWER_BYTES_MAX: "600000" });
    for (let index = 0; index < 3; index += 1) {
      const stream = await user.ask(
        scripted({ tokens: 100, tokenLength: 5_000 }, `Question ${index}.`),
      );
      await stream.all();
      await user.resolved(stream.queryId);
    }
    const page = await user.get<{ queries: unknown[]; before: string }>("/ai/queries");
    expect(page.queries).toHaveLength(2);
    const rest = await user.get<{ queries: unknown[]; before: null }>(
      `/ai/queries?before=${page.before}`,
    );
    expect(rest).toMatchObject({ queries: [{}], before: null });
  });

  it("is empty for a user without asks", async () => {
    const user = await newUser();
    expect(await user.get("/ai/queries")).toEqual({ queries: [], before: null });
  });

  it.each(["limit=0", "limit=101", "limit=x", "limit=1.5", "limit=1e1", "before=!", "before=zz"])(
    "refuses %s",
    async (parameters) => {
      const user = await newUser();
      expect((await user.request(`/ai/queries?${parameters}`)).status).toBe(400);
    },
  );

  it("never shows another user's query", async () => {
    const [user, other] = [await newUser(), await newUser()];
    const stream = await user.ask({ tokens: 1 });
    await stream.all();
    await (await other.ask({ tokens: 1 })).all();
    for (const id of [stream.queryId, "nonsense", "1-", "zzzzzzzzzzzzzzzzzz-1"]) {
      expect((await other.request(`/ai/queries/${id}`)).status).toBe(404);
      expect((await other.post("/ai/feedback", { queryId: id, rating: "up" })).status).toBe(404);
    }
    expect(await user.receipt(stream.queryId)).toMatchObject({ feedback: null });
  });
});

it("a query id in a body is not URL-decoded", async () => {
  const user = await newUser();
  const response = await user.post("/ai/feedback", { queryId: "%", rating: "up" });
  expect(await response.json()).toMatchObject({
    code: "NOT_FOUND",
    message: "There is no query with this id here. Check the id.",
  });
});

describe("feedback", () => {
  it("is stored with the query, where the latest wins and null revokes it", async () => {
    const user = await newUser();
    const stream = await user.ask({ tokens: 1 });
    await stream.all();
    const { queryId } = stream;
    const rate = (body: unknown) => user.post("/ai/feedback", body);
    expect((await rate({ queryId, rating: "up", comment: "Good." })).status).toBe(200);
    expect(await user.receipt(queryId)).toMatchObject({
      feedback: { rating: "up", comment: "Good." },
    });
    const changed = await rate({ queryId, rating: "down" });
    expect(await changed.json()).toEqual({ queryId, rating: "down", comment: "Good." });
    expect(await user.receipt(queryId)).toMatchObject({
      feedback: { rating: "down", comment: "Good." },
    });
    await rate({ queryId, rating: "down", comment: "Not so good." });
    expect(await user.receipt(queryId)).toMatchObject({ feedback: { comment: "Not so good." } });
    for (const nothing of [null, "", " \n", "\u200b"]) {
      await rate({ queryId, rating: "down", comment: "Here." });
      await rate({ queryId, rating: "down", comment: nothing });
      expect(await user.receipt(queryId)).toMatchObject({
        feedback: { rating: "down", comment: null },
      });
    }
    await rate({ queryId, rating: "up", comment: "Good." });
    await rate({ queryId, rating: null });
    expect(await user.receipt(queryId)).toMatchObject({ feedback: null });
    await rate({ queryId, rating: "up" });
    expect(await user.receipt(queryId)).toMatchObject({
      feedback: { rating: "up", comment: null },
    });
  });

  it.each([
    {},
    { queryId: "1-a" },
    { queryId: "1-a", rating: "sideways" },
    { queryId: "1-a", rating: "up", comment: "x".repeat(2_001) },
    { queryId: 1, rating: "up" },
  ])("is refused if it is %j", async (body) => {
    const user = await newUser();
    expect((await user.post("/ai/feedback", body)).status).toBe(400);
  });
});

describe("an operator", () => {
  it("sees windows, reservations, queries and an audit of one user's object", async () => {
    const user = await newUser();
    const stream = await user.ask({ tokens: 500, gapMs: 20 });
    await stream.until("token");
    const seen = await (await asOperator(adminPath(user))).json<Record<string, unknown>>();
    expect(seen).toMatchObject({
      user: user.name,
      limit: 20,
      blocked: false,
      windows: [{ reserved: 1, charged: 0, refunded: 0 }],
      reservations: [{ queryId: stream.queryId, live: true }],
      queries: [{ queryId: stream.queryId, state: "reserved" }],
      audit: { ok: true, differences: [] },
    });
    expect(seen.alarmAt).toMatch(/^\d{4}-/);
    expect(seen.storageBytes).toBeGreaterThan(0);
    stream.leave();
  });

  it("gets 404 for an unknown user, and creates nothing by looking", async () => {
    const user = await newUser();
    expect((await asOperator(adminPath(user))).status).toBe(404);
    expect(
      await user.rows("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'"),
    ).toEqual([]);
  });

  it("sees no query text with SHARE_QUERIES=false", async () => {
    const user = await newUser({ SHARE_QUERIES: "false" });
    const stream = await user.ask({ tokens: ["a secret answer"] });
    await stream.all();
    await user.post("/ai/feedback", { queryId: stream.queryId, rating: "up", comment: "Mine." });
    const text = await (await asOperator(adminPath(user))).text();
    expect(text).not.toContain("What does Belay do?");
    expect(text).not.toContain("a secret answer");
    expect(text).toContain("Mine.");
  });

  it("learns from the audit which counter is wrong", async () => {
    const user = await newUser();
    await (await user.ask({ tokens: 1 })).all();
    await user.rows("UPDATE windows SET charged = 5");
    const { ok, differences } = await audit(user);
    expect(ok).toBe(false);
    expect(differences).toHaveLength(1);
  });

  it("sets and removes a user's own limit, and blocks only new asks", async () => {
    const user = await newUser();
    const stream = await user.ask({ tokens: 1 });
    await stream.all();
    const patch = (body: unknown) =>
      asOperator(adminPath(user), { method: "PATCH", body: JSON.stringify(body) });
    expect(await (await patch({ limit: 1 })).json()).toMatchObject({ limit: 1 });
    expect(await user.quota()).toMatchObject({ limit: 1, remaining: 0 });
    expect(await (await patch({ limit: null, blocked: true })).json()).toMatchObject({
      limit: 20,
      blocked: true,
    });
    const refused = await user.post("/ai/ask", { query: "x" });
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ code: "BLOCKED" });
    expect(await user.receipt(stream.queryId)).toMatchObject({ state: "charged" });
    expect(await (await patch({ blocked: null })).json()).toMatchObject({ blocked: true });
    await patch({ blocked: false, refundLimit: 2 });
    expect(await user.quota()).toMatchObject({ refundsLeft: 2 });
    const refusal = await patch({ limit: -1 });
    expect(refusal.status).toBe(400);
    expect(await refusal.text()).toContain("0 to 1000000000");
    expect((await patch({ quota: 1 })).status).toBe(400);
  });

  it("creates no user by a refused setting", async () => {
    const user = await newUser();
    const body = JSON.stringify({ limit: -1 });
    expect((await asOperator(adminPath(user), { method: "PATCH", body })).status).toBe(400);
    expect((await asOperator(adminPath(user))).status).toBe(404);
  });

  it("may set a limit before the user's first ask", async () => {
    const user = await newUser();
    const body = JSON.stringify({ limit: 2 });
    expect((await asOperator(adminPath(user), { method: "PATCH", body })).status).toBe(200);
    expect(await user.quota()).toMatchObject({ limit: 2 });
  });
});

describe("the cost of an answer", () => {
  it("with a key is at most eight written rows, alarms included", async () => {
    const user = await newUser();
    await (await user.ask("The first makes the tables.")).all();
    await runDurableObjectAlarm(user.stub);
    const written = await billedRows(user.stub);
    const stream = await user.ask({ tokens: 50 }, {}, { "idempotency-key": "k" });
    await stream.all();
    await user.resolved(stream.queryId);
    await runDurableObjectAlarm(user.stub);
    expect(written()).toBeLessThanOrEqual(8);
  });
});

describe("a wrong variable", () => {
  it.each([
    ["QUOTA_LIMIT", "many"],
    ["QUOTA_PERIOD", "week"],
    ["GENERATOR", "oracle"],
    ["RETRIEVER", "guess"],
    ["OPENAI_BASE_URL", "http://127.0.0.1/api"],
    ["PING_INTERVAL_MS", "-1"],
  ])("is named, and refuses asks before anything is reserved: %s", async (name, value) => {
    const user = await newUser({ [name]: value });
    const response = await user.post("/ai/ask", { query: "x" });
    expect(response.status).toBe(503);
    const body: ErrorBody = await response.json();
    expect(body).toMatchObject({ code: "UNAVAILABLE" });
    expect(body.message).toContain(name);
    expect(body.message).not.toContain(value);
  });
});
