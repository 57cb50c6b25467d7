// What happens to a run after its listeners
// disconnect: cancel, wait, continue,
// the refund allowance, reconnects, and their combinations.

import { describe, expect, it } from "vitest";
import type { StreamEvent } from "../src/protocol.ts";
import {
  audit,
  eventually,
  modelRequests,
  newUser,
  scripted,
  type TestUser,
  upstreamEnded,
} from "./harness.ts";

const tokensOf = (events: StreamEvent[]) =>
  events.flatMap((event) => (event.type === "token" ? [event.token] : []));

/** Numbered tokens, so that a missing or repeated one shows. */
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `${index} `);

/**
 * A probe this long is over only for a reader who stays: one who leaves after
 * the last token, however late, leaves before `done`.
 */
const LONG_PROBE = { DELIVERY_HOLD_MS: "10000" };

/** Resolves once the model has sent its whole answer. */
function modelFinished(tag: string) {
  return eventually(
    () => modelRequests(tag),
    ([request]) => request?.state === "completed",
  );
}

async function leftAfterOneToken(user: TestUser, query: string, onDisconnect: string) {
  const stream = await user.ask(query, { onDisconnect });
  await stream.until("token");
  stream.leave();
  return stream;
}

describe("reading an answer again", () => {
  it("gives the same numbered events from any position, free of charge", async () => {
    const user = await newUser();
    const stream = await user.ask({ tokens: numbered(10) });
    const events = await stream.all();
    await user.resolved(stream.queryId);
    for (let after = 0; after <= events.length + 1; after += 1) {
      const again = await user.events(stream.queryId, after);
      expect(again.response.headers.get("idempotency-replayed")).toBe("true");
      // The last event is always sent again: every stream must end with it.
      expect(await again.all()).toEqual(events.slice(Math.min(after, events.length - 1)));
    }
    expect(await user.quota()).toMatchObject({ charged: 1, refunded: 0 });
  });

  it("continues live from the client's position", async () => {
    const user = await newUser();
    const stream = await user.ask({ tokens: numbered(10), gapMs: 20 }, { onDisconnect: "wait" });
    await stream.until("token");
    await stream.until("token");
    const had = stream.events.filter(({ type }) => type !== "ping");
    stream.leave();
    const rest = await user.events(stream.queryId, had.length);
    const events = [...had, ...(await rest.all())];
    expect(tokensOf(events)).toEqual(numbered(10));
    expect(events.at(-1)).toMatchObject({ type: "done" });
    expect(await user.resolved(stream.queryId)).toMatchObject({ state: "charged" });
  });

  it.each(["-1", "x", "1.5", ""])("refuses after=%s", async (after) => {
    const user = await newUser();
    const stream = await user.ask({ tokens: 1 });
    await stream.all();
    const response = await user.request(`/ai/queries/${stream.queryId}/events?after=${after}`);
    expect(response.status).toBe(400);
  });

  it("is 404 for another user's query and 410 for a refunded one", async () => {
    const [user, other] = [await newUser(), await newUser()];
    const stream = await user.ask({ status: 500 });
    await stream.all();
    const refunded = await user.request(`/ai/queries/${stream.queryId}/events`);
    expect(refunded.status).toBe(410);
    expect(await refunded.json()).toMatchObject({ code: "NOT_KEPT" });
    expect((await other.request(`/ai/queries/${stream.queryId}/events`)).status).toBe(404);
  });

  it("is limited to eight connections at a time", async () => {
    const user = await newUser();
    const stream = await user.ask({ tokens: 10, gapMs: 100 });
    const joining = Array.from({ length: 7 }, () => user.events(stream.queryId));
    const others = await Promise.all(joining);
    const ninth = await user.request(`/ai/queries/${stream.queryId}/events`);
    expect(ninth.status).toBe(429);
    expect(await ninth.json()).toMatchObject({ code: "TOO_MANY_STREAMS" });
    const all = await Promise.all([stream, ...others].map((one) => one.all()));
    for (const events of all) expect(tokensOf(events)).toHaveLength(10);
    expect(await user.resolved(stream.queryId)).toMatchObject({ state: "charged" });
  });
});

describe("two listeners", () => {
  it("are not disturbed when one of them disconnects", async () => {
    const user = await newUser();
    const query = scripted({ tokens: numbered(20), gapMs: 10 });
    const [first, second] = [await user.ask(query), await user.ask(query)];
    await first.until("token");
    first.leave();
    expect(tokensOf(await second.all())).toEqual(numbered(20));
    expect(await user.resolved(second.queryId)).toMatchObject({ state: "charged" });
  });

  it("are refunded when both disconnect", async () => {
    const user = await newUser();
    const query = scripted({ tokens: 300, gapMs: 10 });
    const [first, second] = [await user.ask(query), await user.ask(query)];
    await Promise.all([first.until("token"), second.until("token")]);
    first.leave();
    second.leave();
    expect(await user.resolved(second.queryId)).toMatchObject({ reason: "disconnected" });
    expect(await user.quota()).toMatchObject({ refunded: 1 });
  });

  it("both end with CANCELLED when one stops the answer", async () => {
    const user = await newUser();
    const query = scripted({ tokens: 300, gapMs: 10 });
    const [first, second] = [await user.ask(query), await user.ask(query)];
    await Promise.all([first.until("token"), second.until("token")]);
    await user.post(`/ai/queries/${first.queryId}/cancel`);
    for (const stream of [first, second]) {
      expect((await stream.all()).at(-1)).toMatchObject({ type: "error", code: "CANCELLED" });
    }
  });
});

describe('onDisconnect: "wait"', () => {
  it("is refunded and the model stopped when no client reconnects in time", async () => {
    const user = await newUser({ RESUME_WAIT_SECONDS: "0" });
    const tag = crypto.randomUUID();
    const stream = await leftAfterOneToken(user, scripted({ tag, tokens: 300, gapMs: 20 }), "wait");
    expect(await user.resolved(stream.queryId)).toMatchObject({ reason: "disconnected" });
    await upstreamEnded(tag);
  });

  it("keeps a finished answer reserved until a client reconnects, and then charges", async () => {
    const user = await newUser();
    const tag = crypto.randomUUID();
    const query = scripted({ tag, tokens: numbered(5), gapMs: 10, endMs: 700 });
    const stream = await leftAfterOneToken(user, query, "wait");
    await modelFinished(tag);
    await scheduler.wait(50);
    expect(await user.receipt(stream.queryId)).toMatchObject({ state: "reserved" });
    const back = await user.events(stream.queryId);
    expect(tokensOf(await back.all())).toEqual(numbered(5));
    expect(await user.resolved(stream.queryId)).toMatchObject({ state: "charged" });
  });

  it("is refunded when no client reconnects for a finished answer", async () => {
    const user = await newUser({ ...LONG_PROBE, RESUME_WAIT_SECONDS: "1" });
    const query = scripted({ tokens: numbered(5), gapMs: 10 });
    const stream = await leftAfterOneToken(user, query, "wait");
    expect(await user.resolved(stream.queryId)).toMatchObject({ reason: "disconnected" });
  });

  it("is joined when the same ask is repeated", async () => {
    const user = await newUser();
    const query = scripted({ tokens: numbered(30), gapMs: 20 });
    const stream = await leftAfterOneToken(user, query, "wait");
    const back = await user.ask(query, { onDisconnect: "wait" });
    expect(back.queryId).toBe(stream.queryId);
    expect(tokensOf(await back.all())).toEqual(numbered(30));
  });

  it("ends at once when the user stops it without a listener", async () => {
    const user = await newUser();
    const tag = crypto.randomUUID();
    const query = scripted({ tag, tokens: 300, gapMs: 20 });
    const stream = await leftAfterOneToken(user, query, "wait");
    const response = await user.post(`/ai/queries/${stream.queryId}/cancel`);
    expect(await response.json()).toMatchObject({ state: "refunded", reason: "cancelled" });
    await upstreamEnded(tag);
  });

  it("does not delay a stop from a client that disconnects during the probe", async () => {
    const user = await newUser({ ...LONG_PROBE, RESUME_WAIT_SECONDS: "600" });
    const stream = await user.ask({ tokens: ["all"] }, { onDisconnect: "wait" });
    await stream.until("token");
    const stopped = user.post(`/ai/queries/${stream.queryId}/cancel`);
    await scheduler.wait(50);
    stream.leave();
    expect(await (await stopped).json()).toMatchObject({ state: "refunded" });
  });

  it("ends the wait for a finished answer when the user stops it", async () => {
    const user = await newUser(LONG_PROBE);
    const tag = crypto.randomUUID();
    const query = scripted({ tag, tokens: numbered(3), gapMs: 10 });
    const stream = await leftAfterOneToken(user, query, "wait");
    await modelFinished(tag);
    await scheduler.wait(50);
    const response = await user.post(`/ai/queries/${stream.queryId}/cancel`);
    expect(await response.json()).toMatchObject({ state: "refunded", reason: "cancelled" });
  });

  it("loses and repeats no event however often the client drops", async () => {
    const user = await newUser({ CONCURRENCY_LIMIT: "10" });
    const expected = numbered(40);
    const stream = await user.ask({ tokens: expected, gapMs: 5 }, { onDisconnect: "wait" });
    const had: StreamEvent[] = [];
    for (let reader = stream, drops = 0; ; drops += 1) {
      for (let events = 0; events < 3 || drops >= 10; ) {
        const event = await reader.next();
        if (event === undefined) break;
        if (event.type === "ping") continue;
        had.push(event);
        events += 1;
      }
      if (had.at(-1)?.type === "done") break;
      reader.leave();
      reader = await user.events(stream.queryId, had.length);
    }
    expect(tokensOf(had)).toEqual(expected);
    expect(await user.resolved(stream.queryId)).toMatchObject({ state: "charged" });
  });
});

describe('onDisconnect: "continue"', () => {
  it("finishes without a listener, is charged once, and can be read free", async () => {
    const user = await newUser();
    const query = scripted({ tokens: numbered(10), gapMs: 10 });
    const stream = await leftAfterOneToken(user, query, "continue");
    expect(await user.resolved(stream.queryId)).toMatchObject({
      state: "charged",
      answer: numbered(10).join(""),
    });
    const again = await user.events(stream.queryId);
    expect(tokensOf(await again.all())).toEqual(numbered(10));
    expect(await user.quota()).toMatchObject({ charged: 1, refunded: 0 });
  });

  it("is charged when the client disconnects between the last token and done", async () => {
    const user = await newUser(LONG_PROBE);
    const stream = await leftAfterOneToken(user, scripted({ tokens: ["all"] }), "continue");
    expect(await user.resolved(stream.queryId)).toMatchObject({ state: "charged" });
  });

  it("is refunded when the user stops it", async () => {
    const user = await newUser();
    const query = scripted({ tokens: 300, gapMs: 20 });
    const stream = await leftAfterOneToken(user, query, "continue");
    await user.post(`/ai/queries/${stream.queryId}/cancel`);
    expect(await user.receipt(stream.queryId)).toMatchObject({ reason: "cancelled" });
  });

  it("costs nothing when the model fails without a listener", async () => {
    const user = await newUser();
    const query = scripted({ tokens: 5, gapMs: 20, fault: "cut", at: 3 });
    const stream = await leftAfterOneToken(user, query, "continue");
    expect(await user.resolved(stream.queryId)).toMatchObject({ reason: "failed" });
  });

  it("still counts as a running answer", async () => {
    const user = await newUser({ CONCURRENCY_LIMIT: "1" });
    await leftAfterOneToken(user, scripted({ tokens: 300, gapMs: 20 }), "continue");
    expect((await user.post("/ai/ask", { query: "Another?" })).status).toBe(429);
  });
});

describe("past the refund allowance", () => {
  it("a disconnected user's answer is finished, charged and kept", async () => {
    const user = await newUser({ REFUND_LIMIT: "1" });
    const long = scripted({ tokens: 300, gapMs: 20 }, "One?");
    const first = await leftAfterOneToken(user, long, "cancel");
    expect(await user.resolved(first.queryId)).toMatchObject({ reason: "disconnected" });
    expect(await user.quota()).toMatchObject({ refundsLeft: 0 });
    const short = scripted({ tokens: numbered(10), gapMs: 10 }, "Two?");
    const second = await leftAfterOneToken(user, short, "cancel");
    expect(await user.resolved(second.queryId)).toMatchObject({
      state: "charged",
      answer: numbered(10).join(""),
    });
    expect(tokensOf(await (await user.events(second.queryId)).all())).toEqual(numbered(10));
  });

  it("a stopped answer is finished too, and its listeners are told", async () => {
    const user = await newUser({ REFUND_LIMIT: "0" });
    const stream = await user.ask({ tokens: numbered(10), gapMs: 100 });
    await stream.until("token");
    const response = await user.post(`/ai/queries/${stream.queryId}/cancel`);
    expect(await response.json()).toMatchObject({ state: "reserved" });
    const last = (await stream.all()).at(-1);
    expect(last).toMatchObject({ type: "error", code: "CANCELLED" });
    expect(await user.resolved(stream.queryId)).toMatchObject({ state: "charged" });
    expect(await user.quota()).toMatchObject({ charged: 1, refunded: 0 });
  });

  it("a failure still costs nothing", async () => {
    const user = await newUser({ REFUND_LIMIT: "0" });
    const stream = await user.ask({ tokens: 5, fault: "cut", at: 2 });
    await stream.all();
    expect(await user.receipt(stream.queryId)).toMatchObject({ reason: "failed" });
  });
});

describe("an attack for free answers", () => {
  const answers = (user: TestUser) => user.receipts().then((receipts) => receipts.length);

  it("by disconnecting after the last token gets no more than limit and allowance", async () => {
    const user = await newUser({
      ...LONG_PROBE,
      QUOTA_LIMIT: "3",
      REFUND_LIMIT: "2",
      CONCURRENCY_LIMIT: "10",
    });
    for (let index = 0; index < 10; index += 1) {
      const stream = await user.ask(scripted({ tokens: ["whole"] }, `Question ${index}.`));
      if (stream.response.status !== 200) break;
      await stream.until("token");
      stream.leave();
      await user.resolved(stream.queryId);
    }
    expect(await answers(user)).toBe(5);
    expect(await user.quota()).toMatchObject({ charged: 3, refunded: 2, remaining: 0 });
  });

  it("by stopping at the last token, with a key for each, gets no more", async () => {
    const user = await newUser({ QUOTA_LIMIT: "2", REFUND_LIMIT: "1" });
    for (let index = 0; index < 10; index += 1) {
      const stream = await user.ask(
        // The first is refunded if it is stopped before its end; the others are not.
        { tokens: ["almost", " whole"], gapMs: index === 0 ? 10_000 : 30 },
        {},
        { "idempotency-key": `key ${index}`.replace(" ", "-") },
      );
      if (stream.response.status !== 200) break;
      await stream.until("token");
      await user.post(`/ai/queries/${stream.queryId}/cancel`);
      await user.resolved(stream.queryId);
    }
    expect(await answers(user)).toBe(3);
    expect(await user.quota()).toMatchObject({ charged: 2, refunded: 1 });
  });

  it("by making the model fail is bounded by FAILURE_LIMIT a minute", async () => {
    const user = await newUser({ FAILURE_LIMIT: "2", TOKEN_GAP_TIMEOUT_MS: "50" });
    const tag = crypto.randomUUID();
    const statuses: number[] = [];
    for (let index = 0; index < 5; index += 1) {
      const query = scripted({ tag, tokens: 5, fault: "hang", at: 4 }, `Question ${index}.`);
      const response = await user.askForJson(query);
      statuses.push(response.status);
      if (response.status === 503) {
        expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
      }
      await response.text();
    }
    expect(statuses).toEqual([504, 504, 503, 503, 503]);
    expect(await modelRequests(tag)).toHaveLength(2);
  });

  it("by failing all at once gets only as many as may run at once for a minute", async () => {
    const user = await newUser({ FAILURE_LIMIT: "1", CONCURRENCY_LIMIT: "5" });
    const tag = crypto.randomUUID();
    for (let round = 0; round < 2; round += 1) {
      const asks = Array.from({ length: 5 }, (_, index) =>
        user.askForJson(
          scripted({ tag, headersMs: 50, status: 500 }, `Question ${round}.${index}`),
        ),
      );
      for (const response of await Promise.all(asks)) await response.text();
    }
    expect(await modelRequests(tag)).toHaveLength(5);
  });

  it("by many failures at once is bounded too", async () => {
    const user = await newUser({ FAILURE_LIMIT: "3" });
    const tag = crypto.randomUUID();
    for (let round = 0; round < 4; round += 1) {
      const asks = Array.from({ length: 3 }, (_, index) =>
        user.askForJson(
          scripted(
            { tag, tokens: 5, gapMs: 10, fault: "cut", at: 2 },
            `Question ${round}.${index}`,
          ),
        ),
      );
      for (const response of await Promise.all(asks)) await response.text();
    }
    expect(await modelRequests(tag)).toHaveLength(3);
  });

  it("by a deadline of ours is charged, since the answer flowed", async () => {
    const user = await newUser({ GENERATION_TIMEOUT_MS: "1000" });
    const stream = await user.ask({ tokens: 4_000, gapMs: 5 });
    expect((await stream.all()).at(-1)).toMatchObject({ type: "done", finish: "length" });
    expect(await user.resolved(stream.queryId)).toMatchObject({ state: "charged" });
  });
});

describe("an oversized answer", () => {
  it.each([
    ["one token of 2 MB", { tokens: 1, tokenLength: 2_000_000 }],
    ["an answer without an end", { fault: "endless", ignoreMaxTokens: true, tokenLength: 2_000 }],
  ] as const)("is cut or refused and stored as sent: %s", async (_name, directive) => {
    const user = await newUser({ ANSWER_BYTES_MAX: "50000" });
    const tag = crypto.randomUUID();
    const stream = await user.ask({ tag, ...directive }, { maxTokens: 4_096 });
    const last = (await stream.all()).at(-1);
    expect(["done", "error"]).toContain(last?.type);
    if (last?.type === "done") expect(last.finish).toBe("length");
    expect(stream.answer.length).toBeLessThanOrEqual(50_000);
    await user.resolved(stream.queryId);
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
    await eventually(
      () => modelRequests(tag),
      ([request]) => request?.state !== "streaming",
    );
  });
});
