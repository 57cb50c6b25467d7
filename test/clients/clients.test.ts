// Real clients, each observed for some seconds after one click. Each reads the
// answer whole, and its own retries cost the user one answer at most.
// same-ask.test.ts tests how the server recognises a repeat.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { API_PREFIX, type Quota, type Receipt, type StreamEvent } from "../../src/protocol.ts";
import { scripted } from "../support/directive.ts";
import { type ScriptedServer, SECRET, startScriptedServer } from "../support/server.ts";
import { bearer, request } from "../support/socket-client.ts";
import { startTamperingProxy } from "../support/tampering-proxy.ts";
import { CLIENTS } from "./clients.ts";

const LEFT_ALONE_MS = 8_000;
const LIMIT = 20;
/** Each of these ends a line, event or character for some reader. */
const TOKENS = ["One ", "\u5f35 ", "\u{1f600} ", "\u2028 ", "\u0085 ", "\r\n\r\ndata: {} ", "[1]."];

/** Most asks of each: stream whole, refused, broken. */
const POSTS_MAX: Readonly<Record<keyof typeof CLIENTS, readonly [number, number, number]>> = {
  "the loop of docs/protocol.md": [1, 1, 1],
  "eventsource-parser": [1, 1, 1],
  "ky with parse-sse": [1, 1, 1],
  openai: [1, 1, 1],
  "sse.js": [1, 1, 1],
  "@microsoft/fetch-event-source": [1, 1, 9],
  eventsource: [4, 1, 4],
  "eventsource-client": [5, 5, 5],
  // Asks again at once after any response. Backs off only after a refusal. A whole
  // answer is held for a while; broken ones come as fast as the machine is.
  "event-source-plus": [20, 20, Number.POSITIVE_INFINITY],
};

let server: ScriptedServer;
let operatorToken: string;

beforeAll(async () => {
  // Browser globals that fetch-event-source uses.
  vi.stubGlobal("window", { fetch, setTimeout, clearTimeout });
  vi.stubGlobal("document", { addEventListener() {}, removeEventListener() {} });
  server = await startScriptedServer({ vars: { QUOTA_LIMIT: String(LIMIT) } });
  operatorToken = await bearer(SECRET, { user: "olivia", operator: true });
});
afterAll(() => server.stop());

describe.concurrent.each(Object.keys(POSTS_MAX) as (keyof typeof CLIENTS)[])("%s", (name) => {
  const [whole, refused, broken] = POSTS_MAX[name];

  test("reads an answer whole, and is charged once", async () => {
    const { events, posts, queries, quota } = await click(name);
    // A repeated ask gets the same answer.
    const first = events.slice(0, events.findIndex(({ type }) => type === "done") + 1);
    const shown = first.filter(({ type }) => type !== "ping");
    const types = ["start", "sources", ...TOKENS.map(() => "token"), "done"];
    expect(shown.map(({ type }) => type)).toEqual(types);
    expect(shown.flatMap((event) => (event.type === "token" ? event.token : []))).toEqual(TOKENS);
    expect(queries.map(({ state }) => state)).toEqual(["charged"]);
    expect(quota).toMatchObject({ charged: 1, reserved: 0, remaining: LIMIT - 1 });
    expect(posts).toBeLessThanOrEqual(whole);
  });

  test("starts nothing once the quota is used up", async () => {
    const { events, posts, queries } = await click(name, { limit: 0 });
    const codes = new Set(events.map((event) => event.type === "error" && event.code));
    expect([[], ["QUOTA_EXCEEDED"]]).toContainEqual([...codes]);
    expect(queries).toEqual([]);
    expect(posts).toBeLessThanOrEqual(refused);
  });

  test("is charged at most once if every stream breaks", async () => {
    const { posts, quota } = await click(name, { cuts: true });
    expect(quota.charged).toBeLessThanOrEqual(1);
    expect(quota).toMatchObject({ reserved: 0, remaining: LIMIT - quota.charged });
    expect(quota.refunded).toBeLessThanOrEqual(LIMIT);
    expect(posts).toBeLessThanOrEqual(broken);
  });
});

/** One user's click, and its results after some seconds. */
async function click(name: keyof typeof CLIENTS, { limit = LIMIT, cuts = false } = {}) {
  const user = crypto.randomUUID();
  const token = await bearer(SECRET, { user });
  const get = <Body>(path: string) => request<Body>(server.url + API_PREFIX + path, { token });
  if (limit !== LIMIT) {
    const override = { token: operatorToken, method: "PATCH", body: { limit } };
    await request(`${server.url}${API_PREFIX}/admin/users/${user}`, override);
  }
  const proxy = await startTamperingProxy(server.url, cuts ? { cutsBehind: '"type":"token"' } : {});
  const events: StreamEvent[] = [];
  const stop = CLIENTS[name]({
    origin: proxy.url,
    token,
    query: scripted({ tokens: TOKENS, gapMs: 40 }),
    onEvent: (event) => events.push(event as StreamEvent),
  });
  await sleep(LEFT_ALONE_MS);
  stop();
  await proxy.close();
  const quota = await vi.waitFor(
    async () => {
      const { body } = await get<Quota>("/ai/quota");
      expect(body.reserved).toBe(0);
      return body;
    },
    { timeout: 5_000, interval: 100 },
  );
  const { body } = await get<{ queries: Receipt[] }>("/ai/queries?limit=100");
  return { events, posts: proxy.posts, quota, queries: body.queries };
}
