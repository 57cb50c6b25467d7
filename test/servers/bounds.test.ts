// Everything is bounded, over real sockets against the real server:
// clients that never read, models that never end, huge tokens and bodies,
// users who never stop asking. Each ends in a cut answer or a clear refusal.
// Meanwhile others are answered, and memory stays small.

import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { API_PREFIX, type ErrorCode } from "../../src/protocol.ts";
import { type Directive, HUGE, type ModelRequest, piece } from "../support/directive.ts";
import { type ScriptedServer, SECRET, startScriptedServer } from "../support/server.ts";
import { type Exchange, request } from "../support/socket-client.ts";
import { User } from "../support/user.ts";
import { workerdBelow } from "../support/workerd-process.ts";

const LIMIT = 20;
const CONCURRENCY_LIMIT = 3;
const ASKS = 1_000;
const WRITE_TIMEOUT_MS = 2_000;
const FIRST_TOKEN_TIMEOUT_MS = 4_000;
/**
 * A busy machine must be able to make HUGE ten times.
 * An answer cut by time would be short enough to be sent.
 */
const GENERATION_TIMEOUT_MS = 10_000;
const ANSWER_BYTES_MAX = 1_000_000;
/** Of workerd, which uses about 150 MB when idle. */
const MEMORY_MB_MAX = 600;
/** From ask to end, for a bystander's answer of a few tokens. Fewer than one of 20 take longer. */
const BYSTANDER_MS_MAX = 5_000;
const BYSTANDER_SHARE = 0.95;
/** They do not wait for each other: as many meet a slow moment as it is long. */
const BYSTANDER_EVERY_MS = 200;

let server: ScriptedServer;
const bystanders: { readonly ms: number; readonly end: string | undefined }[] = [];
const memoryMb: number[] = [];
let over = false;
let watching: Promise<unknown>;

beforeAll(async () => {
  server = await startScriptedServer({
    inMemory: true,
    vars: {
      QUOTA_LIMIT: String(LIMIT),
      CONCURRENCY_LIMIT: String(CONCURRENCY_LIMIT),
      REPEAT_WINDOW_SECONDS: "0",
      DELIVERY_HOLD_MS: "20",
      WRITE_TIMEOUT_MS: String(WRITE_TIMEOUT_MS),
      FIRST_TOKEN_TIMEOUT_MS: String(FIRST_TOKEN_TIMEOUT_MS),
      GENERATION_TIMEOUT_MS: String(GENERATION_TIMEOUT_MS),
      ANSWER_BYTES_MAX: String(ANSWER_BYTES_MAX),
    },
  });
  const pid = await workerdBelow(server.pid);
  watching = Promise.all([standBy(), watchMemory(pid)]);
});

afterAll(async () => {
  // In case the last test was filtered out.
  over = true;
  await watching;
  await server.stop();
  const figures = bystandersMs();
  // A passing run does not show console.log.
  process.stdout.write(
    `Meanwhile ${figures.length} other asks were answered, in ${figures[figures.length >> 1]} ms at the ` +
      `median, ${mostTook(figures)} ms at the 95th percentile and ${figures.at(-1)} ms at most. ` +
      `workerd held ${memoryMb[0]} MB before, ` +
      `${Math.max(...memoryMb)} MB at most.\n`,
  );
});

test("ten clients that never read are disconnected when a write is late, and refunded", async () => {
  const users = await Promise.all(Array.from({ length: 10 }, newUser));
  const exchanges = users.map((user) => user.ask(HUGE));
  for (const exchange of exchanges) exchange.pause();
  for (const user of users) {
    expect(await user.resolved(30_000)).toMatchObject({
      state: "refunded",
      reason: "disconnected",
    });
  }
  for (const exchange of exchanges) exchange.close();
});

describe("a model that never ends", () => {
  const endless = { fault: "endless", ignoreMaxTokens: true } as const;

  test.each<{ how: string; script: Directive }>([
    { how: "and hurries", script: { ...endless, tokens: 10 } },
    { how: "and takes its time", script: { ...endless, tokens: 10, gapMs: 20 } },
    { how: "in long tokens", script: { ...endless, tokens: 10, tokenLength: 100_000 } },
    { how: "after a token of 2 MB", script: { ...endless, tokens: 1, tokenLength: 2_000_000 } },
  ])("$how is cut at our limit and charged", async ({ script }) => {
    const user = await newUser();
    const { exchange, upstream } = await whole(user, script);
    expect(exchange.events.at(-1)).toMatchObject({ type: "done", finish: "length" });
    expect(Buffer.byteLength(exchange.answer)).toBeLessThanOrEqual(ANSWER_BYTES_MAX);
    expect(await user.resolved()).toMatchObject({ state: "charged", finish: "length" });
    expect(upstream.state).toBe("aborted");
  });

  // Alone: beside others, its time may be over first.
  test("in one event ends in GENERATION_FAILED and is not charged", async () => {
    // A long one that ends would fit into the buffers of the connection.
    const beginning = piece("|").split("|")[0] as string;
    await failsWith("GENERATION_FAILED", {
      frames: [beginning, { text: "word ", times: 1e9 }],
    });
  });

  // All at once: each lasts until its time is over.
  test.concurrent.each<{ how: string; script: Directive }>([
    { how: "thinking aloud", script: { reasoning: Number.MAX_SAFE_INTEGER } },
    { how: "in white space", script: { frames: [{ text: piece(" \n"), times: 1e9 }] } },
    { how: "in comments", script: { frames: [{ text: ": alive\n\n", times: 1e9 }] } },
    { how: "in a line without an end", script: { frames: [{ text: "<p>", times: 1e9 }] } },
  ])("$how ends in GENERATION_TIMEOUT and is not charged", ({ script }) =>
    failsWith("GENERATION_TIMEOUT", script),
  );

  async function failsWith(code: ErrorCode, script: Directive): Promise<void> {
    const user = await newUser();
    const { exchange, upstream } = await whole(user, script);
    expect(exchange.events.at(-1)).toMatchObject({ type: "error", code });
    expect(await user.resolved()).toMatchObject({ state: "refunded", reason: "failed" });
    expect(upstream.state).toBe("aborted");
  }
});

test("a thousand asks of one user, fifty at a time, are answered up to the quota and then refused", async () => {
  const user = await newUser();
  const tag = crypto.randomUUID();
  const ends: string[] = [];
  let asked = 0;
  let usedUp = false;
  const askOn = async () => {
    // Refusals are fast: a thousand asks may end before
    // three at a time have used up the quota.
    while (asked < ASKS || !usedUp) {
      asked += 1;
      const exchange = user.ask({ tokens: 3, gapMs: 30 }, { tag });
      await exchange.untilEnd();
      const end = endOf(exchange);
      if (end === undefined) throw new Error(`An ask was cut off:\n${exchange.raw}`);
      ends.push(end);
      usedUp ||= end === "QUOTA_EXCEEDED";
    }
  };
  await Promise.all(Array.from({ length: 50 }, askOn));
  const count = (wanted: string) => ends.filter((end) => end === wanted).length;
  expect(count("done")).toBe(LIMIT);
  expect(count("TOO_MANY_STREAMS") + count("QUOTA_EXCEEDED")).toBe(asked - LIMIT);
  await vi.waitFor(async () =>
    expect(await user.quota()).toMatchObject({ charged: LIMIT, reserved: 0, refunded: 0 }),
  );
  // A refused ask calls no model, and runs stay within the limit.
  const upstream = server.model.requests.filter((request) => request.tag === tag);
  expect(upstream).toHaveLength(LIMIT);
  expect(count("TOO_MANY_STREAMS")).toBeGreaterThan(0);
  expect(mostAtOnce(upstream)).toBeLessThanOrEqual(CONCURRENCY_LIMIT);
});

test("a body that is too long is refused and reserves nothing", async () => {
  const user = await newUser();
  const { token } = user;
  for (const length of [65_537, 3_000_000]) {
    const { status, body } = await request(`${server.url}${API_PREFIX}/ai/ask`, {
      method: "POST",
      token,
      body: { query: "x".repeat(length) },
    });
    expect({ status, code: body.code }).toEqual({ status: 413, code: "PAYLOAD_TOO_LARGE" });
  }
  expect(await user.quota()).toMatchObject({ charged: 0, reserved: 0, refunded: 0 });
});

test("a body that never ends is refused while it is sent and reserves nothing", async () => {
  const user = await newUser();
  const exchange = user.ask({}, { headers: { "transfer-encoding": "chunked" } });
  for (let sent = 0; sent < 1_000 && exchange.ending === undefined; sent += 1) {
    exchange.sendChunk(" ".repeat(16_384));
    await sleep(1);
  }
  await exchange.untilEnd();
  expect({ status: exchange.status, code: endOf(exchange) }).toEqual({
    status: 413,
    code: "PAYLOAD_TOO_LARGE",
  });
  expect(await user.quota()).toMatchObject({ charged: 0, reserved: 0, refunded: 0 });
  exchange.close();
});

test("other users are answered meanwhile, and the server's memory stays small", async () => {
  over = true;
  await watching;
  expect(bystanders.filter(({ end }) => end !== "done")).toEqual([]);
  expect(mostTook(bystandersMs())).toBeLessThan(BYSTANDER_MS_MAX);
  expect(Math.max(...memoryMb)).toBeLessThan(MEMORY_MB_MAX);
});

function newUser(): Promise<User> {
  return User.on(server.url, SECRET);
}

/** An answer to its end, and the model's record of it. */
async function whole(
  user: User,
  script: Directive,
): Promise<{ exchange: Exchange; upstream: ModelRequest }> {
  const tag = crypto.randomUUID();
  const exchange = user.ask(script, { tag });
  await exchange.untilEnd(20_000);
  const upstream = await vi.waitFor(() => {
    const record = server.model.requests.find((candidate) => candidate.tag === tag);
    expect(record?.state).not.toBe("streaming");
    return record as ModelRequest;
  });
  return { exchange, upstream };
}

/** `done`, or the error's code. */
function endOf({ events }: Exchange): string | undefined {
  const last = events.at(-1);
  return last?.type === "error" ? last.code : last?.type;
}

/** How many requests ran at the same time. */
function mostAtOnce(requests: readonly ModelRequest[]): number {
  const underWay = ({ startedAt: at }: ModelRequest) =>
    requests.filter(({ startedAt, endedAt }) => startedAt <= at && at < (endedAt ?? Infinity));
  return Math.max(...requests.map((request) => underWay(request).length));
}

/** Other users ask all the time, at a steady pace. */
async function standBy(): Promise<void> {
  const asking: Promise<void>[] = [];
  while (!over) {
    asking.push(askAsBystander(await newUser()));
    await sleep(BYSTANDER_EVERY_MS);
  }
  await Promise.all(asking);
}

async function askAsBystander(user: User): Promise<void> {
  const exchange = user.ask({ tokens: 5 });
  // One without an end is among those that are not done.
  await exchange.untilEnd(30_000).catch(() => exchange.close());
  const at = exchange.ending?.at ?? Date.now();
  bystanders.push({ ms: at - exchange.startedAt, end: endOf(exchange) });
}

/** How long they took, the fastest first. */
function bystandersMs(): number[] {
  return bystanders.map(({ ms }) => ms).toSorted((a, b) => a - b);
}

/** What all but the slowest took at most. */
function mostTook(figures: readonly number[]): number {
  return figures[Math.floor(BYSTANDER_SHARE * figures.length)] ?? Number.POSITIVE_INFINITY;
}

async function watchMemory(pid: number): Promise<void> {
  while (!over) {
    const { stdout } = await promisify(execFile)("ps", ["-o", "rss=", "-p", `${pid}`]);
    memoryMb.push(Math.round(Number(stdout) / 1024));
    await sleep(100);
  }
}
