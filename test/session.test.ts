// Readers without a bearer token: the quota they share, what
// they see of each other, and which pages may act for them.

import { abortAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { handle } from "../src/edge/edge.ts";
import type { Quota, Receipt } from "../src/protocol.ts";
import type { Env } from "../src/wiring.ts";
import { bearer, eventually, fetchApi, newUser, Stream, scripted } from "./harness.ts";
import type { Directive } from "./support/directive.ts";

const SITE = "https://belay.test";
const SAME_SITE = { origin: SITE, "sec-fetch-site": "same-origin" };

let addresses = 0;

/** An address that no other test uses. */
function newAddress(): string {
  addresses += 1;
  return `203.0.113.${addresses}`;
}

class Reader {
  readonly address: string;
  cookie = "";

  constructor(address: string) {
    this.address = address;
  }

  async start(): Promise<Response> {
    const response = await this.request("/session", { method: "POST" });
    this.cookie = response.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
    return response;
  }

  request(path: string, init: RequestInit = {}, headers: Record<string, string> = SAME_SITE) {
    const all = new Headers({ "cf-connecting-ip": this.address, cookie: this.cookie, ...headers });
    if (init.body) all.set("content-type", "application/json");
    for (const [name, value] of new Headers(init.headers)) all.set(name, value);
    return fetchApi(`/api/v1${path}`, { ...init, headers: all });
  }

  async get<T>(path: string): Promise<T> {
    return (await this.request(path)).json();
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.request(path, { method: "POST", body: JSON.stringify(body), headers });
  }

  async ask(body: Record<string, unknown> = {}, headers: Record<string, string> = {}) {
    const query = scripted({ tokens: 2 });
    const stream = new Stream(await this.post("/ai/ask?stream=true", { query, ...body }, headers));
    await stream.all();
    return stream;
  }

  async receipts(): Promise<readonly Receipt[]> {
    return (await this.get<{ queries: Receipt[] }>("/ai/queries")).queries;
  }
}

async function newReader(address = newAddress()): Promise<Reader> {
  const reader = new Reader(address);
  expect((await reader.start()).status).toBe(204);
  return reader;
}

describe("a session", () => {
  it("is a cookie for HTTPS that no script and no other site can use", async () => {
    const response = await new Reader(newAddress()).start();
    expect(response.headers.get("set-cookie")).toMatch(
      /^__Host-belay=[\w.-]+; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict; Secure$/,
    );
  });

  it("asks, and sees the quota and the log", async () => {
    const reader = await newReader();
    const { queryId } = await reader.ask();
    expect(await reader.get<Quota>("/ai/quota")).toMatchObject({ limit: 20, charged: 1 });
    expect((await reader.receipts()).map((receipt) => receipt.queryId)).toEqual([queryId]);
  });

  it("has another cookie name over plain HTTP, where browsers refuse the first", async () => {
    const headers = { origin: "http://belay.test", "cf-connecting-ip": newAddress() };
    const request = new Request("http://belay.test/api/v1/session", { method: "POST", headers });
    const response = await handle(request, { ...env } as Env);
    expect(response.headers.get("set-cookie")).toMatch(
      /^belay=[\w.-]+; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict$/,
    );
  });

  it("keeps its identity when it is renewed", async () => {
    const reader = await newReader();
    const { queryId } = await reader.ask();
    const before = reader.cookie;
    await reader.start();
    expect(reader.cookie).not.toBe("");
    expect(before).not.toBe("");
    expect((await reader.receipts()).map((receipt) => receipt.queryId)).toEqual([queryId]);
  });

  it.each([
    ["is not signed by us", "__Host-belay=nonsense"],
    ["is a bearer token", ""],
  ])("is refused if its cookie %s", async (_what, cookie) => {
    const reader = new Reader(newAddress());
    reader.cookie = cookie === "" ? `__Host-belay=${await bearer({ sub: "somebody" })}` : cookie;
    expect((await reader.request("/ai/quota")).status).toBe(401);
  });

  it("is not a cookie with a similar name, which any sibling host may set", async () => {
    const reader = await newReader();
    reader.cookie = `\u2000${reader.cookie}`;
    expect((await reader.request("/ai/quota")).status).toBe(401);
  });

  it("is not accepted as a bearer token", async () => {
    const reader = await newReader();
    const authorization = `Bearer ${reader.cookie.replace("__Host-belay=", "")}`;
    expect((await fetchApi("/api/v1/ai/quota", { headers: { authorization } })).status).toBe(401);
  });

  it("gives way to a bearer token", async () => {
    const user = await newUser({ QUOTA_LIMIT: "7" });
    const reader = await newReader();
    const authorization = `Bearer ${user.token}`;
    const response = await reader.request("/ai/quota", { headers: { authorization } });
    expect(await response.json()).toMatchObject({ limit: 7 });
  });

  it("is refused to an address that has started too many in a minute", async () => {
    const address = newAddress();
    const statuses: number[] = [];
    for (let n = 0; n < 40; n += 1) statuses.push((await new Reader(address).start()).status);
    expect(statuses[0]).toBe(204);
    expect(statuses.at(-1)).toBe(429);
    const refused = await new Reader(address).start();
    expect(refused.headers.get("retry-after")).toBe("60");
    expect(await refused.json()).toMatchObject({ code: "TOO_MANY_SESSIONS" });
  });
});

describe("a first ask without a cookie", () => {
  const plain = { "content-type": "text/plain;charset=UTF-8" };
  const first = (
    reader: Reader,
    headers: Record<string, string>,
    query = scripted({ tokens: 2 }),
  ) =>
    reader.request(
      "/ai/ask?stream=true",
      { method: "POST", body: JSON.stringify({ query }), headers: plain },
      headers,
    );
  const cookieIn = (response: Response) =>
    response.headers.get("set-cookie")?.split(";", 1)[0] ?? "";

  it.each([
    ["Sec-Fetch-Site", SAME_SITE],
    ["the Origin of older browsers", { origin: SITE }],
  ])("starts the session if %s says that a page of this origin sends it", async (_how, headers) => {
    const reader = new Reader(newAddress());
    const response = await first(reader, headers);
    expect(response.status).toBe(200);
    expect(response.headers.get("set-cookie")).toMatch(
      /^__Host-belay=[\w.-]+; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict; Secure$/,
    );
    const stream = new Stream(response);
    expect((await stream.all()).at(-1)).toMatchObject({ type: "done" });
    reader.cookie = cookieIn(response);
    expect((await reader.receipts()).map(({ queryId }) => queryId)).toEqual([stream.queryId]);
    const second = await first(reader, headers, scripted({ tokens: 3 }));
    expect(second.headers.get("set-cookie")).toBeNull();
    await new Stream(second).all();
    expect(await reader.get<Quota>("/ai/quota")).toMatchObject({ charged: 2 });
  });

  it.each(["nonsense", "a.b.c"])("starts it with the invalid cookie %s too", async (value) => {
    const reader = new Reader(newAddress());
    reader.cookie = `__Host-belay=${value}`;
    const response = await first(reader, SAME_SITE);
    expect(response.status).toBe(200);
    expect(cookieIn(response)).toMatch(/^__Host-belay=/);
    await response.body?.cancel();
  });

  it.each([
    ["another site", { "sec-fetch-site": "cross-site", origin: "https://evil.test" }],
    ["a sibling host", { "sec-fetch-site": "same-site", origin: "https://a.belay.test" }],
    ["another site in an older browser", { origin: "https://evil.test" }],
    ["a page that hides its origin", { origin: "null" }],
    ["a typed address", { "sec-fetch-site": "none" }],
    ["a program without these headers", {}],
    ["another port", { origin: `${SITE}:8443` }],
  ])("starts no session for %s", async (_who, headers) => {
    const reader = new Reader(newAddress());
    const response = await first(reader, headers as Record<string, string>);
    expect(await response.text()).toContain("UNAUTHENTICATED");
    expect([response.status, response.headers.get("set-cookie")]).toEqual([401, null]);
  });

  it("sets the cookie with a refusal too, by the object or the edge", async () => {
    const reader = new Reader(newAddress());
    for (const [body, headers, status] of [
      ["{}", plain, 400],
      ["{}", { "content-type": "text/html" }, 415],
      ["{}", { "content-encoding": "gzip" }, 415],
    ] as const) {
      reader.cookie = "";
      const init = { method: "POST", body, headers };
      const response = await reader.request("/ai/ask?stream=true", init);
      expect(response.status).toBe(status);
      expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
      reader.cookie = cookieIn(response);
      expect((await reader.request("/ai/quota")).status).toBe(200);
    }
  });

  it("counts against the sessions of its address in a minute", async () => {
    const address = newAddress();
    const refused: Response[] = [];
    for (let n = 0; n < 30; n += 1) {
      const init = { method: "POST", body: "{}" };
      const response = await new Reader(address).request("/ai/ask", init);
      if (response.status === 429) refused.push(response);
    }
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.headers.get("set-cookie")).toBeNull();
    expect(await refused[0]?.json()).toMatchObject({ code: "TOO_MANY_SESSIONS" });
  });

  it("is the only request that starts one besides POST /session", async () => {
    const reader = new Reader(newAddress());
    for (const [path, method] of [
      ["/ai/quota", "GET"],
      ["/ai/examples", "GET"],
      ["/ai/feedback", "POST"],
      ["/ai/queries/1/cancel", "POST"],
    ] as const) {
      const response = await reader.request(path, { method });
      expect([response.status, response.headers.get("set-cookie")]).toEqual([401, null]);
    }
  });
});

describe("an operators' route", () => {
  it("accepts no cookie", async () => {
    const reader = await newReader();
    const paths = ["/admin/documents", "/admin/users/somebody"];
    const responses = await Promise.all(paths.map((path) => reader.request(path)));
    expect(responses.map(({ status }) => status)).toEqual([401, 401]);
    const put = await reader.request("/admin/documents/x", {
      method: "PUT",
      body: JSON.stringify({ title: "x", text: "x" }),
    });
    expect(put.status).toBe(401);
  });
});

describe("readers of one address", () => {
  it("share one quota, which a new cookie does not renew", async () => {
    const first = await newReader();
    await first.ask();
    const second = await newReader(first.address);
    await second.ask();
    expect(await second.get<Quota>("/ai/quota")).toMatchObject({ charged: 2, remaining: 18 });
    const third = await newReader(first.address);
    expect(await third.get<Quota>("/ai/quota")).toMatchObject({ remaining: 18 });
  });

  it("see, resume, stop and rate only their own questions", async () => {
    const asker = await newReader();
    const { queryId } = await asker.ask();
    const other = await newReader(asker.address);
    expect(await other.receipts()).toEqual([]);
    const responses = await Promise.all([
      other.request(`/ai/queries/${queryId}`),
      other.request(`/ai/queries/${queryId}/events`),
      other.post(`/ai/queries/${queryId}/cancel`, {}),
      other.post("/ai/feedback", { queryId, rating: "down" }),
    ]);
    expect(responses.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect(await asker.get<Receipt>(`/ai/queries/${queryId}`)).toMatchObject({ feedback: null });
  });

  it("do not share an ask by its key or its body", async () => {
    const first = await newReader();
    const second = await newReader(first.address);
    const headers = { "idempotency-key": "the-same" };
    const withKey = [await first.ask({}, headers), await second.ask({}, headers)] as const;
    const without = [await first.ask({ topK: 3 }), await second.ask({ topK: 3 })] as const;
    expect(withKey[0].queryId).not.toBe(withKey[1].queryId);
    expect(without[0].queryId).not.toBe(without[1].queryId);
    expect((await first.ask({}, headers)).queryId).toBe(withKey[0].queryId);
  });

  it("share the first 64 bits of an IPv6 address", async () => {
    const reader = await newReader("2001:db8:0:42:1:2:3:4");
    await reader.ask();
    const neighbour = await newReader("2001:0db8::0042:ffff:0:0:1");
    expect(await neighbour.get<Quota>("/ai/quota")).toMatchObject({ charged: 1 });
    const stranger = await newReader("2001:db8:0:43:1:2:3:4");
    expect(await stranger.get<Quota>("/ai/quota")).toMatchObject({ charged: 0 });
  });

  it("are the same by IPv4 and by IPv4 mapped into IPv6", async () => {
    const reader = await newReader();
    await reader.ask();
    const same = await newReader(`::ffff:${reader.address}`);
    expect(await same.get<Quota>("/ai/quota")).toMatchObject({ charged: 1 });
  });

  it("cannot be impersonated by a bearer token", async () => {
    const token = await bearer({ sub: "anonymous:AAAAAAAAAAAAAAAAAAAAAA" });
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetchApi("/api/v1/ai/quota", { headers })).status).toBe(401);
  });
});

describe("a reader's history", () => {
  it("is found and deleted with the cookie, by that reader alone", async () => {
    const reader = await newReader();
    const other = await newReader(reader.address);
    const { queryId } = await reader.ask({ query: scripted({ tokens: 2 }, "Cockle?") });
    const found = async (by: Reader) =>
      (await by.get<{ queries: Receipt[] }>("/ai/queries?search=cockle")).queries.length;
    const remove = async (by: Reader) =>
      (await by.request(`/ai/queries/${queryId}`, { method: "DELETE" })).status;
    expect([await found(reader), await found(other)]).toEqual([1, 0]);
    expect(await remove(other)).toBe(404);
    expect(await found(reader)).toBe(1);
    await eventually(
      () => remove(reader),
      (status) => status === 204,
    );
    expect(await found(reader)).toBe(0);
    expect(await reader.get<Quota>("/ai/quota")).toMatchObject({ charged: 1 });
  });
});

describe("one reader of an address", () => {
  const LONG = { tokens: 500, gapMs: 20 };
  const SHORT = { tokens: 10, gapMs: 10 };

  async function begin(reader: Reader, directive: Directive): Promise<Stream> {
    const query = scripted(directive, `Question ${crypto.randomUUID()}?`);
    return new Stream(await reader.post("/ai/ask?stream=true", { query }));
  }

  /**
   * Disconnects in the middle of an answer, and returns its outcome. An answer
   * that is not refunded goes on to its end.
   */
  async function leave(reader: Reader, directive: Directive = LONG): Promise<Receipt> {
    const stream = await begin(reader, directive);
    await stream.until("token");
    stream.leave();
    return eventually(
      () => reader.get<Receipt>(`/ai/queries/${stream.queryId}`),
      ({ state }) => state !== "reserved",
    );
  }

  const refundsLeft = async (reader: Reader) => (await reader.get<Quota>("/ai/quota")).refundsLeft;

  it("can use half of the remaining refund allowance, so that others are refunded too", async () => {
    const first = await newReader();
    const reasons: (string | null)[] = [];
    for (let left = 0; left < 10; left += 1) reasons.push((await leave(first)).reason);
    reasons.push((await leave(first, SHORT)).reason);
    expect(reasons).toEqual([...Array(10).fill("disconnected"), null]);
    expect(await refundsLeft(first)).toBe(0);
    const second = await newReader(first.address);
    expect(await refundsLeft(second)).toBe(5);
    expect(await leave(second)).toMatchObject({ state: "refunded", reason: "disconnected" });
    expect(await refundsLeft(second)).toBe(4);
  });

  it("gets no new refund allowance with a new cookie", async () => {
    const { address } = await newReader();
    let refunds = 0;
    const shares: number[] = [];
    for (let readers = 0; readers < 8; readers += 1) {
      const reader = await newReader(address);
      shares.push(await refundsLeft(reader));
      while ((await refundsLeft(reader)) > 0) {
        expect((await leave(reader)).reason).toBe("disconnected");
        refunds += 1;
      }
    }
    expect(shares).toEqual([10, 5, 3, 1, 1, 0, 0, 0]);
    expect(refunds).toBe(20);
    expect((await leave(await newReader(address), SHORT)).state).toBe("charged");
  });

  it("cannot use all answers at once: together readers may have four times as many", async () => {
    const { address } = await newReader();
    const running: Stream[] = [];
    for (let readers = 0; readers < 4; readers += 1) {
      const reader = await newReader(address);
      for (let n = 0; n < 3; n += 1) running.push(await begin(reader, LONG));
      expect((await begin(reader, LONG)).response.status).toBe(429);
    }
    expect(running.map(({ response }) => response.status)).toEqual(Array(12).fill(200));
    const late = await newReader(address);
    const refused = await begin(late, LONG);
    expect(refused.response.status).toBe(429);
    expect((await refused.until("error")).code).toBe("TOO_MANY_STREAMS");
    for (const stream of running) stream.leave();
    await eventually(
      () => late.get<Quota>("/ai/quota"),
      ({ reserved }) => reserved === 0,
    );
    expect((await begin(late, { tokens: 1 })).response.status).toBe(200);
  });

  it("cannot use up the failures of others, who may have four times as many together", async () => {
    const { address } = await newReader();
    const statusOf = async (reader: Reader) => {
      const stream = await begin(reader, { status: 500 });
      await stream.all();
      return stream.response.status;
    };
    for (let readers = 0; readers < 4; readers += 1) {
      const reader = await newReader(address);
      for (let n = 0; n < 5; n += 1) expect(await statusOf(reader)).toBe(200);
      expect(await statusOf(reader)).toBe(503);
      // A new instance reads from storage whose they were.
      if (readers === 1) await abortAllDurableObjects();
      if (readers === 1) expect(await statusOf(reader)).toBe(503);
    }
    const late = await newReader(address);
    expect(await statusOf(late)).toBe(503);
    expect(await late.get<Quota>("/ai/quota")).toMatchObject({ charged: 0, refunded: 20 });
  });

  it("cannot use all connections that read stored answers", async () => {
    const first = await newReader();
    const { queryId } = await first.ask();
    const second = await newReader(first.address);
    const other = await second.ask();
    // They stay open unread. Keep them:
    // a collected response is cancelled.
    const responses: Response[] = [];
    for (let n = 0; n < 33; n += 1) {
      responses.push(await first.request(`/ai/queries/${queryId}/events`));
    }
    expect(responses.map(({ status }) => status)).toEqual([...Array(32).fill(200), 429]);
    const again = await second.request(`/ai/queries/${other.queryId}/events`);
    expect(again.status).toBe(200);
    await again.text();
  });
});

describe("a page of another site", () => {
  const OTHERS: readonly (readonly [string, Record<string, string>])[] = [
    ["on another domain", { "sec-fetch-site": "cross-site", origin: "https://evil.test" }],
    ["on a subdomain", { "sec-fetch-site": "same-site", origin: "https://a.belay.test" }],
    ["in an older browser", { origin: "https://evil.test" }],
    ["with a hidden origin", { origin: "null" }],
    ["without these headers", {}],
  ];

  it.each(OTHERS)("can neither ask nor start a session: %s", async (_who, headers) => {
    const reader = await newReader();
    for (const type of ["application/json", "text/plain", "text/plain;charset=UTF-8"]) {
      const init = {
        method: "POST",
        body: JSON.stringify({ query: "Whose quota is it?" }),
        headers: { "content-type": type },
      };
      for (const path of ["/ai/ask", "/ai/feedback", "/ai/queries/1/cancel"]) {
        const asked = await reader.request(path, init, headers);
        expect([asked.status, await asked.json()]).toMatchObject([403, { code: "FORBIDDEN" }]);
      }
    }
    expect((await reader.request("/session", { method: "POST" }, headers)).status).toBe(403);
    const deleted = await reader.request("/ai/queries/1", { method: "DELETE" }, headers);
    expect(deleted.status).toBe(403);
    expect(await reader.receipts()).toEqual([]);
  });

  it("cannot read with a cookie, even if CORS_ORIGINS lists it", async () => {
    const reader = await newReader();
    const headers = { "sec-fetch-site": "cross-site", origin: "https://app.example" };
    const response = await reader.request("/ai/queries", {}, headers);
    expect(response.status).toBe(403);
    expect(response.headers.get("access-control-allow-origin")).toBe("https://app.example");
    // Without it, browsers neither send cookies nor show the response.
    expect(response.headers.get("access-control-allow-credentials")).toBeNull();
    const asking = await reader.request("/ai/queries", { method: "OPTIONS" }, headers);
    expect(asking.headers.get("access-control-allow-credentials")).toBeNull();
  });
});

describe("a deployment without anonymous readers", () => {
  const closed = (path: string, init: RequestInit, variables: Record<string, string>) =>
    handle(new Request(`${SITE}/api/v1${path}`, init), { ...env, ...variables } as Env);

  it("starts no session, and accepts no cookie", async () => {
    const { cookie, address } = await newReader();
    const headers = { ...SAME_SITE, cookie, "cf-connecting-ip": address };
    const off = { ANONYMOUS_LIMIT: "0" };
    expect((await closed("/session", { method: "POST", headers }, off)).status).toBe(404);
    expect((await closed("/ai/quota", { headers }, off)).status).toBe(401);
  });

  it("is also one without a secret to sign cookies with", async () => {
    const variables = { AUTH_SECRET: "", AUTH_JWKS_URL: "https://id.test/keys" };
    const headers = { ...SAME_SITE, "cf-connecting-ip": newAddress() };
    const start = (secret: string) =>
      closed("/session", { method: "POST", headers }, { ...variables, SESSION_SECRET: secret });
    expect((await start("")).status).toBe(404);
    expect((await start("a secret for cookies, of 32 bytes")).status).toBe(204);
    const short = await start("short");
    expect(short.status).toBe(503);
    expect(await short.json()).toMatchObject({
      message: expect.stringContaining("SESSION_SECRET"),
    });
  });

  it("names AUTH_SECRET if that is too short to sign cookies", async () => {
    const headers = { ...SAME_SITE, "cf-connecting-ip": newAddress() };
    const variables = { AUTH_SECRET: "short", SESSION_SECRET: "" };
    const short = await closed("/session", { method: "POST", headers }, variables);
    expect(short.status).toBe(503);
    const { message } = (await short.json()) as { message: string };
    expect(message).toMatch(/AUTH_SECRET must be at least 32 bytes long/);
    expect(message).not.toContain("SESSION_SECRET");
  });
});

describe("the list of example questions", () => {
  it("is given to callers who may ask", async () => {
    const reader = await newReader();
    expect(await reader.get("/ai/examples")).toEqual({ empty: true, questions: [] });
    expect((await fetchApi("/api/v1/ai/examples")).status).toBe(401);
  });
});
