// The same ask again, by idempotency key or, without one, by its body:
// at most one charge, and a harmless retry is never refused.

import { describe, expect, it } from "vitest";
import type { AnswerBody, StreamEvent } from "../src/protocol.ts";
import {
  adminPath,
  asOperator,
  audit,
  eventually,
  modelRequests,
  newUser,
  scripted,
} from "./harness.ts";

const key = (value: string) => ({ "idempotency-key": value });
const content = (events: StreamEvent[]) => events.filter(({ type }) => type !== "start");

describe("an ask with the same Idempotency-Key", () => {
  it("joins the run while it is live, in both modes, and is charged once", async () => {
    const user = await newUser();
    const tag = crypto.randomUUID();
    const query = scripted({ tag, tokens: 6, gapMs: 30 });
    const first = await user.ask(query, {}, key("k"));
    await first.until("token");
    const second = await user.ask(query, {}, key("k"));
    const third = user.askForJson(query, {}, { headers: key("k") });
    const [a, b] = [await first.all(), await second.all()];
    const json = await (await third).json<AnswerBody>();
    expect(second.queryId).toBe(first.queryId);
    expect(content(b)).toEqual(content(a));
    expect(json).toMatchObject({ queryId: first.queryId, answer: first.answer });
    await user.resolved(first.queryId);
    expect(await user.quota()).toMatchObject({ charged: 1, reserved: 0 });
    expect(await modelRequests(tag)).toHaveLength(1);
  });

  it("is replayed free with the same tokens once it was charged", async () => {
    const user = await newUser({ QUOTA_LIMIT: "1" });
    const query = scripted({ tokens: ["a", "張", "\ud83d", "\ude00", " [1]"] });
    const first = await user.ask(query, {}, key("k"));
    const events = await first.all();
    await user.resolved(first.queryId);
    // The quota is used up: the look-up comes before every limit.
    const again = await user.ask(query, {}, key("k"));
    expect(again.response.headers.get("idempotency-replayed")).toBe("true");
    expect(await again.all()).toEqual(events);
    const json = await user.askForJson(query, {}, { headers: key("k") });
    expect(json.headers.get("idempotency-replayed")).toBe("true");
    expect(await json.json()).toMatchObject({ queryId: first.queryId, answer: first.answer });
    expect(await user.quota()).toMatchObject({ charged: 1, remaining: 0 });
  });

  it("is replayed event for event even if the model sent half a character", async () => {
    const user = await newUser();
    const query = scripted({ tokens: ["x", "\ud800y", "\u0000", "\udfff", "z"] });
    const first = await user.ask(query, {}, key("k"));
    const events = await first.all();
    await user.resolved(first.queryId);
    expect(await (await user.ask(query, {}, key("k"))).all()).toEqual(events);
    expect(first.answer.isWellFormed()).toBe(true);
  });

  it("is a new attempt once it was refunded", async () => {
    const user = await newUser();
    const query = scripted({ tokens: 300, gapMs: 20 });
    const first = await user.ask(query, {}, key("k"));
    await first.until("token");
    await user.post(`/ai/queries/${first.queryId}/cancel`);
    await first.all();
    const second = await user.ask(query, {}, key("k"));
    await second.until("token");
    expect(second.queryId).not.toBe(first.queryId);
    const third = await user.ask(query, {}, key("k"));
    expect(third.queryId).toBe(second.queryId);
    await user.post(`/ai/queries/${second.queryId}/cancel`);
    expect(await user.quota()).toMatchObject({ refunded: 2, charged: 0 });
  });

  it("and another body is refused and reserves nothing", async () => {
    const user = await newUser();
    await (await user.ask("One?", {}, key("k"))).all();
    for (const body of [{ query: "Two?" }, { query: "One?", topK: 4 }]) {
      const response = await user.post("/ai/ask", body, { headers: key("k") });
      expect(response.status).toBe(422);
      expect(await response.json()).toMatchObject({ code: "IDEMPOTENCY_KEY_REUSED" });
    }
    // The same body written differently is the same.
    const same = await user.post("/ai/ask", { topK: 5, query: "  One?  " }, { headers: key("k") });
    expect(same.status).toBe(200);
    expect(await user.receipts()).toHaveLength(1);
  });

  it("is not bound by an earlier refusal", async () => {
    const user = await newUser({ QUOTA_LIMIT: "0" });
    expect((await user.ask("One?", {}, key("k"))).response.status).toBe(429);
    await asOperator(adminPath(user), { method: "PATCH", body: '{"limit":1}' });
    const stream = await user.ask("One?", {}, key("k"));
    expect((await stream.all()).at(-1)).toMatchObject({ type: "done" });
  });

  it.each(["", "a b", "ü", "x".repeat(256), "a\tb"])(
    "is refused if the key is %j",
    async (value) => {
      const user = await newUser();
      const response = await user.post("/ai/ask", { query: "One?" }, { headers: key(value) });
      // A header that is empty or not Latin-1 may not arrive at all.
      if (response.status === 200) expect(value).toBe("");
      else expect(await response.json()).toMatchObject({ code: "INVALID_IDEMPOTENCY_KEY" });
    },
  );

  it("from another user is a separate ask", async () => {
    const [user, other] = [await newUser(), await newUser()];
    const first = await user.ask("One?", {}, key("k"));
    await first.all();
    const second = await other.ask("One?", {}, key("k"));
    await second.all();
    expect(second.queryId).not.toBe(first.queryId);
  });

  it("never stores the key as it was sent", async () => {
    const user = await newUser();
    await (await user.ask("One?", {}, key("my-secret-key"))).all();
    expect(JSON.stringify(await user.rows("SELECT * FROM keys"))).not.toContain("my-secret-key");
  });

  it("is charged once when five arrive at once", async () => {
    const user = await newUser({ QUOTA_LIMIT: "2" });
    const query = scripted({ tokens: 5, gapMs: 5 });
    const streams = await Promise.all(
      Array.from({ length: 5 }, () => user.ask(query, {}, key("k"))),
    );
    await Promise.all(streams.map((stream) => stream.all()));
    expect(new Set(streams.map(({ queryId }) => queryId)).size).toBe(1);
    await user.resolved(streams[0]?.queryId ?? "");
    expect(await user.quota()).toMatchObject({ charged: 1 });
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });
});

describe("an ask with the same body and no key", () => {
  it("joins the run while it is live", async () => {
    const user = await newUser();
    const query = scripted({ tokens: 5, gapMs: 20 });
    const [first, second] = [await user.ask(query), await user.ask(query)];
    await Promise.all([first.all(), second.all()]);
    expect(second.queryId).toBe(first.queryId);
    expect(second.answer).toBe(first.answer);
    await user.resolved(first.queryId);
    expect(await user.quota()).toMatchObject({ charged: 1 });
  });

  it.each([
    ["accepts nothing but an event stream", { accept: "text/event-stream" }],
    ["accepts only that in other letters", { accept: "Text/Event-Stream; q=1.0" }],
    ["accepts only that twice", { accept: "text/event-stream, text/event-stream;q=0.5" }],
    ["sends Last-Event-ID", { accept: "*/*", "last-event-id": "" }],
  ] as const)(
    "is replayed three times and then gets 204 for a client that %s",
    async (_who, headers) => {
      const { statuses, user } = await askFiveTimes(headers);
      expect(statuses).toEqual([200, 200, 200, 204, 204]);
      expect(await user.quota()).toMatchObject({ charged: 1 });
    },
  );

  it.each([
    ["as curl sends it", { accept: "*/*" }],
    ["as a browser sends it", { accept: "text/html,application/xhtml+xml,*/*;q=0.8" }],
    ["as an SDK sends it", { accept: "application/json" }],
    ["as a client that accepts both sends it", { accept: "text/event-stream, application/json" }],
    ["without an Accept header", { accept: "" }],
  ] as const)("is replayed every time for Accept %s", async (_how, headers) => {
    const { statuses, user } = await askFiveTimes(headers);
    expect(statuses).toEqual([200, 200, 200, 200, 200]);
    expect(await user.quota()).toMatchObject({ charged: 1, refunded: 0 });
  });

  it("is replayed every time as JSON", async () => {
    const user = await newUser();
    const bodies: AnswerBody[] = [];
    for (let time = 0; time < 6; time += 1) {
      const response = await user.askForJson("One?");
      bodies.push(await response.json<AnswerBody>());
      await user.resolved(bodies[0]?.queryId ?? "");
    }
    expect(new Set(bodies.map(({ queryId, answer }) => queryId + answer)).size).toBe(1);
    expect(await user.quota()).toMatchObject({ charged: 1 });
  });

  async function askFiveTimes(headers: Record<string, string>) {
    const user = await newUser();
    const first = await user.ask("One?", {}, headers);
    await first.all();
    await user.resolved(first.queryId);
    const statuses: number[] = [];
    for (let time = 0; time < 5; time += 1) {
      const stream = await user.ask("One?", {}, headers);
      await stream.all();
      statuses.push(stream.response.status);
      expect(stream.queryId).toBe(first.queryId);
      if (stream.response.status === 200) expect(stream.answer).toBe(first.answer);
      await eventually(
        () => user.quota(),
        ({ reserved }) => reserved === 0,
      );
    }
    return { statuses, user };
  }

  it("is a new ask after the repeat window", async () => {
    const user = await newUser({ REPEAT_WINDOW_SECONDS: "1" });
    const first = await user.ask("One?");
    await first.all();
    await user.resolved(first.queryId);
    await scheduler.wait(1_100);
    const second = await user.ask("One?");
    await second.all();
    expect(second.queryId).not.toBe(first.queryId);
  });

  it("is a new ask at once if REPEAT_WINDOW_SECONDS is 0", async () => {
    const user = await newUser({ REPEAT_WINDOW_SECONDS: "0" });
    const query = scripted({ tokens: 5, gapMs: 5 });
    const [first, second] = [await user.ask(query), await user.ask(query)];
    await Promise.all([first.all(), second.all()]);
    expect(second.queryId).not.toBe(first.queryId);
  });
});
