// The answers of the client: three ways to read one, all ways to stop it.

import { afterEach, describe, expect, it, vi } from "vitest";
import { type Answer, CancelledError } from "../../src/client/client.ts";
import { eventually, modelRequests, newUser, scripted, upstreamEnded } from "../harness.ts";
import { clientOf, errorOf, eventsOf, firstToken, recorder } from "./asking.ts";
import type { Fault } from "./faulty-fetch.ts";

const TOKENS = ["A ", "rope ", "holds ", "[1]."];

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("an answer", () => {
  it("is the same by events, callbacks and promise", async () => {
    const user = await newUser();
    const { client } = clientOf(user);
    const { callbacks, ...seen } = recorder();
    const answer = client.ask(scripted({ tokens: TOKENS }), callbacks);
    const events = await eventsOf(answer);
    const outcome = await answer.done;
    const { queryId } = outcome;
    expect(outcome).toEqual({
      queryId: expect.stringMatching(/^1-/),
      text: "A rope holds [1].",
      sources: [],
      finish: "stop",
      found: true,
      quotaRemaining: 19,
    });
    expect(events).toEqual([
      { type: "start", queryId, quotaRemaining: 19 },
      { type: "sources", sources: [] },
      ...TOKENS.map((token) => ({ type: "token", token })),
      { type: "done", queryId, sources: [], finish: "stop", found: true, quotaRemaining: 19 },
    ]);
    expect(seen).toEqual({ tokens: TOKENS, sources: [[]], outcomes: [outcome], errors: [] });
    expect(answer).toMatchObject({ queryId, text: outcome.text, sources: [] });
  });

  it("grows while tokens arrive", async () => {
    const { client } = clientOf(await newUser());
    const answer = client.ask(scripted({ tokens: TOKENS, gapMs: 20 }));
    expect(answer).toMatchObject({ text: "", queryId: undefined });
    const texts: string[] = [];
    for await (const event of answer) if (event.type === "token") texts.push(answer.text);
    expect(texts).toEqual(["A ", "A rope ", "A rope holds ", "A rope holds [1]."]);
  });

  it("can be iterated over from its first event after its end", async () => {
    const { client } = clientOf(await newUser());
    const answer = client.ask(scripted({ tokens: TOKENS }));
    await answer.done;
    expect(await eventsOf(answer)).toHaveLength(TOKENS.length + 3);
  });

  it("can be iterated over once", async () => {
    const { client } = clientOf(await newUser());
    const answer = client.ask(scripted({ tokens: TOKENS }));
    await eventsOf(answer);
    await expect(eventsOf(answer)).rejects.toThrow("Iterate once; client.events() reads it again.");
    expect((await answer.done).text).toBe(TOKENS.join(""));
  });

  it("calls nothing back before its caller has the answer", async () => {
    const { client } = clientOf(await newUser());
    const order: string[] = [];
    const answer = client.ask("One?", {
      signal: AbortSignal.abort(),
      onError: () => void order.push("onError"),
    });
    order.push("asked");
    await errorOf(answer);
    expect(order).toEqual(["asked", "onError"]);
  });
});

describe("an ask", () => {
  it("has its own key, and asks to wait after a disconnect", async () => {
    const user = await newUser();
    const { client, net } = clientOf(user);
    await Promise.all([client.ask("One?").done, client.ask("One?").done]);
    const keys = net.requests.map(({ headers }) => headers.get("idempotency-key"));
    expect(new Set(keys).size).toBe(2);
    for (const key of keys) expect(key).toMatch(/^[\x21-\x7e]{16,255}$/);
    expect(net.requests.map(({ body }) => JSON.parse(body))).toEqual(
      Array(2).fill({ query: "One?", onDisconnect: "wait" }),
    );
  });

  it("can have the caller's key, and is answered once under it", async () => {
    const user = await newUser();
    const { client } = clientOf(user);
    const ask = () => client.ask("One?", { idempotencyKey: "mine" }).done;
    const first = await ask();
    await user.resolved(first.queryId);
    expect(await ask()).toEqual(first);
    expect(await client.quota()).toMatchObject({ charged: 1 });
  });

  it("passes its options on", async () => {
    const user = await newUser();
    const { client, net } = clientOf(user);
    const tag = crypto.randomUUID();
    const options = { topK: 3, maxTokens: 2, temperature: 0.5 };
    const history = [
      { role: "user", content: "Hello?" },
      { role: "assistant", content: "Hello." },
    ] as const;
    const answer = client.ask(scripted({ tag, tokens: TOKENS }), { ...options, history });
    expect(await answer.done).toMatchObject({ text: "A rope ", finish: "length" });
    expect(JSON.parse(net.requests[0]?.body ?? "")).toMatchObject({ ...options, history });
    const [request] = await modelRequests(tag);
    expect(request).toMatchObject({ options: { max_tokens: 2, temperature: 0.5 } });
  });
});

describe("an answer is stopped", () => {
  /** A slow answer that has a token already. */
  async function flowing(options = {}) {
    const user = await newUser();
    const { client, net } = clientOf(user);
    const tag = crypto.randomUUID();
    const { callbacks, ...seen } = recorder();
    const query = scripted({ tag, tokens: 1_000, gapMs: 10 });
    const answer = client.ask(query, { ...callbacks, ...options });
    await firstToken(answer);
    return { user, client, net, tag, seen, answer };
  }

  /** The service was told once, stopped the model, and refunded. */
  async function expectStopped({
    client,
    net,
    tag,
    seen,
    answer,
  }: Awaited<ReturnType<typeof flowing>>) {
    const error = await errorOf(answer);
    expect(error).toBeInstanceOf(CancelledError);
    expect(error).toMatchObject({ code: "CANCELLED", queryId: answer.queryId });
    expect(seen.errors).toEqual([error]);
    expect(seen.outcomes).toEqual([]);
    expect(net.cancels).toHaveLength(1);
    expect(net.cancels[0]).toMatchObject({ method: "POST", keepalive: true });
    const { length } = seen.tokens;
    await upstreamEnded(tag);
    expect(seen.tokens).toHaveLength(length);
    const receipt = await eventually(
      () => client.query(answer.queryId ?? ""),
      ({ state }) => state !== "reserved",
    );
    expect(receipt).toMatchObject({ state: "refunded", reason: "cancelled" });
    return error;
  }

  it("by cancel, which resolves with its receipt", async () => {
    const asked = await flowing();
    expect(await asked.answer.cancel()).toMatchObject({
      queryId: asked.answer.queryId,
      state: "refunded",
      reason: "cancelled",
    });
    await expectStopped(asked);
  });

  it("by two cancels, which tell the service once", async () => {
    const asked = await flowing();
    const receipts = await Promise.all([asked.answer.cancel(), asked.answer.cancel()]);
    expect(receipts[1]).toEqual(receipts[0]);
    await expectStopped(asked);
  });

  it("by its signal, whose reason is the cause", async () => {
    const controller = new AbortController();
    const asked = await flowing({ signal: controller.signal });
    controller.abort(new Error("enough"));
    const error = await expectStopped(asked);
    expect(error.cause).toMatchObject({ message: "enough" });
  });

  it("by break in the loop", async () => {
    const asked = await flowing();
    for await (const event of asked.answer) if (event.type === "token") break;
    await expectStopped(asked);
  });

  it("by throwing in the loop", async () => {
    const asked = await flowing();
    const loop = async () => {
      for await (const event of asked.answer) if (event.type === "token") throw new Error("mine");
    };
    await expect(loop()).rejects.toThrow("mine");
    await expectStopped(asked);
  });

  it("in a callback, and no other callback follows", async () => {
    const cancelling: { answer?: Answer } = {};
    const tokens: string[] = [];
    const { client } = clientOf(await newUser());
    cancelling.answer = client.ask(scripted({ tokens: TOKENS }), {
      onToken: (token) => {
        tokens.push(token);
        cancelling.answer?.cancel();
      },
    });
    expect(await errorOf(cancelling.answer)).toBeInstanceOf(CancelledError);
    await cancelling.answer.cancel();
    expect(tokens).toEqual(["A "]);
  });

  it("by closing the page, in the same task", async () => {
    const window = new EventTarget();
    vi.stubGlobal("window", window);
    const asked = await flowing();
    expect(asked.net.cancels).toEqual([]);
    window.dispatchEvent(new Event("pagehide"));
    expect(asked.net.cancels).toHaveLength(1);
    await expectStopped(asked);
    window.dispatchEvent(new Event("pagehide"));
    expect(asked.net.cancels).toHaveLength(1);
  });

  it("not by closing the page after its end", async () => {
    const window = new EventTarget();
    vi.stubGlobal("window", window);
    const user = await newUser();
    const { client, net } = clientOf(user);
    const { queryId } = await client.ask("One?").done;
    window.dispatchEvent(new Event("pagehide"));
    expect(net.cancels).toEqual([]);
    expect(await user.resolved(queryId)).toMatchObject({ finish: "stop" });
  });

  it("and its iteration throws the error after the events so far", async () => {
    const { answer } = await flowing();
    answer.cancel();
    const types: string[] = [];
    const loop = async () => {
      for await (const { type } of answer) types.push(type);
    };
    await expect(loop()).rejects.toBeInstanceOf(CancelledError);
    expect(types.slice(0, 3)).toEqual(["start", "sources", "token"]);
    expect(types).not.toContain("done");
  });

  it("before its id is known, and the service is told once it is", async () => {
    const user = await newUser();
    const { net } = clientOf(user);
    const [sent, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { client } = clientOf(user, {
      fetch: async (url, init) => {
        const response = net.fetch(url, init);
        sent.resolve();
        await held.promise;
        return response;
      },
    });
    const answer = client.ask(scripted({ tokens: 1_000, gapMs: 10 }));
    await sent.promise;
    const receipt = answer.cancel();
    expect(answer.queryId).toBeUndefined();
    expect(await errorOf(answer)).toBeInstanceOf(CancelledError);
    held.resolve();
    expect(await receipt).toMatchObject({ state: "refunded", reason: "cancelled" });
    expect(net.cancels).toHaveLength(1);
    expect(answer.text).toBe("");
  });

  it("before the ask is sent, which never goes out", async () => {
    const user = await newUser();
    const token = Promise.withResolvers<string>();
    const { client, net } = clientOf(user, { token: () => token.promise });
    const answer = client.ask("One?");
    const receipt = answer.cancel();
    token.resolve(user.token);
    expect(await receipt).toBeUndefined();
    expect(await errorOf(answer)).toBeInstanceOf(CancelledError);
    expect(net.requests).toEqual([]);
  });

  it("by a signal that was aborted before, and is never asked", async () => {
    const { client, net } = clientOf(await newUser());
    const answer = client.ask("One?", { signal: AbortSignal.abort("too late") });
    expect(await errorOf(answer)).toMatchObject({ code: "CANCELLED", cause: "too late" });
    expect(net.requests).toEqual([]);
  });

  it("while it waits to connect again, and does not connect again", async () => {
    const { client, net } = clientOf(await newUser(), {
      faults: [{ events: 3, how: "error" }],
      backoff: () => 60_000,
    });
    const retrying = Promise.withResolvers<void>();
    const answer = client.ask(scripted({ tokens: 1_000, gapMs: 10 }), {
      onRetry: () => retrying.resolve(),
    });
    await retrying.promise;
    expect(await answer.cancel()).toMatchObject({ state: "refunded", reason: "cancelled" });
    expect(net.streams).toHaveLength(1);
  });

  it("while it waits without an id, and has no receipt", async () => {
    const { client, net } = clientOf(await newUser(), {
      faults: ["unsent"],
      backoff: () => 60_000,
    });
    const retrying = Promise.withResolvers<void>();
    const answer = client.ask("One?", { onRetry: () => retrying.resolve() });
    await retrying.promise;
    expect(await answer.cancel()).toBeUndefined();
    expect(await errorOf(answer)).toBeInstanceOf(CancelledError);
    expect(net.requests).toHaveLength(1);
  });

  it("while it is being resumed, by one cancel request", async () => {
    const user = await newUser();
    const resuming = Promise.withResolvers<void>();
    const { client, net } = clientOf(user, {
      faults: [
        { events: 3, how: "error" },
        ({ signal }) => {
          resuming.resolve();
          // No response comes: only the client's abort ends it.
          return new Promise((_, reject) => {
            signal?.addEventListener("abort", () => reject(signal.reason));
          });
        },
      ],
    });
    const answer = client.ask(scripted({ tokens: 1_000, gapMs: 10 }));
    await resuming.promise;
    expect(await answer.cancel()).toMatchObject({ state: "refunded", reason: "cancelled" });
    expect(net.cancels).toHaveLength(1);
    expect(net.streams).toHaveLength(2);
  });

  it.each<[string, Fault]>([
    ["fails", "unsent"],
    ["is refused", () => new Response(null, { status: 503 })],
  ])("while its ask %s, and has no receipt", async (_, fault) => {
    const user = await newUser();
    const [sent, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { net } = clientOf(user, { faults: [fault] });
    const { client } = clientOf(user, {
      fetch: async (url, init) => {
        sent.resolve();
        await held.promise;
        return net.fetch(url, init);
      },
    });
    const answer = client.ask("One?");
    await sent.promise;
    const receipt = answer.cancel();
    held.resolve();
    expect(await receipt).toBeUndefined();
    expect(await errorOf(answer)).toBeInstanceOf(CancelledError);
    expect(net.requests).toHaveLength(1);
  });

  it("without a receipt or an unhandled rejection if the service is away", async () => {
    const user = await newUser();
    let away = false;
    const { client, net } = clientOf(user);
    const { client: fragile } = clientOf(user, {
      fetch: (url, init) => {
        if (away) throw new TypeError("fetch failed");
        return net.fetch(url, init);
      },
    });
    const answer = fragile.ask(scripted({ tokens: 1_000, gapMs: 10 }));
    await firstToken(answer);
    away = true;
    expect(await answer.cancel()).toBeUndefined();
    await client.ask("One?").done;
  });

  it("and charged if the refund allowance is used up, as its receipt says", async () => {
    const user = await newUser({ REFUND_LIMIT: "0" });
    const { client } = clientOf(user);
    const answer = client.ask(scripted({ tokens: 50, gapMs: 20 }));
    await firstToken(answer);
    const receipt = await answer.cancel();
    expect(receipt).toMatchObject({ state: "reserved" });
    expect(await user.resolved(answer.queryId ?? "")).toMatchObject({
      state: "charged",
      tokens: 50,
    });
  });

  it("after its end, which changes nothing", async () => {
    const user = await newUser();
    const { client, net } = clientOf(user);
    const answer = client.ask("One?");
    const outcome = await answer.done;
    expect(await answer.cancel()).toBeUndefined();
    expect(await answer.done).toBe(outcome);
    expect(net.cancels).toEqual([]);
    expect(await user.resolved(outcome.queryId)).toMatchObject({ state: "charged" });
  });

  it("from elsewhere, with the same error as here", async () => {
    const { user, answer, seen } = await flowing();
    await user.post(`/ai/queries/${answer.queryId}/cancel`);
    const error = await errorOf(answer);
    expect(error).toBeInstanceOf(CancelledError);
    expect(error).toMatchObject({ quotaRemaining: 20, queryId: answer.queryId });
    expect(seen.errors).toEqual([error]);
  });
});

describe("an answer that is read again", () => {
  it("is the same from its first event, and free", async () => {
    const user = await newUser();
    const { client, net } = clientOf(user, {
      faults: [(request) => user.request(request.path, request), { events: 3, how: "error" }],
    });
    const first = client.ask(scripted({ tokens: TOKENS }));
    const events = await eventsOf(first);
    const outcome = await first.done;
    await user.resolved(outcome.queryId);
    const { callbacks, ...seen } = recorder();
    const again = client.events(outcome.queryId, callbacks);
    expect(again.queryId).toBe(outcome.queryId);
    expect(await eventsOf(again)).toEqual(events);
    expect(seen).toEqual({ tokens: TOKENS, sources: [[]], outcomes: [outcome], errors: [] });
    // A dropped connection is resumed here too.
    expect(net.streams.slice(1)).toEqual([
      "GET /ai/queries/:id/events?after=0",
      "GET /ai/queries/:id/events?after=3",
    ]);
    expect(await client.quota()).toMatchObject({ charged: 1 });
  });

  it("can be left unfinished without stopping it", async () => {
    const user = await newUser();
    const { client, net } = clientOf(user);
    const asked = client.ask(scripted({ tokens: 50, gapMs: 20 }));
    await firstToken(asked);
    const controller = new AbortController();
    const reading = client.events(asked.queryId ?? "", { signal: controller.signal });
    await firstToken(reading);
    controller.abort();
    expect(await errorOf(reading)).toBeInstanceOf(CancelledError);
    for await (const _ of client.events(asked.queryId ?? "")) break;
    expect((await asked.done).text).toMatch(/w49 $/);
    expect(net.cancels).toEqual([]);
  });

  it("can be stopped for all readers", async () => {
    const user = await newUser();
    const { client } = clientOf(user);
    const asked = client.ask(scripted({ tokens: 1_000, gapMs: 10 }));
    await firstToken(asked);
    const reading = client.events(asked.queryId ?? "");
    expect(await reading.cancel()).toMatchObject({ state: "refunded" });
    expect(await errorOf(asked)).toBeInstanceOf(CancelledError);
  });

  it("is not kept after a refund, and not asked again", async () => {
    const user = await newUser();
    const { client, net } = clientOf(user);
    const answer = client.ask(scripted({ tokens: 1_000, gapMs: 10 }));
    await firstToken(answer);
    await answer.cancel();
    const error = await errorOf(client.events(answer.queryId ?? ""));
    expect(error).toMatchObject({ code: "NOT_KEPT", status: 410 });
    expect(net.streams.filter((stream) => stream.startsWith("POST"))).toHaveLength(1);
  });
});
