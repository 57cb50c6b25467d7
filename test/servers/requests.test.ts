// Requests that only a socket can send: fetch
// refuses them, or a server could spend long
// reading them before it authenticates the caller.

import { once } from "node:events";
import { Agent, request as send } from "node:http";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningServer, startServer } from "../support/server.ts";
import { bearer, Exchange, request } from "../support/socket-client.ts";
import { cpuMsOf, workerdBelow } from "../support/workerd-process.ts";

const secret = "a secret that is only for tests, 32 bytes";
/** About as much as workerd accepts for a request's head. */
const LONG = 60_000;
/** CPU time of the server for all. A quadratic parser takes seconds for each. */
const QUICK_MS = 500;
/** On a slow machine, so many times what as many harmless requests of this length take. */
const TIMES_HARMLESS = 60;
/** How often those are measured: the clock goes in steps that are longer than they take. */
const HARMLESS = 20;
const AT_ONCE = 20;

let server: RunningServer;
let workerd: number;

beforeAll(async () => {
  server = await startServer({ command: "serve", vars: { AUTH_SECRET: secret } });
  workerd = await workerdBelow(server.pid);
});

afterAll(() => server.stop());

it("a GET with a body is answered", async () => {
  const token = await bearer(secret, { user: "alice" });
  const reply = await request(`${server.url}/api/v1/ai/quota`, {
    method: "GET",
    token,
    body: { ignored: true },
  });
  expect(reply.status).toBe(200);
});

it("one connection carries one ask after another, streamed or not", async () => {
  const token = await bearer(secret, { user: "alice" });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const reused: boolean[] = [];
  for (const stream of [true, false, true]) {
    const asking = send(`${server.url}/v1/chat/completions`, {
      method: "POST",
      agent,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    });
    const content = `What does Belay do, streamed: ${stream}? (${reused.length})`;
    const messages = [{ role: "user", content }];
    asking.end(JSON.stringify({ model: "belay", stream, messages, max_completion_tokens: 1 }));
    const [response] = await once(asking, "response");
    expect(response.statusCode).toBe(200);
    const answer = await text(response);
    expect(answer).toContain('"finish_reason":"length"');
    expect(answer.endsWith("data: [DONE]\n\n")).toBe(stream);
    reused.push(asking.reusedSocket);
  }
  agent.destroy();
  expect(reused).toEqual([false, true, true]);
});

describe("an invalid Host header", () => {
  it.each([
    ["a b"],
    ["a\tb"],
    ["ü"],
    ["%"],
    ["a%zz"],
    ["a:99999"],
    ["a:b"],
    ["[::1"],
    ["::1"],
    ["a/b"],
    ["a?b"],
    ["a#b"],
    ["user@a"],
    ["<>"],
    ["a\r\nHost: b"],
  ])("is refused with an error of the protocol: %j", async (host) => {
    for (const path of ["/healthz", "/", "/api/v1/ai/quota"]) {
      const reply = await request(server.url + path, { headers: { host } });
      expect(reply).toMatchObject({
        status: 400,
        body: { type: "error", code: "INVALID_REQUEST" },
      });
      expect(reply.body.message).toContain("Host");
    }
    const streamed = await request<string>(`${server.url}/api/v1/ai/ask?stream=true`, {
      method: "POST",
      headers: { host },
    });
    expect(streamed.status).toBe(400);
  });

  it.each(["127.0.0.1:80", "[::1]:8787", "localhost", "LOCALHOST:1"])(
    "is none of these, which are answered: %s",
    async (host) => {
      expect((await request(`${server.url}/healthz`, { headers: { host } })).status).toBe(200);
    },
  );

  it.each(["a", "a.b:1", "A_b-c.", "a%41"])(
    "is none of these, which name other servers: %s",
    async (host) => {
      const reply = await request(`${server.url}/healthz`, { headers: { host } });
      expect(reply).toMatchObject({ status: 403, body: { code: "FORBIDDEN" } });
    },
  );
});

describe("HEAD", () => {
  it.each(["/", "/page.css", "/healthz", "/api/v1/ai/quota", "/api/v1/ai/queries", "/nowhere"])(
    "has the headers of GET and no body: %s",
    async (path) => {
      const token = await bearer(secret, { user: "alice" });
      const [got, headed] = await Promise.all(
        ["GET", "HEAD"].map(async (method) => {
          const headers = { connection: "close" };
          const exchange = new Exchange(server.url + path, { method, token, headers });
          await exchange.ended;
          const [head = "", body = ""] = exchange.raw.toString().split("\r\n\r\n");
          const lines = head.split("\r\n").filter((line) => !/^(date|ratelimit):/i.test(line));
          return { lines, body };
        }),
      );
      expect(headed?.lines).toEqual(got?.lines);
      expect(got?.body).not.toBe("");
      expect(headed?.body).toBe("");
    },
  );
});

describe("a compressed body", () => {
  it("is refused before it is read, even if it is small", async () => {
    const token = await bearer(secret, { user: "alice" });
    const bomb = gzipSync(Buffer.alloc(20_000_000, " ")).toString("latin1");
    const exchange = new Exchange(`${server.url}/api/v1/ai/ask`, {
      method: "POST",
      token,
      headers: {
        "content-type": "application/json",
        "content-encoding": "gzip",
        "content-length": String(bomb.length),
      },
    });
    // None of the body has been sent yet.
    expect(await exchange.untilHeaders()).toBe(415);
    exchange.close();
  });
});

describe("a long request of a stranger", () => {
  const origin = "https://a.example";
  const get = (path: string, headers = {}) => ({ method: "GET", path, headers });
  const quota = (headers: Record<string, string>) => get("/api/v1/ai/quota", headers);
  const encoded = (text: string) => Buffer.from(text).toString("base64url");

  it.each([
    ["a name that is repeated", get(`/healthz?${many("a=b&")}`)],
    ["many names", get(`/healthz?${numbered((n) => `${n}=&`)}`)],
    ["ampersands", get(`/healthz?${many("&")}`)],
    ["percent signs", get(`/healthz?${many("%")}`)],
    ["a name that is repeated, to an object", get(`/api/v1/ai/quota?${many("a=b&")}`)],
    ["slashes", get(`/api/v1/ai/queries/${many("/")}x`)],
    ["slashes around a name", get(`/api/v1/ai/queries/a${many("/")}x/events/`)],
    ["many segments", get(`/${many("a/")}`)],
    ["steps back", get(`/api/v1/${many("a/../")}`)],
    ["a name in percents", get(`/api/v1/admin/users/${many("%41")}`)],
    ["semicolons for a cookie", quota({ cookie: many("; ") })],
    ["blanks in a cookie", quota({ cookie: many(";\t \t") })],
    ["many cookies", quota({ cookie: numbered((n) => `a${n}=b; `) })],
    ["a cookie of dots", quota({ cookie: `belay=${many("a.")}` })],
    ["a cookie of brackets", quota({ cookie: `belay=${encoded(many("[", 0.7))}.x.y` })],
    ["a bearer token without dots", quota({ authorization: `Bearer ${many("a")}` })],
    ["a bearer token of blanks", quota({ authorization: `Bearer ${many(" ")}x` })],
    ["a bearer token of dots", quota({ authorization: `Bearer ${many("a.")}` })],
    [
      "a bearer token with a deep head",
      quota({ authorization: `Bearer ${encoded(many('{"a":', 0.7))}.e30.x` }),
    ],
    [
      "a bearer token with a long list",
      quota({
        authorization: `Bearer ${encoded(`{"alg":"HS256","crit":[${many('"a",', 0.7)}"b"]}`)}.e30.x`,
      }),
    ],
    ["a long origin", get("/healthz", { origin: `https://${many("a.")}` })],
    [
      "names in a preflight",
      {
        method: "OPTIONS",
        path: "/healthz",
        headers: { origin, "access-control-request-headers": many("a,") },
      },
    ],
    [
      "a long origin to a session",
      {
        method: "POST",
        path: "/api/v1/session",
        headers: { origin: `https://${many("xn--a-")}` },
      },
    ],
    ["many headers", get("/healthz", Object.fromEntries(names(5_000).map((n) => [`x-${n}`, "a"])))],
    ["a long host", get("/healthz", { host: many("a.") })],
  ])("is read fast: %s", async (_what, { method, path, headers }) => {
    const token = await bearer(secret, { user: "alice" });
    let statuses: readonly number[] = [];
    const ms = await cpuMs(async () => {
      const hostile = atOnce(path, { method, headers });
      // Another user, who waits while these are read.
      const other = await request(`${server.url}/api/v1/ai/quota`, { token });
      statuses = await hostile;
      expect(other.status).toBe(200);
    });
    await expectQuick(ms);
    expect(statuses.filter((status) => status >= 500)).toEqual([]);
  });

  it("is read fast by an object too", async () => {
    const token = await bearer(secret, { user: "alice", operator: true });
    const paths = ["ai/quota", "ai/queries", "ai/examples", "admin/documents", "admin/users/alice"];
    const ms = await cpuMs(async () => {
      const replies = await Promise.all(
        paths.map((path) => request(`${server.url}/api/v1/${path}?${many("a=b&")}`, { token })),
      );
      expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    });
    await expectQuick(ms);
  });
});

/** CPU time of the server meanwhile. */
async function cpuMs(act: () => Promise<void>): Promise<number> {
  const before = await cpuMsOf(workerd);
  await act();
  return (await cpuMsOf(workerd)) - before;
}

/** The statuses of as many equal requests as are sent together. */
async function atOnce(path: string, options: object): Promise<number[]> {
  const sent = Array.from({ length: AT_ONCE }, () => request<unknown>(server.url + path, options));
  return (await Promise.all(sent)).map(({ status }) => status);
}

/** Holds that so much CPU time is little, also on a slow machine. */
async function expectQuick(ms: number): Promise<void> {
  if (ms < QUICK_MS) return;
  const headers = { "x-harmless": many("a") };
  const harmlessMs = await cpuMs(async () => {
    for (let i = 0; i < HARMLESS; i += 1) await atOnce("/healthz", { headers });
  });
  expect(ms).toBeLessThan((harmlessMs / HARMLESS) * TIMES_HARMLESS);
}

/** The text repeated up to the length. */
function many(text: string, part = 1): string {
  return text.repeat((part * LONG) / text.length);
}

function names(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

function numbered(text: (n: number) => string): string {
  return names(8_000).map(text).join("").slice(0, LONG);
}
