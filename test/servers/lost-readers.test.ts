// Clients that vanish in a silence, over real sockets and with the pings
// of production. A close shows only on a write,
// yet they must not keep their user from asking.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { API_PREFIX, type Receipt } from "../../src/protocol.ts";
import { scripted } from "../support/directive.ts";
import { type RunningServer, SECRET, startScriptedServer } from "../support/server.ts";
import { ask, bearer, Exchange, request } from "../support/socket-client.ts";

/** The limit of concurrent answers. */
const LIMIT = 3;
const RESUME_WAIT_S = 4;
/** Two tokens, then silence for ever. */
const SILENT = { tokens: 5, fault: "hang", at: 2 } as const;
/** Less than the second by which a wait that is rounded down would be too short. */
const LATE_MS = 500;
const TRIES = 3;
/** Far less than the 10 s between two pings. */
const SOON_MS = 3_000;

describe.each(["serve", "start"] as const)("on npm run %s", (command) => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startScriptedServer({
      command,
      inMemory: true,
      vars: {
        PING_INTERVAL_MS: "10000",
        DELIVERY_HOLD_MS: "250",
        RESUME_WAIT_SECONDS: String(RESUME_WAIT_S),
      },
    });
  });
  afterAll(() => server.stop());

  /** As many silent answers as may run. */
  async function fill(token: string, onDisconnect = "cancel"): Promise<Exchange[]> {
    const streams: Exchange[] = [];
    for (let n = 0; n < LIMIT; n += 1) {
      const query = scripted({ ...SILENT, tag: crypto.randomUUID() });
      const stream = ask(server.url, { token, body: { query, onDisconnect } });
      streams.push(stream);
      await stream.until((event) => event.type === "token" && event.token === "w1 ");
    }
    return streams;
  }

  const newToken = () => bearer(SECRET, { user: crypto.randomUUID() });
  const receipt = async (token: string, stream: Exchange) => {
    const url = `${server.url}${API_PREFIX}/ai/queries/${stream.headers["x-query-id"]}`;
    return (await request<Receipt>(url, { token })).body;
  };

  test.each(["close", "reset"] as const)(
    "three clients lost by a %s give way to the next ask",
    async (by) => {
      const token = await newToken();
      const lost = await fill(token);
      for (const stream of lost) stream[by]();
      await sleep(50);
      const askedAt = Date.now();
      const next = ask(server.url, { token, body: { query: scripted({ tokens: 2 }) } });
      expect(await next.untilHeaders()).toBe(200);
      expect(Date.now() - askedAt).toBeLessThan(SOON_MS);
      await next.untilEnd();
      expect(next.events.at(-1)?.type).toBe("done");
      for (const stream of lost) {
        expect(await receipt(token, stream)).toMatchObject({ reason: "disconnected" });
      }
    },
  );

  test("one lost client of three gives way, and the others read on", async () => {
    const token = await newToken();
    const [lost, ...staying] = await fill(token);
    lost?.close();
    await sleep(50);
    const next = ask(server.url, {
      token,
      body: { query: scripted({ tokens: 2 }) },
      streaming: false,
    });
    expect(await next.untilHeaders()).toBe(200);
    for (const stream of staying) {
      expect(stream.ending).toBeUndefined();
      expect(await receipt(token, stream)).toMatchObject({ state: "reserved" });
      stream.close();
    }
  });

  test("three connected clients keep their places and are probed at most once a second", async () => {
    const token = await newToken();
    const staying = await fill(token);
    const statuses: number[] = [];
    const end = Date.now() + 2_500;
    while (Date.now() < end) {
      const refused = ask(server.url, { token, body: { query: "One more?" } });
      statuses.push(await refused.untilHeaders());
      expect(refused.headers["retry-after"]).toBe("1");
      refused.close();
    }
    expect(new Set(statuses)).toEqual(new Set([429]));
    for (const stream of staying) {
      const pings = stream.events.filter(({ type }) => type === "ping");
      expect(pings.length).toBeGreaterThan(0);
      expect(pings.length).toBeLessThanOrEqual(2 * 3);
      stream.close();
    }
  });

  /** Milliseconds from when three waiting answers say that they give way to when they do. */
  async function lateness(): Promise<number> {
    const token = await newToken();
    const lost = await fill(token, "wait");
    for (const stream of lost) stream.close();
    await sleep(50);
    const refused = ask(server.url, { token, body: { query: "One more?" } });
    expect(await refused.untilHeaders()).toBe(429);
    const seconds = Number(refused.headers["retry-after"]);
    expect(seconds).toBeGreaterThan(1);
    expect(seconds).toBeLessThanOrEqual(RESUME_WAIT_S);
    refused.close();
    const due = Date.now() + 1_000 * seconds;
    await sleep(1_000 * seconds);
    return vi.waitFor(
      async () => {
        const next = ask(server.url, { token, body: { query: scripted({ tokens: 2 }) } });
        const status = await next.untilHeaders().finally(() => next.close());
        expect(status).toBe(200);
        return Date.now() - due;
      },
      { interval: 50 },
    );
  }

  test("three answers that wait for their client say how long they wait", async () => {
    // Other work on the machine only makes it look later.
    let ms = Number.POSITIVE_INFINITY;
    for (let i = 0; i < TRIES && ms >= LATE_MS; i += 1) ms = await lateness();
    expect(ms).toBeLessThan(LATE_MS);
  });

  test("eight lost clients of one answer give way to the one that reconnects", async () => {
    const token = await newToken();
    const [first, ...others] = await fill(token, "wait");
    for (const stream of others) stream.close();
    const id = first?.headers["x-query-id"];
    const url = `${server.url}${API_PREFIX}/ai/queries/${id}/events`;
    const lost = [first as Exchange];
    while (lost.length < 8) {
      const stream = new Exchange(url, { token });
      expect(await stream.untilHeaders()).toBe(200);
      lost.push(stream);
    }
    for (const stream of lost) stream.close();
    await sleep(50);
    const back = new Exchange(url, { token });
    expect(await back.untilHeaders()).toBe(200);
    expect((await back.until("token")).event).toMatchObject({ type: "token" });
    back.close();
  });
});
