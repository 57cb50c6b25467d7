// The promise over real sockets, on both servers: who leaves is refunded and nothing upstream goes on
// for them, who stays is charged, no more answers are given than the quota allows, and no reservation
// outlives its run. How each misbehaviour of a model is read is tested in generators/.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  type AnswerBody,
  API_PREFIX,
  type Quota,
  type Receipt,
  type StreamEvent,
} from "../../src/protocol.ts";
import { type Directive, scripted } from "../support/directive.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";
import { type RunningServer, startServer } from "../support/server.ts";
import { ask, bearer, type Exchange, request } from "../support/socket-client.ts";

type Command = "serve" | "start";

const COMMANDS: readonly Command[] = ["serve", "start"];
const SECRET = "a secret that only this suite's servers know";
const LIMIT = 20;
const PING_INTERVAL_MS = 200;
/** How soon who left is refunded: two pings, and the machine's own pace. */
const REFUND_TIMEOUT_MS = 5_000;
/** How long a stream may run on upstream after its leaver was noticed. */
const STOP_MS = 250;

let model: ModelServer;

beforeAll(async () => {
  model = await startModelServer();
});
afterAll(() => model.close());

function start(command: Command, vars: Record<string, string> = {}, persistTo?: string) {
  return startServer({
    command,
    vars: {
      AUTH_SECRET: SECRET,
      GENERATOR: "openai",
      OPENAI_BASE_URL: model.url,
      OPENAI_MODEL: "scripted",
      QUOTA_LIMIT: String(LIMIT),
      CONCURRENCY_LIMIT: String(LIMIT),
      PING_INTERVAL_MS: String(PING_INTERVAL_MS),
      DELIVERY_HOLD_MS: "200",
      SWEEP_INTERVAL_MS: "1000",
      ...vars,
    },
    ...(persistTo !== undefined && { persistTo }),
  });
}

/** A user whom no other test knows, on one server. */
class User {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  static async on(url: string, user: string = crypto.randomUUID()): Promise<User> {
    return new User(url, await bearer(SECRET, { user }));
  }

  /** The tag tells the model's record of this ask from all others. */
  ask(script: Directive, { streaming = true, tag = crypto.randomUUID() } = {}): Exchange {
    const body = { query: scripted({ ...script, tag }) };
    return ask(this.#url, { token: this.#token, body, streaming });
  }

  async quota(): Promise<Quota> {
    return (await this.#get<Quota>("/ai/quota")).body;
  }

  async queries(): Promise<readonly Receipt[]> {
    return (await this.#get<{ queries: Receipt[] }>("/ai/queries?limit=100")).body.queries;
  }

  #get<Body>(path: string) {
    return request<Body>(`${this.#url}${API_PREFIX}${path}`, { token: this.#token });
  }
}

describe.each(COMMANDS)("on npm run %s", (command) => {
  let server: RunningServer;

  beforeAll(async () => {
    server = await start(command);
  });
  afterAll(() => server.stop());

  interface Moment {
    readonly when: string;
    readonly by: readonly ("close" | "reset")[];
    readonly streaming: boolean;
    readonly script: Directive;
    /** Resolves when it is time to leave. */
    readonly until: (exchange: Exchange, tag: string) => Promise<unknown>;
  }

  const both = ["close", "reset"] as const;
  const tokens = (count: number) => (exchange: Exchange) => exchange.until(nthToken(count));
  /** In a silence only a ping tells that nobody is there: one has come, and the next is due. */
  const ping = (exchange: Exchange) => exchange.until("ping");
  const asked = (_: Exchange, tag: string) => vi.waitFor(() => recordOf(tag), { timeout: 5_000 });

  const moments: readonly Moment[] = [
    {
      when: "before the response",
      // A reset that overtakes the request leaves nothing to be seen: in JSON mode one does not.
      by: ["close"],
      streaming: true,
      script: { fault: "hang-before-headers" },
      until: (exchange) => exchange.untilSent(),
    },
    {
      when: "as soon as it starts",
      by: both,
      streaming: true,
      script: { fault: "hang-before-headers" },
      until: (exchange) => exchange.until("start"),
    },
    {
      when: "in the silence before the first token",
      by: both,
      streaming: true,
      script: { fault: "hang", at: 0 },
      until: ping,
    },
    {
      when: "at the first token",
      by: both,
      streaming: true,
      script: { tokens: 400, gapMs: 20 },
      until: tokens(1),
    },
    {
      when: "between tokens",
      by: both,
      streaming: true,
      script: { tokens: 400, gapMs: 20 },
      until: tokens(10),
    },
    {
      when: "in a silence between tokens",
      by: both,
      streaming: true,
      script: { tokens: 10, fault: "hang", at: 5 },
      until: ping,
    },
    {
      when: "after the last token of an answer that does not end",
      by: both,
      streaming: true,
      script: { tokens: 5, ending: ["hang"] },
      until: tokens(5),
    },
    {
      when: "after the last token",
      by: both,
      streaming: true,
      // Too short a silence for a ping: only those that go before `done` can tell.
      script: { tokens: 5, gapMs: 20, endMs: PING_INTERVAL_MS / 2 },
      until: tokens(5),
    },
    {
      when: "between the pings that go before `done`",
      // Through `wrangler dev` one ping is too few to tell of a close.
      by: command === "serve" ? both : ["reset"],
      streaming: true,
      script: { tokens: 5, gapMs: 20 },
      until: ping,
    },
    {
      when: "before the first token",
      by: ["reset"],
      streaming: false,
      script: { fault: "hang-before-headers" },
      until: asked,
    },
    {
      when: "in a silence between tokens",
      by: ["reset"],
      streaming: false,
      script: { fault: "hang", at: 5 },
      until: asked,
    },
    {
      when: "between tokens",
      by: ["reset"],
      streaming: false,
      script: { tokens: 400, gapMs: 20 },
      until: asked,
    },
    {
      when: "before the first token",
      by: ["close"],
      streaming: false,
      script: { headersMs: 500 },
      until: asked,
    },
    {
      when: "between tokens",
      by: ["close"],
      streaming: false,
      script: { tokens: 10, gapMs: 50 },
      until: asked,
    },
  ];

  const leavers = moments
    .flatMap((moment) => moment.by.map((by) => ({ ...moment, by })))
    // Until a response begins, the proxy of `wrangler dev` keeps a reset to itself.
    .filter(({ streaming, by }) => command === "serve" || streaming || by === "close")
    .map((leaver) => ({ ...leaver, mode: leaver.streaming ? "a stream" : "JSON" }));

  test.each(leavers)(
    "who leaves $mode by $by $when is refunded, and the model stops",
    async ({ streaming, by, script, until }) => {
      const user = await User.on(server.url);
      const tag = crypto.randomUUID();
      const exchange = user.ask(script, { streaming, tag });
      await until(exchange, tag);
      exchange[by]();

      const receipt = await vi.waitFor(
        async () => {
          const [query] = await user.queries();
          expect(query?.state).toBe("refunded");
          return query as Receipt;
        },
        { timeout: REFUND_TIMEOUT_MS, interval: 25 },
      );
      expect(receipt).toMatchObject({ reason: "disconnected", answer: null });
      expect(await user.quota()).toMatchObject({
        limit: LIMIT,
        remaining: LIMIT,
        reserved: 0,
        charged: 0,
        refunded: 1,
      });
      const upstream = await vi.waitFor(() => {
        const record = model.requests.find((candidate) => candidate.tag === tag);
        // Who left at once may have kept it from being asked at all.
        expect(record?.state).not.toBe("streaming");
        return record;
      });
      if (upstream === undefined) return;
      const noticedAt = Date.parse(receipt.resolvedAt ?? "");
      expect(upstream.endedAt).toBeLessThan(noticedAt + STOP_MS);
    },
  );

  test("twenty who stay are charged twenty times", async () => {
    const user = await User.on(server.url);
    const exchanges = Array.from({ length: LIMIT }, (_, n) =>
      user.ask({ tokens: 10, gapMs: n * 5 }, { streaming: n % 2 === 0 }),
    );
    // Neither saying that no more will be asked, nor reading late, is leaving.
    for (const exchange of exchanges.slice(0, 4)) exchange.halfClose();
    for (const exchange of exchanges.slice(4, 8)) exchange.pause();
    await sleep(300);
    for (const exchange of exchanges.slice(4, 8)) exchange.resume();

    for (const [n, exchange] of exchanges.entries()) {
      expect(await exchange.untilEnd()).toMatchObject({ how: "complete" });
      if (n % 2 === 0) expect(exchange.events.at(-1)?.type).toBe("done");
      else expect(JSON.parse(exchange.text) as AnswerBody).toMatchObject({ finish: "stop" });
    }
    const quota = { remaining: 0, reserved: 0, charged: LIMIT, refunded: 0 };
    await vi.waitFor(async () => expect(await user.quota()).toMatchObject(quota));
    expect(statesOf(await user.queries())).toEqual({ charged: LIMIT });
  });

  test.each(both)("who leaves by %s on reading `done` is charged", async (by) => {
    const user = await User.on(server.url);
    const exchanges = Array.from({ length: 10 }, () => user.ask({ tokens: 5, gapMs: 10 }));
    await Promise.all(
      exchanges.map(async (exchange) => {
        await exchange.until("done");
        exchange[by]();
      }),
    );
    await vi.waitFor(async () => expect(await user.quota()).toMatchObject({ reserved: 0 }));
    expect(statesOf(await user.queries())).toEqual({ charged: 10 });
  });

  test("nothing upstream is running when nobody is there any more", async () => {
    await vi.waitFor(() => {
      expect(model.requests.filter(({ state }) => state === "streaming")).toEqual([]);
    });
  });
});

describe.each(COMMANDS)("on npm run %s with a quota of 3", (command) => {
  let server: RunningServer;

  beforeAll(async () => {
    server = await start(command, { QUOTA_LIMIT: "3", CONCURRENCY_LIMIT: "50" });
  });
  afterAll(() => server.stop());

  test.each([true, false])(
    "of 50 asks at once exactly 3 are answered (as a stream: %s)",
    async (streaming) => {
      const user = await User.on(server.url);
      const exchanges = Array.from({ length: 50 }, () =>
        user.ask({ tokens: 10, gapMs: 20 }, { streaming }),
      );
      for (const exchange of exchanges) await exchange.untilEnd();
      const refused = exchanges.filter(({ status }) => status === 429);
      const answered = exchanges.filter(({ status }) => status === 200);
      expect([answered.length, refused.length]).toEqual([3, 47]);
      for (const { text } of refused) expect(text).toContain('"code":"QUOTA_EXCEEDED"');
      for (const { text } of answered) expect(text).toContain('"finish":"stop"');
      expect(await user.quota()).toMatchObject({ charged: 3, reserved: 0, remaining: 0 });
    },
  );
});

describe.each(COMMANDS)("on npm run %s that is killed", (command) => {
  test("an answer that was under way is refunded after the restart, though nobody asks", async () => {
    const persistTo = await mkdtemp(join(tmpdir(), "belay-test-"));
    const name = crypto.randomUUID();
    let server = await start(command, {}, persistTo);
    try {
      const exchange = (await User.on(server.url, name)).ask({ tokens: 9, fault: "hang", at: 3 });
      await exchange.until(nthToken(3));
      await server.kill9();
      expect(await exchange.untilEnd()).toMatchObject({ how: "cut" });

      const restartedAt = Date.now();
      server = await start(command, {}, persistTo);
      // Any request would wake the user's object, which refunds as it wakes: the alarm has to do it.
      await sleep(3_000);
      const askedAt = Date.now();
      const [receipt] = await (await User.on(server.url, name)).queries();
      expect(receipt).toMatchObject({ state: "refunded", reason: "expired" });
      const resolvedAt = Date.parse(receipt?.resolvedAt ?? "");
      expect(resolvedAt).toBeLessThan(askedAt);
      expect(resolvedAt - restartedAt).toBeLessThan(60_000);
    } finally {
      await server.stop();
      await rm(persistTo, { recursive: true, force: true });
    }
  });
});

/** The nth of the tokens that the model makes up. */
function nthToken(n: number) {
  return (event: StreamEvent) => event.type === "token" && event.token === `w${n - 1} `;
}

function recordOf(tag: string) {
  const record = model.requests.find((request) => request.tag === tag);
  if (record === undefined) throw new Error("The model was not asked.");
  return record;
}

function statesOf(queries: readonly Receipt[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of queries) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}
