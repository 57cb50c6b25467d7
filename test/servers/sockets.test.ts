// The promise over real sockets, on both servers and over distance.
// Disconnected users are refunded and their model stops;
// the others are charged. No ask exceeds the quota,
// and no reservation outlives its run.
// How each fault of a model is read is tested in generators/.
//
// SOCKET_REPEATS repeats each disconnect and prints the tables
// of docs/testing.md.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { AnswerBody, Receipt } from "../../src/protocol.ts";
import { type DelayProxy, startDelayProxy } from "../support/delay-proxy.ts";
import type { ModelRequest } from "../support/directive.ts";
import { DISCONNECTS, type Disconnect, type Outcome } from "../support/disconnects.ts";
import { nthToken } from "../support/event-stream.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";
import { type RunningServer, SECRET, startScriptedServer } from "../support/server.ts";
import type { Exchange } from "../support/socket-client.ts";
import { User } from "../support/user.ts";

type Command = "serve" | "start";

const COMMANDS: readonly Command[] = ["serve", "start"];
const REPEATS = Number(process.env.SOCKET_REPEATS ?? 1);
const ROUND_TRIPS_MS = [0, 60, 160] as const;
const LIMIT = 20;
const PING_INTERVAL_MS = 500;
const WRITE_TIMEOUT_MS = 2_000;
const BODY_TIMEOUT_MS = 500;
/** Until an ask is resolved: answers, pings, distance, a slow machine. */
const RESOLVE_TIMEOUT_MS = 10_000;
/**
 * Until a disconnect costs nothing more while tokens flow;
 * allows for a busy machine.
 */
const FLOWING_MS_MAX = 2_000;
/** An ask without a trace after this will leave none. */
const NOTHING_MS = 3_000;
/** How long the model may run on after the disconnect was noticed. */
const STOP_MS = 1_000;

/** What was seen of one disconnect. */
interface Seen {
  readonly outcome: Outcome;
  /** From acting to the model's stop; undefined if it ended by itself. */
  readonly cutMs?: number;
  /** From acting to the charge, refund or refusal. */
  readonly resolvedMs?: number;
}

let model: ModelServer;
/** By disconnect, then by server and distance. */
const table = new Map<Disconnect, Map<string, Seen[]>>();
/** Of disconnects while tokens flowed, by server and way. */
const flowing = new Map<string, Seen[]>();

beforeAll(async () => {
  model = await startModelServer();
});
afterAll(async () => {
  await model.close();
  // A passing run does not show console.log.
  if (REPEATS > 1) process.stdout.write(report());
});

/**
 * `roundTripMs` is the client's.
 * Behind a proxy on this machine the server cannot know it.
 */
function start(
  command: Command,
  vars: Record<string, string> = {},
  { persistTo, roundTripMs = 0 }: { persistTo?: string; roundTripMs?: number } = {},
) {
  return startScriptedServer({
    command,
    model,
    inMemory: true,
    vars: {
      QUOTA_LIMIT: String(LIMIT),
      CONCURRENCY_LIMIT: String(LIMIT),
      PING_INTERVAL_MS: String(PING_INTERVAL_MS),
      DELIVERY_HOLD_MS: String(holdMs(roundTripMs)),
      WRITE_TIMEOUT_MS: String(WRITE_TIMEOUT_MS),
      BODY_TIMEOUT_MS: String(BODY_TIMEOUT_MS),
      ANSWER_BYTES_MAX: "1000000",
      SWEEP_INTERVAL_MS: "1000",
      ...vars,
    },
    ...(persistTo !== undefined && { persistTo }),
  });
}

/**
 * Half of the probe must exceed the round trip,
 * with a margin for a busy machine.
 */
function holdMs(roundTripMs: number): number {
  return 2 * roundTripMs + 1_400;
}

describe.each(COMMANDS)("on npm run %s", (command) => {
  const servers = new Map<number, RunningServer>();
  const proxies = new Map<number, DelayProxy>();

  beforeAll(async () => {
    await Promise.all(
      ROUND_TRIPS_MS.map(async (roundTripMs) => {
        const server = await start(command, {}, { roundTripMs });
        servers.set(roundTripMs, server);
        const delayMs = roundTripMs / 2;
        proxies.set(roundTripMs, await startDelayProxy({ target: server.url, delayMs }));
      }),
    );
  });
  afterAll(async () => {
    await Promise.all([...proxies.values()].map((proxy) => proxy.close()));
    await Promise.all([...servers.values()].map((server) => server.stop()));
  });

  describe.each(ROUND_TRIPS_MS)("%i ms away", (roundTripMs) => {
    const disconnects = DISCONNECTS.filter(({ near }) => !near || roundTripMs === 0).map(
      (disconnect) => ({
        disconnect,
        ...disconnect,
        mode: disconnect.streaming ? "a stream" : "JSON",
        outcome: disconnect.becomes[command]?.join(" or ") ?? "any outcome, with balanced books",
      }),
    );

    test.concurrent.each(disconnects)(
      "$by of $mode $when: $outcome",
      async ({ disconnect }) => {
        for (let repeat = 0; repeat < REPEATS; repeat += 1) {
          const server = servers.get(roundTripMs) as RunningServer;
          const through = roundTripMs === 0 ? server.url : proxies.get(roundTripMs)?.url;
          const seen = await perform(disconnect, server.url, through as string);
          note(disconnect, `${command} ${roundTripMs}`, seen);
          expect(disconnect.becomes[command] ?? [seen.outcome]).toContain(seen.outcome);
        }
      },
      30_000 + 30_000 * REPEATS,
    );
  });

  test(
    "a disconnect while tokens flow stops the model and is refunded soon",
    async () => {
      const { url } = servers.get(0) as RunningServer;
      for (const by of ["close", "reset"] as const) {
        const all: Seen[] = [];
        for (let sample = 0; sample < 10 * REPEATS; sample += 1) {
          const disconnect: Disconnect = {
            by,
            when: "while tokens flow",
            streaming: true,
            script: { tokens: 400, gapMs: 20 },
            // Anywhere between one token and the next.
            until: async (exchange) => {
              await exchange.until(nthToken(10));
              await sleep(sample % 20);
            },
            becomes: { serve: ["cut"], start: ["cut"] },
          };
          const seen = await perform(disconnect, url, url);
          expect(seen.outcome).toBe("cut");
          all.push(seen);
        }
        flowing.set(`${command}, by ${by}`, all);
        expect(percentile(99, all.map(lastOf))).toBeLessThan(FLOWING_MS_MAX);
      }
    },
    60_000 * REPEATS,
  );

  test("twenty users who stay connected are charged once each", async () => {
    const user = await User.on((servers.get(0) as RunningServer).url, SECRET);
    const exchanges = Array.from({ length: LIMIT }, (_, n) =>
      user.ask({ tokens: 10, gapMs: n * 5 }, { streaming: n % 2 === 0 }),
    );
    // Neither a half-close nor late reading is a disconnect.
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

  test("no model runs once every client is gone", async () => {
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
    "answers exactly 3 of 50 simultaneous asks (as a stream: %s)",
    async (streaming) => {
      const user = await User.on(server.url, SECRET);
      const exchanges = Array.from({ length: 50 }, () =>
        user.ask({ tokens: 10, gapMs: 20 }, { streaming }),
      );
      for (const exchange of exchanges) await exchange.untilEnd();
      const refused = exchanges.filter(({ status }) => status === 429);
      const answered = exchanges.filter(({ status }) => status === 200);
      expect([answered.length, refused.length]).toEqual([3, 47]);
      for (const { text } of refused) expect(text).toContain('"code":"QUOTA_EXCEEDED"');
      for (const { text } of answered) expect(text).toContain('"finish":"stop"');
      await vi.waitFor(async () =>
        expect(await user.quota()).toMatchObject({ charged: 3, reserved: 0, remaining: 0 }),
      );
    },
  );
});

describe.each(COMMANDS)("on npm run %s that is killed", (command) => {
  test("refunds an interrupted answer after the restart without any request", async () => {
    const persistTo = await mkdtemp(join(tmpdir(), "belay-test-"));
    const name = crypto.randomUUID();
    let server = await start(command, {}, { persistTo });
    try {
      const exchange = (await User.on(server.url, SECRET, name)).ask({
        tokens: 9,
        fault: "hang",
        at: 3,
      });
      await exchange.until(nthToken(3));
      await server.kill9();
      expect(await exchange.untilEnd()).toMatchObject({ how: "cut" });

      const restartedAt = Date.now();
      server = await start(command, {}, { persistTo });
      // Any request would wake the user's object, which refunds on waking.
      // Here the alarm must do it.
      await sleep(3_000);
      const askedAt = Date.now();
      const [receipt] = await (await User.on(server.url, SECRET, name)).queries();
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

/**
 * Asks, acts, and waits for the outcome. Receipts are read without the proxy.
 */
async function perform(disconnect: Disconnect, url: string, through: string): Promise<Seen> {
  const { by, streaming, script, unfinished } = disconnect;
  const user = await User.on(url, SECRET);
  const tag = crypto.randomUUID();
  const headers: Record<string, string> = unfinished ? { "content-length": "60000" } : {};
  const exchange = user.ask(script, { streaming, tag, through, headers });
  try {
    await disconnect.until(exchange, () => recordOf(tag));
    const leftAt = Date.now();
    act(by, exchange);
    const receipt = await resolved(user, exchange, leftAt);
    if (receipt === undefined) {
      expect(recordOf(tag)).toBeUndefined();
      expect(await user.quota()).toMatchObject({ reserved: 0, charged: 0, refunded: 0 });
      if (exchange.status !== 408) {
        expect(exchange.text).not.toContain('"type":"error"');
        return { outcome: "nothing" };
      }
      const { at } = await exchange.untilEnd();
      expect(exchange.text).toContain('"code":"REQUEST_TIMEOUT"');
      return { outcome: "refused", resolvedMs: at - leftAt };
    }

    const charged = receipt.state === "charged";
    expect(receipt).toMatchObject(
      charged ? { reason: null } : { reason: "disconnected", answer: null },
    );
    expect(await user.quota()).toMatchObject({
      remaining: charged ? LIMIT - 1 : LIMIT,
      reserved: 0,
      charged: charged ? 1 : 0,
      refunded: charged ? 0 : 1,
    });
    if (by === "half-close") {
      expect(await exchange.untilEnd()).toMatchObject({ how: "complete" });
      expect(exchange.text).toContain('"finish":"stop"');
    }
    // After an early disconnect the model may never have been asked.
    const upstream = await vi.waitFor(() => {
      const record = recordOf(tag);
      expect(record?.state).not.toBe("streaming");
      return record;
    });
    const resolvedAt = Date.parse(receipt.resolvedAt ?? "");
    const resolvedMs = resolvedAt - leftAt;
    if (charged) expect(upstream?.state).toBe("completed");
    if (upstream?.state === "completed")
      return { outcome: charged ? "charged" : "refunded", resolvedMs };
    const cutAt = upstream?.endedAt ?? resolvedAt;
    expect(cutAt).toBeLessThan(resolvedAt + STOP_MS);
    return { outcome: "cut", cutMs: cutAt - leftAt, resolvedMs };
  } finally {
    exchange.close();
  }
}

function act(by: Disconnect["by"], exchange: Exchange): void {
  if (by === "close") exchange.close();
  if (by === "reset") exchange.reset();
  if (by === "half-close") exchange.halfClose();
  if (by === "stop reading") exchange.pause();
  // A byte at a time, for ever.
  if (by === "slow body") {
    const trickle = setInterval(() => exchange.send(" "), 20);
    exchange.ended.then(() => clearInterval(trickle));
  }
}

/** The receipt once resolved; undefined if there is none and will be none. */
function resolved(user: User, exchange: Exchange, leftAt: number): Promise<Receipt | undefined> {
  return vi.waitFor(
    async () => {
      const [query] = await user.queries();
      if (query === undefined) {
        const { ending, status } = exchange;
        if (ending?.how === "left" && Date.now() - leftAt > NOTHING_MS) return undefined;
        if (ending !== undefined && ending.how !== "left" && status !== 200) return undefined;
      }
      expect(query?.state).toMatch(/charged|refunded/);
      return query;
    },
    { timeout: RESOLVE_TIMEOUT_MS, interval: 100 },
  );
}

function recordOf(tag: string): ModelRequest | undefined {
  return model.requests.find((request) => request.tag === tag);
}

function statesOf(queries: readonly Receipt[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of queries) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

function note(disconnect: Disconnect, column: string, seen: Seen): void {
  const columns = table.get(disconnect) ?? new Map<string, Seen[]>();
  table.set(disconnect, columns);
  columns.set(column, [...(columns.get(column) ?? []), seen]);
}

/** When both the stop and the refund are done. */
function lastOf({ cutMs = 0, resolvedMs = 0 }: Seen): number {
  return Math.max(cutMs, resolvedMs);
}

function percentile(percent: number, values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil((percent / 100) * sorted.length) - 1] as number;
}

function report(): string {
  const columns = COMMANDS.flatMap((command) =>
    ROUND_TRIPS_MS.map((roundTripMs) => `${command} ${roundTripMs}`),
  );
  const heads = ["left by", "when", "as", ...columns.map((column) => `${column} ms`)];
  const rows = DISCONNECTS.map((disconnect) => [
    disconnect.by,
    disconnect.when,
    disconnect.streaming ? "stream" : "JSON",
    ...columns.map((column) => cell(table.get(disconnect)?.get(column) ?? [])),
  ]);
  const flow = [...flowing].map(([name, all]) => {
    const figures = (of: (seen: Seen) => number) =>
      [50, 99, 100].map((percent) => percentile(percent, all.map(of)));
    return [
      name,
      all.length,
      ...figures(({ cutMs }) => cutMs as number),
      ...figures(({ resolvedMs }) => resolvedMs as number),
    ];
  });
  const flowHeads = ["left", "times", "stopped p50", "p99", "max", "refunded p50", "p99", "max"];
  return `\n${markdown(heads, rows)}\n${markdown(flowHeads, flow)}\n`;
}

/** Each outcome, its share, and the median ms until the model stopped. */
function cell(all: readonly Seen[]): string {
  const outcomes = [...new Set(all.map(({ outcome }) => outcome))].sort().map((outcome) => {
    const same = all.filter((seen) => seen.outcome === outcome);
    const cuts = same.flatMap(({ cutMs }) => cutMs ?? []);
    const count = same.length === all.length ? "" : `${same.length} of ${all.length} `;
    return `${count}${outcome}${cuts.length > 0 ? `, ${percentile(50, cuts)} ms` : ""}`;
  });
  return outcomes.join("; ") || "-";
}

function markdown(
  heads: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  return [heads, heads.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |\n`)
    .join("");
}
