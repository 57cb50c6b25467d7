// A dropped connection causes no second charge, no lost and no repeated token.

import { abortAllDurableObjects } from "cloudflare:test";
import { beforeAll, describe, expect, it, vi } from "vitest";
import {
  BelayError,
  CancelledError,
  ConnectionLostError,
  type Retry,
} from "../../src/client/client.ts";
import { audit, eventually, modelRequests, newUser, scripted } from "../harness.ts";
import { Random } from "../support/random.ts";
import { clientOf, errorOf, eventsOf, firstToken, putDocument, recorder } from "./asking.ts";
import { type Cut, type Fault, line } from "./faulty-fetch.ts";

/** They must survive a cut anywhere. */
const TOKENS = ["Belay ", "張", "三 ", "\u{1f600} ", "\u2028\u0085", "holds", "\r\n\n", " [1]."];
const TEXT = TOKENS.join("");
/** What counts as a broken connection. A busy machine is silent for less. */
const SILENCE_MS = 1_000;
/** `start`, `sources`, the tokens, `done`. */
const EVENTS = TOKENS.length + 3;
const TYPES = ["start", "sources", ...TOKENS.map(() => "token"), "done"];

beforeAll(putDocument);

describe.each(["error", "end", "silence"] as const)("a stream that ends in %s", (how) => {
  const isSilent = how === "silence";
  const silence = isSilent ? { silenceMs: SILENCE_MS } : {};
  // Those that wait for the end of a silence wait together.
  const tests = isSilent ? it.concurrent : it;
  describe.each([
    ["was seen by the server", false],
    ["was hidden from the server", true],
  ])("which %s", (_, swallowed) => {
    const indices = Array.from({ length: EVENTS }, (_, events) => events);
    tests.each(indices)("is resumed after %i events", async (events) => {
      const user = await newUser();
      const faults: Fault[] = [{ events, how, swallowed }];
      const { client, net } = clientOf(user, { faults, ...silence });
      const tag = crypto.randomUUID();
      const { callbacks, ...seen } = recorder();
      const answer = client.ask(scripted({ tag, tokens: TOKENS, gapMs: 2 }), callbacks);
      const iterated = await eventsOf(answer);
      const outcome = await answer.done;

      expect(net.streams).toEqual([
        "POST /ai/ask?stream=true",
        `GET /ai/queries/:id/events?after=${events}`,
      ]);
      expect(outcome.text).toBe(TEXT);
      expect(seen.tokens).toEqual(TOKENS);
      expect(iterated.map(({ type }) => type)).toEqual(TYPES);
      expect(seen.sources).toEqual([[expect.objectContaining({ documentId: "rope", n: 1 })]]);
      expect(seen.outcomes).toEqual([outcome]);
      expect(seen.errors).toEqual([]);
      await user.resolved(outcome.queryId);
      expect(await user.quota()).toMatchObject({ charged: 1, refunded: 0, reserved: 0 });
      expect(await modelRequests(tag)).toHaveLength(1);
    });
  });
});

describe("an ask without a response", () => {
  it.each([
    ["did not get there", "unsent", 1],
    ["got there", "unanswered", 1],
    ["got there, three times", "unanswered", 3],
  ] as const)("and that %s is asked again with the same key and body", async (_, fault, times) => {
    const user = await newUser();
    const { client, net } = clientOf(user, { faults: Array<Fault>(times).fill(fault) });
    const tag = crypto.randomUUID();
    const { text, queryId } = await client.ask(scripted({ tag, tokens: TOKENS })).done;
    expect(text).toBe(TEXT);
    const asks = net.requests;
    expect(asks.map(line)).toEqual(Array(times + 1).fill("POST /ai/ask?stream=true"));
    expect(new Set(asks.map(({ headers }) => headers.get("idempotency-key"))).size).toBe(1);
    expect(new Set(asks.map(({ body }) => body)).size).toBe(1);
    await user.resolved(queryId);
    expect(await user.quota()).toMatchObject({ charged: 1, refunded: 0 });
    expect(await modelRequests(tag)).toHaveLength(1);
  });
});

it("reads the same text, charged once, over 1,000 random cuts", { timeout: 300_000 }, async () => {
  const cutsWanted = 1_000;
  const random = new Random(20_261_122);
  const user = await newUser({ QUOTA_LIMIT: "5000", CONCURRENCY_LIMIT: "100" });
  const tag = crypto.randomUUID();
  const whole = await clientOf(user).client.ask(scripted({ tokens: TOKENS })).done;
  const response = await user.request(`/ai/queries/${whole.queryId}/events`);
  const bytes = (await response.arrayBuffer()).byteLength;

  let asks = 0;
  let cuts = 0;
  const askUntilCutEnough = async () => {
    while (cuts < cutsWanted) {
      asks += 1;
      const seed = random.whole(0, 2 ** 32 - 1);
      const faults = Array.from({ length: random.whole(1, 3) }, (_, nth): Fault => {
        if (random.chance(0.1)) return random.pick(["unsent", "unanswered"]);
        const how = random.pick<Cut["how"]>(["error", "end"]);
        // The rest is shorter than the whole.
        const most = nth === 0 ? bytes - 1 : Math.ceil(bytes / 4);
        return { bytes: random.whole(0, most), how, swallowed: random.chance(0.5) };
      });
      const { client, net } = clientOf(user, { faults, seed });
      const gapMs = random.pick([0, 0, 1]);
      const answer = client.ask(scripted({ tag, tokens: TOKENS, gapMs }));
      const types = (await eventsOf(answer)).map(({ type }) => type);
      const seen = { ...(await answer.done), types };
      cuts += net.cuts;
      const how = `seed ${seed}, faults ${JSON.stringify(faults)}`;
      expect(seen, how).toMatchObject({
        text: TEXT,
        types: TYPES,
        finish: "stop",
        sources: [{ id: "rope#1", cited: true }],
      });
    }
  };
  await Promise.all(Array.from({ length: 8 }, askUntilCutEnough));

  const quota = await eventually(
    () => user.quota(),
    ({ reserved }) => reserved === 0,
  );
  expect(quota).toMatchObject({ charged: asks + 1, refunded: 0 });
  expect(await modelRequests(tag)).toHaveLength(asks);
  expect(await audit(user)).toEqual({ ok: true, differences: [] });
});

describe("a connection that comes back after the wait", () => {
  /** The wait ends at once; the client comes back long after. */
  const impatient = { RESUME_WAIT_SECONDS: "0" };
  const backoff = () => 500;

  it("asks again before the first token, and is charged once", async () => {
    const user = await newUser(impatient);
    const { client, net } = clientOf(user, { faults: [{ events: 2, how: "error" }], backoff });
    const tag = crypto.randomUUID();
    const { callbacks, ...seen } = recorder();
    const answer = client.ask(scripted({ tag, tokens: TOKENS, firstMs: 1_000 }), callbacks);
    const types: string[] = [];
    const ids = new Set<string | undefined>();
    for await (const { type } of answer) {
      types.push(type);
      ids.add(answer.queryId);
    }
    const outcome = await answer.done;
    expect(net.streams.at(-1)).toBe("POST /ai/ask?stream=true");
    // `start` and `sources` come again, of the new query.
    expect(types).toEqual(["start", "sources", ...TYPES]);
    expect(ids.size).toBe(2);
    expect(outcome).toMatchObject({ text: TEXT, queryId: answer.queryId });
    expect(seen.tokens).toEqual(TOKENS);
    await user.resolved(outcome.queryId);
    expect(await user.quota()).toMatchObject({ charged: 1, refunded: 1, reserved: 0 });
  });

  it("after a token ends with an error that says nothing was charged", async () => {
    const user = await newUser(impatient);
    const { client, net } = clientOf(user, { faults: [{ events: 4, how: "error" }], backoff });
    const answer = client.ask(scripted({ tokens: 100, gapMs: 20 }));
    const error = await errorOf(answer);
    expect(error).toBeInstanceOf(ConnectionLostError);
    expect(error).toMatchObject({ code: "NOT_KEPT", status: 410, queryId: answer.queryId });
    expect(error.message).toMatch(/not charged; ask again/);
    expect(answer.text).toBe("w0 w1 ");
    expect(net.streams.filter((stream) => stream.startsWith("POST"))).toHaveLength(1);
    expect(await client.quota()).toMatchObject({ charged: 0, refunded: 1 });
  });

  it("does not ask again if the answer was stopped elsewhere", async () => {
    const user = await newUser();
    const stopIt = async () => {
      const [receipt] = await user.receipts();
      await user.post(`/ai/queries/${receipt?.queryId}/cancel`);
    };
    const faults: Fault[] = [
      { events: 2, how: "error" },
      async () => {
        await stopIt();
        throw new TypeError("fetch failed");
      },
    ];
    const { client, net } = clientOf(user, { faults });
    const answer = client.ask(scripted({ firstMs: 2_000 }));
    const error = await errorOf(answer);
    expect(error).toBeInstanceOf(CancelledError);
    expect(error).toMatchObject({ code: "CANCELLED", queryId: answer.queryId });
    expect(net.streams.filter((stream) => stream.startsWith("POST"))).toHaveLength(1);
  });

  it.each([
    ["before a token", 2],
    ["after a token", 4],
  ])("does not say that an answer was free which was deleted since, %s", async (_when, events) => {
    const user = await newUser();
    const deleteIt = async () => {
      const [receipt] = await user.receipts();
      await user.resolved(receipt?.queryId ?? "");
      await user.request(`/ai/queries/${receipt?.queryId}`, { method: "DELETE" });
      throw new TypeError("fetch failed");
    };
    const faults: Fault[] = [{ events, how: "error", swallowed: true }, deleteIt];
    const { client, net } = clientOf(user, { faults });
    const error = await errorOf(client.ask(scripted({ tokens: TOKENS })));
    expect(error).toMatchObject({ code: "NOT_KEPT", status: 410 });
    expect(error.message).toMatch(/deleted/);
    expect(error.message).not.toMatch(/not charged/);
    expect(net.streams.filter((stream) => stream.startsWith("POST"))).toHaveLength(1);
    expect(await client.quota()).toMatchObject({ charged: 1, refunded: 0 });
  });

  it("reads the stored answer if the refund allowance is used up", async () => {
    const user = await newUser({ ...impatient, REFUND_LIMIT: "0" });
    const { client } = clientOf(user, { faults: [{ events: 4, how: "error" }] });
    const { text, queryId } = await client.ask(scripted({ tokens: TOKENS, gapMs: 10 })).done;
    expect(text).toBe(TEXT);
    await user.resolved(queryId);
    expect(await client.quota()).toMatchObject({ charged: 1, refunded: 0 });
  });
});

describe("a connection that does not come back", () => {
  it("ends after its tries with an error that points to the receipt", async () => {
    const user = await newUser();
    const retries: Retry[] = [];
    const faults: Fault[] = [{ events: 4, how: "error" }, ...Array<Fault>(9).fill("unsent")];
    const { client } = clientOf(user, {
      faults,
      backoff: (attempt) => (attempt > 3 ? undefined : attempt),
    });
    const { callbacks, ...seen } = recorder();
    const answer = client.ask(scripted({ tokens: TOKENS, gapMs: 5 }), {
      ...callbacks,
      onRetry: (retry) => void retries.push(retry),
    });
    const error = await errorOf(answer);
    expect(error).toBeInstanceOf(ConnectionLostError);
    expect(error).toMatchObject({ code: "CONNECTION_LOST", status: undefined });
    expect(error.queryId).toBe(answer.queryId);
    expect(error.cause).toMatchObject({ message: "Belay could not be reached." });
    expect(seen.errors).toEqual([error]);
    expect(retries.map(({ attempt, waitMs }) => [attempt, waitMs])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });

  it("counts its tries since the last token", async () => {
    const user = await newUser();
    const faults: Fault[] = TOKENS.map((_, token) => ({
      events: token === 0 ? 3 : 1,
      how: "error",
    }));
    const attempts: number[] = [];
    const { client } = clientOf(user, {
      faults,
      backoff: (attempt) => (attempt > 1 ? undefined : 0),
    });
    const { text } = await client.ask(scripted({ tokens: TOKENS }), {
      onRetry: ({ attempt }) => void attempts.push(attempt),
    }).done;
    expect(text).toBe(TEXT);
    expect(attempts).toEqual(TOKENS.map(() => 1));
  });

  it("is not retried for ever if only the beginning arrives", async () => {
    const user = await newUser({ RESUME_WAIT_SECONDS: "0" });
    // The ask breaks after its sources, each resumption at once.
    const faults = Array.from(
      { length: 30 },
      (_, nth): Fault => ({
        events: nth % 2 === 0 ? 2 : 0,
        how: "error",
      }),
    );
    const { client, net } = clientOf(user, { faults });
    const error = await errorOf(client.ask(scripted({ firstMs: 5_000 })));
    expect(error).toMatchObject({ code: "CONNECTION_LOST" });
    expect(net.streams).toHaveLength(6);
  });

  it("waits at most half a minute in all by default", async () => {
    vi.useFakeTimers();
    try {
      const user = await newUser();
      const waits: number[] = [];
      const { client } = clientOf(user, {
        faults: Array<Fault>(99).fill("unsent"),
        backoff: undefined,
      });
      const failed = errorOf(
        client.ask("One?", { onRetry: ({ waitMs }) => void waits.push(waitMs) }),
      );
      await vi.advanceTimersByTimeAsync(30_000);
      expect(await failed).toMatchObject({ code: "CONNECTION_LOST" });
      expect(waits).toHaveLength(10);
      expect(waits.reduce((sum, wait) => sum + wait)).toBeGreaterThan(13_000);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is tried at once when the page is back online", async () => {
    const window = new EventTarget();
    vi.stubGlobal("window", window);
    try {
      const user = await newUser();
      const { client } = clientOf(user, {
        faults: [{ events: 4, how: "error" }],
        backoff: () => 60_000,
      });
      const outcome = await client.ask(scripted({ tokens: TOKENS, gapMs: 1 }), {
        onRetry: () => void setTimeout(() => window.dispatchEvent(new Event("online"))),
      }).done;
      expect(outcome.text).toBe(TEXT);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

it("reports an object that dies in mid-answer", async () => {
  const user = await newUser();
  const { client } = clientOf(user);
  const answer = client.ask(scripted({ tokens: 1_000, gapMs: 10 }));
  await firstToken(answer);
  await abortAllDurableObjects();
  expect(await errorOf(answer)).toMatchObject({ code: "NOT_KEPT" });
  expect(await client.quota()).toMatchObject({ charged: 0, reserved: 0, refunded: 1 });
});

it("asks again if an object dies before the first token", async () => {
  const user = await newUser();
  const { client } = clientOf(user);
  const answer = client.ask(scripted({ tokens: TOKENS, firstMs: 1_000 }));
  await eventually(
    async () => answer.queryId,
    (queryId) => queryId !== undefined,
  );
  await abortAllDurableObjects();
  const { text, queryId } = await answer.done;
  expect(text).toBe(TEXT);
  await user.resolved(queryId);
  expect(await client.quota()).toMatchObject({ charged: 1, reserved: 0, refunded: 1 });
});

it("reads past a byte order mark, unknown fields and unknown events", async () => {
  const user = await newUser();
  const frames = (...events: unknown[]) =>
    events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
  const stream = (text: string) => () =>
    new Response(text, { headers: { "content-type": "text/event-stream" } });
  const start = { type: "start", queryId: "1-0b", quotaRemaining: 1 };
  const done = {
    type: "done",
    queryId: "1-0b",
    sources: [],
    finish: "stop",
    found: true,
    quotaRemaining: 1,
  };
  const { client, net } = clientOf(user, {
    faults: [
      stream(`\ufeff: hello\n\nid: 1\n${frames(start)}`),
      stream(
        `${frames({ type: "sources", sources: [] }, { type: "thought", thought: "hm" })}data: <html>\n\n`,
      ),
      stream(`${frames({ type: "token", token: "a" })}data: null\n\n`),
      stream(
        frames({ type: "token", token: "b" }, { type: "ping" }, done, {
          type: "token",
          token: "c",
        }),
      ),
    ],
  });
  const answer = client.ask("One?");
  const types = (await eventsOf(answer)).map(({ type }) => type);
  expect(types).toEqual(["start", "sources", "token", "token", "done"]);
  expect(answer.text).toBe("ab");
  // Unknown events count too.
  expect(net.requests.slice(1).map(({ path }) => path)).toEqual(
    [1, 3, 4].map((after) => `/ai/queries/1-0b/events?after=${after}`),
  );
});

it("does not wait for ever for a response", async () => {
  const user = await newUser();
  const never: Fault = ({ signal }) =>
    new Promise((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
  const { client, net } = clientOf(user, {
    faults: [never, { events: 3, how: "end" }, never],
    silenceMs: SILENCE_MS,
  });
  const { text } = await client.ask(scripted({ tokens: TOKENS })).done;
  expect(text).toBe(TEXT);
  expect(net.streams).toHaveLength(4);
});

it("retries a refusal that passes", async () => {
  const user = await newUser();
  const refused = (status: number, code: string, seconds: string) => () =>
    Response.json(
      { type: "error", code, message: "Wait." },
      { status, headers: { "retry-after": seconds } },
    );
  const waits: number[] = [];
  const { client } = clientOf(user, {
    faults: [
      refused(503, "UNAVAILABLE", "0.01"),
      refused(408, "REQUEST_TIMEOUT", "0.02"),
      () => new Response("<h1>Bad gateway</h1>", { status: 502 }),
      { events: 3, how: "end" },
      refused(429, "TOO_MANY_STREAMS", "0.03"),
      refused(500, "INTERNAL", "0"),
    ],
    backoff: () => 1,
  });
  const { text } = await client.ask(scripted({ tokens: TOKENS }), {
    onRetry: ({ waitMs }) => void waits.push(waitMs),
  }).done;
  expect(text).toBe(TEXT);
  expect(waits).toEqual([10, 20, 1, 1, 30, 1]);
});

it.each([
  ["UNAVAILABLE for a minute", 503, "UNAVAILABLE", "60"],
  ["QUOTA_EXCEEDED for a second", 429, "QUOTA_EXCEEDED", "1"],
  ["TOO_MANY_STREAMS of others", 429, "TOO_MANY_STREAMS", "1"],
  ["a fault of the service", 500, "INTERNAL", "0"],
])("does not retry %s", async (_, status, code, seconds) => {
  const user = await newUser();
  const refusal = () =>
    Response.json(
      { type: "error", code, message: "No." },
      { status, headers: { "retry-after": seconds } },
    );
  const { client, net } = clientOf(user, { faults: [refusal] });
  const error = await errorOf(client.ask("One?"));
  expect(error).toBeInstanceOf(BelayError);
  expect(error).toMatchObject({ code, status, message: "No." });
  expect(net.requests).toHaveLength(1);
});
