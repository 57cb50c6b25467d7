// While AUTH_SECRET is being replaced: what the previous secret signed is
// accepted, for each kind of token, and the previous secret signs nothing more.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { handle } from "../../src/edge/edge.ts";
import type { ErrorBody, Quota, Receipt } from "../../src/protocol.ts";
import type { Env } from "../../src/wiring.ts";
import { bearer, Stream, scripted } from "../harness.ts";

type Variables = Readonly<Record<string, string>>;
type Headers = Readonly<Record<string, string>>;

const SITE = "https://belay.test";
const PAGE = "https://docs.example";
const OLD = env.AUTH_SECRET;
const NEW = "the new secret, which has at least 32 bytes";
const BEFORE: Variables = { AUTH_SECRET: OLD };
/** The new secret is not set yet. */
const BEGUN: Variables = { AUTH_SECRET: OLD, AUTH_SECRET_PREVIOUS: OLD };
const DURING: Variables = { AUTH_SECRET: NEW, AUTH_SECRET_PREVIOUS: OLD };
const AFTER: Variables = { AUTH_SECRET: NEW };

/** One that no other test uses. */
let address: string;
let addresses = 0;

beforeEach(() => {
  addresses += 1;
  address = `192.0.2.${addresses}`;
});

function send(path: string, headers: Headers, variables: Variables, init: RequestInit = {}) {
  const request = new Request(`${SITE}${path}`, {
    ...init,
    headers: { "cf-connecting-ip": address, "content-type": "application/json", ...headers },
  });
  return handle(request, { ...env, EMBED_ORIGINS: PAGE, ...variables } as unknown as Env);
}

async function status(headers: Headers, variables: Variables): Promise<number> {
  return (await send("/api/v1/ai/quota", headers, variables)).status;
}

async function ask(headers: Headers, variables: Variables): Promise<void> {
  const query = scripted({ tokens: 2 }, `Question ${crypto.randomUUID()}?`);
  const init = { method: "POST", body: JSON.stringify({ query }) };
  const events = await new Stream(
    await send("/api/v1/ai/ask?stream=true", headers, variables, init),
  ).all();
  expect(events.at(-1)).toMatchObject({ type: "done" });
}

async function remaining(headers: Headers, variables: Variables): Promise<number> {
  const response = await send("/api/v1/ai/quota", headers, variables);
  return (await response.json<Quota>()).remaining;
}

async function asked(headers: Headers, variables: Variables): Promise<number> {
  const response = await send("/api/v1/ai/queries", headers, variables);
  return (await response.json<{ queries: Receipt[] }>()).queries.length;
}

async function signed(secret: string): Promise<Headers> {
  const token = await bearer({ sub: "alice" }, new TextEncoder().encode(secret));
  return { authorization: `Bearer ${token}` };
}

/** A reader of our own page. With a cookie, the cookie is renewed. */
async function cookie(variables: Variables, last: Headers = {}): Promise<Headers> {
  const headers = { origin: SITE, "sec-fetch-site": "same-origin" };
  const init = { method: "POST" };
  const response = await send("/api/v1/session", { ...headers, ...last }, variables, init);
  expect(response.status).toBe(204);
  return { ...headers, cookie: response.headers.get("set-cookie")?.split(";")[0] ?? "" };
}

/** A reader of a page of another site. With a token, the token is renewed. */
async function embed(variables: Variables, last: Headers = {}): Promise<Headers> {
  const headers = { origin: PAGE };
  const init = { method: "POST" };
  const response = await send("/api/v1/session", { ...headers, ...last }, variables, init);
  expect(response.status).toBe(200);
  const { token } = await response.json<{ token: string }>();
  return { ...headers, authorization: `Bearer ${token}` };
}

describe("a bearer token of the previous secret", () => {
  it("is accepted during a rotation, and refused after it", async () => {
    const old = await signed(OLD);
    expect(await status(old, BEFORE)).toBe(200);
    expect(await status(old, BEGUN)).toBe(200);
    for (let time = 0; time < 2; time += 1) expect(await status(old, DURING)).toBe(200);
    expect(await status(old, AFTER)).toBe(401);
  });

  it("is refused during a rotation when it has expired", async () => {
    const key = new TextEncoder().encode(OLD);
    const token = await bearer({ sub: "alice", exp: "-1h" }, key);
    const response = await send("/api/v1/ai/quota", { authorization: `Bearer ${token}` }, DURING);
    expect(response.status).toBe(401);
    expect((await response.json<ErrorBody>()).message).toMatch(/expired/);
  });

  it("is one of three: the new secret's is accepted too, and a stranger's refused", async () => {
    expect(await status(await signed(NEW), DURING)).toBe(200);
    const stranger = await signed("the secret of a stranger, of 32 bytes");
    expect(await status(stranger, DURING)).toBe(401);
  });

  it("proves an operator too", async () => {
    const key = new TextEncoder().encode(OLD);
    const token = await bearer({ sub: "olivia", scope: "operator" }, key);
    const headers = { authorization: `Bearer ${token}` };
    const list = (variables: Variables) => send("/api/v1/admin/documents", headers, variables);
    expect((await list(DURING)).status).toBe(200);
    expect((await list(AFTER)).status).toBe(401);
  });
});

describe.each([
  ["a session's cookie", cookie],
  ["the token of a page that embeds Belay", embed],
] as const)("%s of the previous secret", (_, start) => {
  it("keeps the reader, their questions and their quota during a rotation", async () => {
    const old = await start(BEFORE);
    await ask(old, BEFORE);
    await ask(old, DURING);
    expect(await remaining(old, DURING)).toBe(18);
    expect(await asked(old, DURING)).toBe(2);
  });

  it("is renewed with the new secret alone, and the reader stays", async () => {
    const old = await start(BEFORE);
    await ask(old, BEFORE);
    const renewed = await start(DURING, old);
    expect(await asked(renewed, DURING)).toBe(1);
    const stranger = { ...DURING, AUTH_SECRET: "the secret of a stranger, of 32 bytes" };
    expect(await asked(renewed, { ...DURING, AUTH_SECRET_PREVIOUS: "" })).toBe(0);
    expect(await isKnown(renewed, stranger)).toBe(false);
    expect(await isKnown(renewed, AFTER)).toBe(true);
  });

  it("is worth nothing after the rotation", async () => {
    const old = await start(BEFORE);
    expect(await isKnown(old, DURING)).toBe(true);
    expect(await isKnown(old, AFTER)).toBe(false);
  });

  it("gives no second quota: a new session during a rotation shares that of its address", async () => {
    await ask(await start(BEFORE), BEFORE);
    expect(await remaining(await start(DURING), DURING)).toBe(19);
  });

  it("is not looked at where SESSION_SECRET signs sessions", async () => {
    const old = await start(BEFORE);
    const SESSION_SECRET = "a secret for sessions alone, 32 bytes";
    expect(await isKnown(old, { ...DURING, SESSION_SECRET })).toBe(false);
    const own = await start({ ...BEFORE, SESSION_SECRET });
    expect(await isKnown(own, { ...AFTER, SESSION_SECRET })).toBe(true);
  });
});

/** A cookie that is not known starts another session, a token is refused. */
async function isKnown(headers: Headers, variables: Variables): Promise<boolean> {
  const response = await send("/api/v1/ai/quota", headers, variables);
  return response.status === 200 && !response.headers.has("set-cookie");
}

describe("AUTH_SECRET_PREVIOUS", () => {
  it.each([
    ["has 31 bytes", { AUTH_SECRET: NEW, AUTH_SECRET_PREVIOUS: "x".repeat(31) }, 503],
    ["is the same as AUTH_SECRET", BEGUN, 200],
    ["is set without AUTH_SECRET", withKeys(), 401],
  ])("is named by /healthz if it %s, and requests get %3$s", async (_, variables, expected) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const response = await send("/healthz", {}, variables);
    expect(response.status).toBe(503);
    const { message } = await response.json<ErrorBody>();
    expect(message).toMatch(/^The variable AUTH_SECRET_PREVIOUS /);
    for (const secret of [OLD, NEW, "xxx"]) expect(message).not.toContain(secret);
    expect(await status(await signed(OLD), variables)).toBe(expected);
    log.mockRestore();
  });

  it("is right if it is the old secret", async () => {
    expect((await send("/healthz", {}, DURING)).status).toBe(200);
  });
});

function withKeys(): Variables {
  const AUTH_JWKS_URL = "https://id.example/keys.json";
  return { AUTH_SECRET: "", AUTH_SECRET_PREVIOUS: OLD, AUTH_JWKS_URL };
}
