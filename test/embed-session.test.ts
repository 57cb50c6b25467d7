// Pages of other sites that embed Belay: which of them get a token, and where,
// when and for what the token can be used.

import { env } from "cloudflare:workers";
import { base64url, decodeJwt, decodeProtectedHeader, SignJWT } from "jose";
import { afterEach, describe, expect, it, vi } from "vitest";
import { handle } from "../src/edge/edge.ts";
import { mac } from "../src/edge/mac.ts";
import type { ErrorBody, Quota, Receipt } from "../src/protocol.ts";
import type { Env } from "../src/wiring.ts";
import { bearer, Stream, scripted } from "./harness.ts";

const SITE = "https://belay.test";
const DOCS = "https://docs.example";
const BLOG = "https://blog.example";
const HOUR_MS = 3_600_000;

type Variables = Record<string, string>;
const LISTED: Variables = { EMBED_ORIGINS: `${DOCS}, ${BLOG}` };

let addresses = 0;

/** An address that no other test uses. */
function newAddress(): string {
  addresses += 1;
  return `198.51.100.${addresses}`;
}

function send(
  path: string,
  init: RequestInit,
  headers: Record<string, string>,
  variables: Variables = LISTED,
): Promise<Response> {
  const request = new Request(`${SITE}${path}`, { ...init, headers });
  return handle(request, { ...env, ...variables } as Env);
}

interface Started {
  readonly token: string;
  readonly expiresAt: string;
}

/** A reader of a page on another site, in a browser at one address. */
class Visitor {
  readonly address: string;
  readonly origin: string;
  token = "";

  constructor(address = newAddress(), origin = DOCS) {
    this.address = address;
    this.origin = origin;
  }

  headers(others: Record<string, string> = {}): Record<string, string> {
    return {
      "cf-connecting-ip": this.address,
      origin: this.origin,
      "sec-fetch-site": "cross-site",
      ...(this.token !== "" && { authorization: `Bearer ${this.token}` }),
      ...others,
    };
  }

  async start(): Promise<Started> {
    const response = await this.post("/session");
    expect([response.status, response.headers.get("set-cookie")]).toEqual([200, null]);
    const started = await response.json<Started>();
    this.token = started.token;
    return started;
  }

  post(path: string, body?: unknown, others?: Record<string, string>, variables?: Variables) {
    const init = {
      method: "POST",
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    return send(`/api/v1${path}`, init, this.headers(others), variables);
  }

  get(path: string, others?: Record<string, string>, variables?: Variables) {
    return send(`/api/v1${path}`, {}, this.headers(others), variables);
  }

  async ask(): Promise<Stream> {
    const query = scripted({ tokens: 2 }, `Question ${crypto.randomUUID()}?`);
    const stream = new Stream(await this.post("/ai/ask?stream=true", { query }));
    await stream.all();
    return stream;
  }

  async receipts(): Promise<string[]> {
    const { queries } = await (await this.get("/ai/queries")).json<{ queries: Receipt[] }>();
    return queries.map(({ queryId }) => queryId);
  }
}

async function newVisitor(address?: string, origin?: string): Promise<Visitor> {
  const visitor = new Visitor(address, origin);
  await visitor.start();
  return visitor;
}

async function refusal(response: Response): Promise<{ status: number; message: string }> {
  const { message } = await response.json<ErrorBody>();
  return { status: response.status, message };
}

afterEach(() => vi.useRealTimers());

describe("a page of an origin in EMBED_ORIGINS", () => {
  it("gets a token for an hour, which no cache keeps", async () => {
    const visitor = new Visitor();
    const before = Date.now();
    const response = await visitor.post("/session");
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("access-control-allow-origin")).toBe(DOCS);
    const { token, expiresAt, ...rest } = await response.json<Started>();
    expect(rest).toEqual({});
    const lasts = Date.parse(expiresAt) - before;
    expect(lasts).toBeGreaterThan(HOUR_MS - 2_000);
    expect(lasts).toBeLessThanOrEqual(HOUR_MS + 1_000);
    expect(decodeJwt(token).exp).toBe(Date.parse(expiresAt) / 1000);
  });

  it("asks, and reads its quota, receipts, events and examples", async () => {
    const visitor = await newVisitor();
    const stream = await visitor.ask();
    expect((await stream.all()).at(-1)).toMatchObject({ type: "done" });
    expect(await (await visitor.get("/ai/quota")).json<Quota>()).toMatchObject({ charged: 1 });
    expect(await visitor.receipts()).toEqual([stream.queryId]);
    const path = `/ai/queries/${stream.queryId}`;
    expect((await visitor.get(`${path}/events`)).status).toBe(200);
    expect((await visitor.get("/ai/examples")).status).toBe(200);
    const rated = await visitor.post("/ai/feedback", { queryId: stream.queryId, rating: "up" });
    expect(rated.status).toBe(200);
    expect(rated.headers.get("access-control-allow-origin")).toBe(DOCS);
  });

  it("may send a token and a key, and read our headers", async () => {
    const visitor = new Visitor();
    const names = "authorization,content-type,idempotency-key";
    const asking = await send(
      "/api/v1/ai/ask",
      { method: "OPTIONS" },
      {
        origin: DOCS,
        "access-control-request-method": "POST",
        "access-control-request-headers": names,
      },
    );
    expect(asking.status).toBe(204);
    expect(asking.headers.get("access-control-allow-origin")).toBe(DOCS);
    const allowed = asking.headers.get("access-control-allow-headers")?.toLowerCase().split(", ");
    expect(allowed).toEqual(expect.arrayContaining(names.split(",")));
    const response = await visitor.get("/page");
    expect(response.headers.get("access-control-expose-headers")).toContain("X-Query-Id");
  });

  it("is charged to its address, whose quota it shares with our own page", async () => {
    const visitor = await newVisitor();
    await visitor.ask();
    const other = await newVisitor(visitor.address, BLOG);
    expect(await (await other.get("/ai/quota")).json()).toMatchObject({ charged: 1 });
    const own = { "cf-connecting-ip": visitor.address, "sec-fetch-site": "same-origin" };
    const started = await send("/api/v1/session", { method: "POST" }, own);
    const cookie = started.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
    const quota = await send("/api/v1/ai/quota", {}, { ...own, cookie });
    expect(await quota.json()).toMatchObject({ charged: 1, remaining: 19 });
    const receipts = await send("/api/v1/ai/queries", {}, { ...own, cookie });
    expect(await receipts.json()).toMatchObject({ queries: [] });
  });

  it("sees only what its own reader asked", async () => {
    const visitor = await newVisitor();
    const { queryId } = await visitor.ask();
    const other = await newVisitor(visitor.address);
    expect(await other.receipts()).toEqual([]);
    expect((await other.get(`/ai/queries/${queryId}`)).status).toBe(404);
  });

  it("needs a token: without one nothing is answered", async () => {
    const visitor = new Visitor();
    expect((await visitor.get("/ai/quota")).status).toBe(401);
    expect((await visitor.post("/ai/ask", { query: "Who pays?" })).status).toBe(401);
  });

  it("gets 429 once its address has started too many sessions in a minute", async () => {
    const address = newAddress();
    const statuses: number[] = [];
    let last = new Response();
    for (let n = 0; n < 40; n += 1) {
      last = await new Visitor(address).post("/session");
      statuses.push(last.status);
    }
    expect(statuses[0]).toBe(200);
    expect(last.headers.get("retry-after")).toBe("60");
    expect(await last.json()).toMatchObject({ code: "TOO_MANY_SESSIONS" });
  });
});

describe("a page's last token", () => {
  it("keeps the reader when it is sent with the next POST /session", async () => {
    const visitor = await newVisitor();
    const { queryId } = await visitor.ask();
    const first = visitor.token;
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 50 * 60_000 });
    await visitor.start();
    expect(visitor.token).not.toBe(first);
    expect(await visitor.receipts()).toEqual([queryId]);
  });

  it("keeps the reader for a day after it expired, and no longer", async () => {
    const visitor = await newVisitor();
    const { queryId } = await visitor.ask();
    const first = visitor.token;
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: now + 24 * HOUR_MS });
    await visitor.start();
    expect(await visitor.receipts()).toEqual([queryId]);
    visitor.token = first;
    vi.setSystemTime(now + 26 * HOUR_MS);
    await visitor.start();
    expect(await visitor.receipts()).toEqual([]);
  });

  it("can be renewed by an address that may start no more sessions", async () => {
    const visitor = await newVisitor();
    for (let n = 0; n < 40; n += 1) await new Visitor(visitor.address).post("/session");
    expect((await new Visitor(visitor.address).post("/session")).status).toBe(429);
    await visitor.start();
  });

  it.each<[string, (visitor: Visitor) => Promise<Visitor>]>([
    [
      "of another origin",
      async ({ address, token }) => Object.assign(new Visitor(address, BLOG), { token }),
    ],
    ["of another address", async ({ token }) => Object.assign(new Visitor(), { token })],
    [
      "that was tampered with",
      async (visitor) => Object.assign(visitor, { token: `${visitor.token.slice(0, -4)}AAAA` }),
    ],
    [
      "that is a user's bearer token",
      async (visitor) => Object.assign(visitor, { token: await bearer({ sub: "someone" }) }),
    ],
  ])("%s begins a new reader", async (_which, changed) => {
    const visitor = await newVisitor();
    const { sub } = decodeJwt(visitor.token);
    const other = await changed(visitor);
    await other.start();
    const claims = decodeJwt(other.token);
    expect(claims.sub).toMatch(/^[\da-f-]{36}$/);
    expect(claims.sub).not.toBe(sub);
    expect(await other.receipts()).toEqual([]);
  });
});

describe("a page's token", () => {
  const use = async (visitor: Visitor, others?: Record<string, string>, variables?: Variables) =>
    refusal(await visitor.get("/ai/quota", others, variables));

  it("is refused to a page of another origin, even a listed one", async () => {
    const visitor = await newVisitor();
    for (const origin of [BLOG, SITE, "https://evil.example", "null", `${DOCS}:8443`]) {
      const { status, message } = await use(visitor, { origin });
      expect([status, message]).toEqual([401, expect.stringContaining("another origin")]);
    }
  });

  it("is refused without an Origin", async () => {
    const visitor = await newVisitor();
    const { origin: _, ...headers } = visitor.headers();
    const response = await send("/api/v1/ai/quota", {}, headers);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toMatch(/^Bearer error=/);
  });

  it("is refused to another address, but not to another of the same /64", async () => {
    const visitor = await newVisitor("2001:db8:0:77:1::1");
    const neighbour = await visitor.get("/ai/quota", { "cf-connecting-ip": "2001:db8:0:77:2::9" });
    expect(neighbour.status).toBe(200);
    for (const address of [newAddress(), "2001:db8:0:78:1::1", ""]) {
      const { status, message } = await use(visitor, { "cf-connecting-ip": address });
      expect([status, message]).toEqual([401, expect.stringContaining("another address")]);
    }
  });

  it("is refused once its origin is no longer listed", async () => {
    const visitor = await newVisitor();
    for (const EMBED_ORIGINS of [BLOG, ""]) {
      const { status, message } = await use(visitor, {}, { EMBED_ORIGINS });
      expect([status, message]).toEqual([401, expect.stringContaining("EMBED_ORIGINS")]);
    }
    expect((await visitor.get("/ai/quota")).status).toBe(200);
  });

  it("is refused once an hour is over", async () => {
    const visitor = await newVisitor();
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: now + HOUR_MS - 5_000 });
    expect((await visitor.get("/ai/quota")).status).toBe(200);
    vi.setSystemTime(now + HOUR_MS + 1_000);
    expect(await use(visitor)).toEqual({
      status: 401,
      message: "The page's token has expired. Get a new one with POST /api/v1/session.",
    });
  });

  it("is refused with another secret, and where every reader needs a bearer token", async () => {
    const visitor = await newVisitor();
    const SESSION_SECRET = "another secret, of at least 32 bytes";
    expect((await use(visitor, {}, { ...LISTED, SESSION_SECRET })).status).toBe(401);
    expect((await use(visitor, {}, { ...LISTED, ANONYMOUS_LIMIT: "0" })).status).toBe(401);
  });

  it.each<[string, (token: string) => string | Promise<string>]>([
    ["a byte of its signature", (token) => `${token.slice(0, -4)}AAAA`],
    ["no signature", (token) => token.replace(/[^.]+$/, "")],
    ["another identity", (token) => withClaims(token, { sub: crypto.randomUUID() })],
    ["another origin", (token) => withClaims(token, { origin: BLOG })],
    ["a later end", (token) => withClaims(token, { exp: 4_000_000_000 })],
    ["the algorithm none", (token) => withHeader(token, { alg: "none" })],
    ["the algorithm none, without a signature", (token) => withHeader(token, { alg: "none" }, "")],
    ["another algorithm", (token) => withHeader(token, { alg: "HS512" })],
    ["no type", (token) => withHeader(token, { typ: undefined })],
  ])("is refused with %s", async (_what, change) => {
    const visitor = await newVisitor();
    visitor.token = await change(visitor.token);
    expect((await use(visitor)).status).toBe(401);
  });

  it.each([
    ["AUTH_SECRET itself", async (secret: Uint8Array) => secret],
    ["the key of cookies", (secret: Uint8Array) => mac(secret, "session cookie")],
  ])("is refused if it is signed with %s", async (_which, key) => {
    const visitor = await newVisitor();
    const claims = decodeJwt(visitor.token);
    const secret = new TextEncoder().encode(env.AUTH_SECRET);
    visitor.token = await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", typ: "belay-embed+jwt" })
      .sign(await key(secret));
    expect((await use(visitor)).status).toBe(401);
  });

  it("cannot be a cookie, and a cookie cannot be a token", async () => {
    const visitor = await newVisitor();
    const own = { "cf-connecting-ip": visitor.address, "sec-fetch-site": "same-origin" };
    const cookie = `__Host-belay=${visitor.token}`;
    expect((await send("/api/v1/ai/quota", {}, { ...own, cookie })).status).toBe(401);
    const started = await send("/api/v1/session", { method: "POST" }, own);
    visitor.token = started.headers.get("set-cookie")?.replace(/^[^=]+=|;.*$/g, "") ?? "";
    expect(visitor.token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect((await use(visitor)).status).toBe(401);
  });

  it("opens neither MCP nor an operators' route", async () => {
    const visitor = await newVisitor();
    for (const [method, path] of [
      ["GET", "/api/v1/admin/documents"],
      ["PUT", "/api/v1/admin/documents/x"],
      ["GET", "/api/v1/admin/users/someone"],
      ["DELETE", "/api/v1/admin/users/someone"],
      ["POST", "/mcp"],
    ] as const) {
      const response = await send(path, { method }, visitor.headers());
      expect([path, response.status]).toEqual([path, 401]);
      expect(await response.text()).toContain("A page's token cannot be used here");
    }
  });

  it("never reaches the identity provider", async () => {
    const fetched = vi.spyOn(globalThis, "fetch").mockRejectedValue(new Error("offline"));
    try {
      const variables = {
        ...LISTED,
        AUTH_SECRET: "",
        AUTH_JWKS_URL: "https://keys-of-pages.test/jwks",
        SESSION_SECRET: "a secret for sessions, of 32 bytes",
      };
      const visitor = new Visitor();
      const response = await visitor.post("/session", undefined, {}, variables);
      visitor.token = (await response.json<Started>()).token;
      expect((await visitor.get("/ai/quota", {}, variables)).status).toBe(200);
      const other = await visitor.get("/ai/quota", { origin: BLOG }, variables);
      const admin = await visitor.get("/admin/documents", {}, variables);
      expect([other.status, admin.status]).toEqual([401, 401]);
      expect(fetched).not.toHaveBeenCalled();
    } finally {
      fetched.mockRestore();
    }
  });
});

describe("POST /session", () => {
  const start = async (headers: Record<string, string>, variables?: Variables) => {
    const all = { "cf-connecting-ip": newAddress(), ...headers };
    return send("/api/v1/session", { method: "POST" }, all, variables);
  };

  it("sets a cookie for our own page, even if its origin is listed", async () => {
    const variables = { EMBED_ORIGINS: SITE };
    const response = await start({ origin: SITE, "sec-fetch-site": "same-origin" }, variables);
    expect(response.status).toBe(204);
    expect(response.headers.get("set-cookie")).toMatch(/^__Host-belay=/);
  });

  it.each([
    ["of another site", "https://evil.example", "add https://evil.example to EMBED_ORIGINS"],
    ["of a similar origin", "https://docs.example.evil", "https://docs.example.evil"],
    ["of another port", `${DOCS}:8443`, `${DOCS}:8443`],
    ["over plain HTTP", "http://docs.example", "add http://docs.example to"],
    ["that was opened as a file", "null", "Serve it over HTTP"],
    ["with a nonsensical origin", "a<script>", "add its origin to EMBED_ORIGINS"],
  ])("is 403 for a page %s, which may read what to do", async (_which, origin, words) => {
    const response = await start({ origin, "sec-fetch-site": "cross-site" });
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("set-cookie")).toBeNull();
    const { status, message } = await refusal(response);
    expect(status).toBe(403);
    expect(message).toContain(words);
    expect(message).not.toContain("script");
  });

  it("is 403 for a program that sends no Origin", async () => {
    const { status, message } = await refusal(await start({}));
    expect([status, message]).toEqual([
      403,
      expect.stringContaining("A bearer token needs no session"),
    ]);
  });

  it("is 404 where every reader needs a bearer token", async () => {
    const response = await start({ origin: DOCS }, { ...LISTED, ANONYMOUS_LIMIT: "0" });
    expect(response.status).toBe(404);
    expect(response.headers.get("access-control-allow-origin")).toBe(DOCS);
  });

  it("names the origin that a misspelt one in EMBED_ORIGINS means", async () => {
    const wrong = { EMBED_ORIGINS: `${BLOG}, ${DOCS}/guide` };
    const { status, message } = await refusal(await start({ origin: DOCS }, wrong));
    expect(status).toBe(503);
    expect(message).toContain(`EMBED_ORIGINS must list exact origins`);
    expect(message).toContain(`write ${DOCS} for number 2`);
    expect((await refusal(await start({}, { EMBED_ORIGINS: "null" }))).message).toContain(
      "EMBED_ORIGINS must not hold null",
    );
  });
});

function withClaims(token: string, changes: Record<string, unknown>): string {
  const [header, , signature] = token.split(".");
  const claims = JSON.stringify({ ...decodeJwt(token), ...changes });
  return `${header}.${base64url.encode(claims)}.${signature}`;
}

function withHeader(
  token: string,
  changes: Record<string, unknown>,
  signature = token.split(".")[2],
): string {
  const [, claims] = token.split(".");
  const header = JSON.stringify({ ...decodeProtectedHeader(token), ...changes });
  return `${base64url.encode(header)}.${claims}.${signature}`;
}
