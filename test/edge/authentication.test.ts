// Bearer tokens signed by an identity provider: which
// are accepted, what happens without the provider's
// keys, and what a wrong configuration reports.
// Tokens signed with a secret: ../edge.test.ts.

import { env } from "cloudflare:workers";
import { exportJWK, exportSPKI, generateKeyPair, type JWTHeaderParameters, SignJWT } from "jose";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { handle } from "../../src/edge/edge.ts";
import type { ErrorBody } from "../../src/protocol.ts";
import type { Env } from "../../src/wiring.ts";
import { bearer } from "../harness.ts";

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

const CLAIMS = { sub: "alice", exp: Math.floor(Date.now() / 1000) + 3_600 };

/** The provider's own, and a stranger's. */
let ours: KeyPair;
let foreign: KeyPair;
let publicJwk: Record<string, unknown>;

/** The provider's response, and how often it was asked. */
let published: () => Promise<Response>;
let fetches: string[];
let log: ReturnType<typeof vi.spyOn>;
/** One for each test: fetched keys are kept by URL. */
let url: string;

beforeAll(async () => {
  [ours, foreign] = await Promise.all([pair("RS256"), pair("RS256")]);
  publicJwk = { ...(await exportJWK(ours.publicKey)), kid: "1", alg: "RS256", use: "sig" };
});

beforeEach(() => {
  url = `https://id.example/${crypto.randomUUID()}/keys.json`;
  fetches = [];
  published = async () => Response.json({ keys: [publicJwk] });
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    fetches.push(String(input));
    return published();
  });
  log = vi.spyOn(console, "error").mockImplementation(() => {});
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("a bearer token of an identity provider", () => {
  it("is accepted if one of the provider's keys signed it", async () => {
    expect((await ask(await sign(ours))).status).toBe(200);
    expect(fetches).toEqual([url]);
  });

  it.each(["RS512", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"])(
    "must be signed with %s if AUTH_ALGORITHM says so",
    async (alg) => {
      const keys = await pair(alg);
      const jwk = await exportJWK(keys.publicKey);
      published = async () => Response.json({ keys: [publicJwk, { ...jwk, kid: "2" }] });
      const variables = { AUTH_ALGORITHM: alg };
      expect((await ask(await sign(keys, { alg, kid: "2" }), variables)).status).toBe(200);
      expect((await ask(await sign(ours), variables)).status).toBe(401);
    },
  );

  it("needs no key id if there is only one key", async () => {
    const token = await sign(ours, { alg: "RS256", kid: undefined as never });
    expect((await ask(token)).status).toBe(200);
  });

  it("makes an operator by its scope", async () => {
    const path = "/api/v1/admin/documents";
    expect((await ask(await sign(ours), {}, path)).status).toBe(403);
    const token = await sign(ours, undefined, { ...CLAIMS, scope: "openid operator" });
    expect((await ask(token, {}, path)).status).toBe(200);
  });

  const aud = { AUTH_AUDIENCE: "belay" };
  const iss = { AUTH_ISSUER: "https://id.example/" };
  it.each<[string, Record<string, unknown>, Record<string, string>]>([
    ["the issuer", { iss: "https://id.example/" }, iss],
    ["the audience", { aud: "belay" }, aud],
    ["the audience among others", { aud: ["other", "belay"] }, aud],
    ["both", { iss: "https://id.example/", aud: ["belay"] }, { ...iss, ...aud }],
    ["any issuer and audience if none is required", { iss: "x", aud: ["y", "z"] }, {}],
  ])("is accepted with %s", async (_name, claims, variables) => {
    const token = await sign(ours, undefined, { ...CLAIMS, ...claims });
    expect((await ask(token, variables)).status).toBe(200);
  });

  it.each<[string, () => Promise<string>, Record<string, string>?]>([
    ["with an unknown key id", () => sign(ours, { alg: "RS256", kid: "9" })],
    ["signed with another key under the same id", () => sign(foreign)],
    ["that has expired", () => sign(ours, undefined, { ...CLAIMS, exp: 1_000_000_000 })],
    ["without exp", () => sign(ours, undefined, { sub: "alice" })],
    ["without sub", () => sign(ours, undefined, { exp: CLAIMS.exp })],
    ["with a list for sub", () => sign(ours, undefined, { ...CLAIMS, sub: ["alice"] as never })],
    ["that is not valid yet", () => sign(ours, undefined, { ...CLAIMS, nbf: CLAIMS.exp })],
    [
      "of another issuer",
      () => sign(ours, undefined, { ...CLAIMS, iss: "https://id.example" }),
      iss,
    ],
    ["of no issuer", () => sign(ours), iss],
    ["for another audience", () => sign(ours, undefined, { ...CLAIMS, aud: "belay2" }), aud],
    ["for other audiences", () => sign(ours, undefined, { ...CLAIMS, aud: ["a", "b"] }), aud],
    ["for no audience", () => sign(ours, undefined, { ...CLAIMS, aud: [] }), aud],
    ["without an audience", () => sign(ours), aud],
    ["that claims no algorithm", async () => unsigned({ alg: "none" })],
    ["that claims no algorithm, in capitals", async () => unsigned({ alg: "NONE", kid: "1" })],
    ["of the deployment's own secret", () => bearer({ sub: "alice" })],
    ["signed with the public key as a secret", () => signWithPublicKey()],
    ["of a critical extension", () => sign(ours, { alg: "RS256", kid: "1", crit: ["x"], x: 1 })],
  ])("%s is refused", async (_name, token, variables) => {
    const response = await ask(await token(), variables);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
    expect(await response.json()).toMatchObject({ type: "error", code: "UNAUTHENTICATED" });
  });

  it.each<[string, Record<string, unknown>]>([
    ["iss", { iss: "https://id.example" }],
    ["aud", { aud: "belay2" }],
    ["nbf", { nbf: CLAIMS.exp }],
    ["exp", { exp: undefined }],
    ["sub", { sub: undefined }],
  ])("with a wrong claim, %s, is told so only if its signature is right", async (claim, claims) => {
    const right = { ...CLAIMS, iss: iss.AUTH_ISSUER, aud: aud.AUTH_AUDIENCE };
    const messageOf = async (keys: KeyPair) => {
      const token = await sign(keys, undefined, { ...right, ...claims } as typeof CLAIMS);
      const response = await ask(token, { ...iss, ...aud });
      return ((await response.json()) as { message: string }).message;
    };
    expect(await messageOf(ours)).toBe(
      `The bearer token's ${claim} is missing or not valid here. Get a new one.`,
    );
    expect(await messageOf(foreign)).toBe("The bearer token is not valid here. Get a new one.");
  });

  it("cannot bring or link a key of its own", async () => {
    const jwk = await exportJWK(foreign.publicKey);
    const elsewhere = "https://evil.example/keys.json";
    for (const header of [
      { alg: "RS256", jwk },
      { alg: "RS256", kid: "9", jwk },
      { alg: "RS256", kid: "1", jku: elsewhere, x5u: elsewhere },
      { alg: "RS256", kid: elsewhere },
      { alg: "RS256", kid: "../../evil" },
    ]) {
      expect((await ask(await sign(foreign, header))).status).toBe(401);
    }
    expect(new Set(fetches)).toEqual(new Set([url]));
  });

  it("of another algorithm is refused without fetching keys", async () => {
    for (const token of [unsigned({ alg: "none" }), await bearer({ sub: "alice" }), "x.y.z"]) {
      expect((await ask(token)).status).toBe(401);
    }
    expect(fetches).toEqual([]);
  });

  it("is not verified by a key for another use", async () => {
    published = async () => Response.json({ keys: [{ ...publicJwk, use: "enc" }] });
    expect((await ask(await sign(ours))).status).toBe(401);
  });
});

describe("the published keys", () => {
  it("are fetched once for many requests", async () => {
    const token = await sign(ours);
    for (let i = 0; i < 5; i += 1) expect((await ask(token)).status).toBe(200);
    const later = await Promise.all(Array.from({ length: 5 }, () => ask(token)));
    expect(later.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(fetches).toEqual([url]);
  });

  it("serve concurrent requests before the first fetch has ended", async () => {
    const token = await sign(ours);
    const first = await Promise.all(Array.from({ length: 5 }, () => ask(token)));
    expect(first.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(fetches).toHaveLength(1);
  });

  it("are fetched again for an unknown key id, but not for every one", async () => {
    const next = { ...(await exportJWK(foreign.publicKey)), kid: "2", alg: "RS256" };
    const token = await sign(foreign, { alg: "RS256", kid: "2" });
    expect((await ask(await sign(ours))).status).toBe(200);
    published = async () => Response.json({ keys: [publicJwk, next] });
    for (let i = 0; i < 5; i += 1) expect((await ask(token)).status).toBe(401);
    expect(fetches).toHaveLength(1);

    vi.useFakeTimers({ now: Date.now() + 31_000, toFake: ["Date"] });
    expect((await ask(token)).status).toBe(200);
    expect(fetches).toHaveLength(2);
  });

  it("expire, so that a withdrawn key is refused", async () => {
    expect((await ask(await sign(ours))).status).toBe(200);
    published = async () => Response.json({ keys: [] });
    vi.useFakeTimers({ now: Date.now() + 11 * 60_000, toFake: ["Date"] });
    expect((await ask(await sign(ours))).status).toBe(401);
  });

  it.each<[string, () => Promise<Response>]>([
    ["cannot be reached", () => Promise.reject(new TypeError("Network connection lost."))],
    ["are answered with 500", async () => new Response("Internal error", { status: 500 })],
    ["are not JSON", async () => new Response("<!doctype html><p>Sign in</p>")],
    ["have no list", async () => Response.json({})],
  ])("that %s are used for a day, but not longer", async (_name, respond) => {
    const start = Date.now();
    const token = await sign(ours, undefined, { ...CLAIMS, exp: CLAIMS.exp + 3 * 86_400 });
    const other = await sign(foreign, { alg: "RS256", kid: "2" }, { ...CLAIMS, exp: 4e9 });
    const at = async (hours: number) => {
      vi.useFakeTimers({ now: start + hours * 3_600_000, toFake: ["Date"] });
      return (await ask(token)).status;
    };
    expect(await at(0)).toBe(200);
    published = respond;
    for (const hour of [0.16, 0.17, 0.2, 1, 12, 23.9]) expect(await at(hour)).toBe(200);
    // This one may have been published in the meantime.
    expect((await ask(other)).status).toBe(503);
    expect(await at(24.1)).toBe(503);
    published = async () => Response.json({ keys: [publicJwk] });
    expect(await at(24.2)).toBe(200);
  });

  it("that cannot be fetched are not fetched again for every request", async () => {
    published = async () => new Response("", { status: 500 });
    const token = await sign(ours);
    for (let i = 0; i < 20; i += 1) expect((await ask(token)).status).toBe(503);
    expect(fetches).toHaveLength(2);
    vi.useFakeTimers({ now: Date.now() + 2_000, toFake: ["Date"] });
    published = async () => Response.json({ keys: [publicJwk] });
    expect((await ask(token)).status).toBe(200);
    expect(fetches).toHaveLength(3);
  });

  it("are used without waiting for a provider that fails", async () => {
    const token = await sign(ours);
    expect((await ask(token)).status).toBe(200);
    const start = Date.now();
    const inMinute = (minutes: number) => {
      vi.useFakeTimers({ now: start + minutes * 60_000, toFake: ["Date"] });
      return ask(token);
    };
    published = async () => new Response("", { status: 500 });
    expect((await inMinute(11)).status).toBe(200);
    const hanging = Promise.withResolvers<Response>();
    published = () => hanging.promise;
    for (const minutes of [11.5, 12, 14]) expect((await inMinute(minutes)).status).toBe(200);
    expect(fetches).toHaveLength(3);
    published = async () => Response.json({ keys: [] });
    hanging.resolve(await published());
    // The key is refused once the provider has withdrawn it.
    await vi.waitFor(async () => expect((await inMinute(15)).status).toBe(401));
  });

  it("that were withdrawn are refused once the provider answers again, however long it failed", async () => {
    const token = await sign(ours, undefined, { ...CLAIMS, exp: 4e9 });
    expect((await ask(token)).status).toBe(200);
    const start = Date.now();
    published = async () => new Response("", { status: 500 });
    vi.useFakeTimers({ now: start + 11 * 60_000, toFake: ["Date"] });
    expect((await ask(token)).status).toBe(200);
    published = async () => Response.json({ keys: [] });
    vi.useFakeTimers({ now: start + 20 * 3_600_000, toFake: ["Date"] });
    expect((await ask(token)).status).toBe(401);
  });

  it("can be replaced by others", async () => {
    const next = { ...(await exportJWK(foreign.publicKey)), kid: "2", alg: "RS256" };
    const [former, latter] = [await sign(ours), await sign(foreign, { alg: "RS256", kid: "2" })];
    expect((await ask(former)).status).toBe(200);
    published = async () => Response.json({ keys: [next] });
    vi.useFakeTimers({ now: Date.now() + 31_000, toFake: ["Date"] });
    expect((await ask(latter)).status).toBe(200);
    expect((await ask(former)).status).toBe(401);
  });

  it.each([
    ["a Content-Length", true],
    ["no Content-Length", false],
  ])("are not read beyond 256 KiB, with %s", async (_how, said) => {
    let read = 0;
    published = async () => {
      const body = new ReadableStream({
        pull(controller) {
          read += 1;
          controller.enqueue(new TextEncoder().encode(" ".repeat(16 * 1024)));
          if (read > 1_000) controller.close();
        },
      });
      return new Response(body, said ? { headers: { "content-length": "16400000" } } : {});
    };
    expect((await ask(await sign(ours))).status).toBe(503);
    expect(read).toBeLessThan(30);
  });

  it.each<[string, () => Promise<Response>]>([
    ["cannot be reached", () => Promise.reject(new TypeError("Network connection lost."))],
    ["are late", () => Promise.reject(new DOMException("Timed out", "TimeoutError"))],
    ["are answered with 500", async () => new Response("Internal error", { status: 500 })],
    ["are answered with 404", async () => Response.json({ keys: [] }, { status: 404 })],
    ["are elsewhere", async () => new Response(null, { status: 302, headers: { location: "/x" } })],
    ["are not JSON", async () => new Response("<!doctype html><p>Sign in</p>")],
    ["are of another shape", async () => Response.json({ key: publicJwk })],
    ["are null", async () => Response.json(null)],
    ["are not keys", async () => Response.json({ keys: ["RS256"] })],
    ["are broken", async () => Response.json({ keys: [{ ...publicJwk, n: "!" }] })],
  ])("that %s cause a 503 until they can be fetched again", async (_name, respond) => {
    const works = published;
    published = respond;
    const refused = await ask(await sign(ours));
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    const { code, message } = await refused.json<ErrorBody>();
    expect(code).toBe("UNAVAILABLE");
    expect(message).not.toContain(url);
    expect(log.mock.calls.flat().join()).toContain("AUTH_JWKS_URL");

    published = works;
    expect((await ask(await sign(ours))).status).toBe(200);
  });

  it("that cannot be fetched end a stream with an error event", async () => {
    published = async () => new Response("", { status: 500 });
    const path = "/api/v1/ai/ask?stream=true";
    const response = await ask(await sign(ours), {}, path, { method: "POST", body: "{}" });
    expect(response.status).toBe(503);
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(await response.text()).toMatch(/^data: \{"type":"error",.*"UNAVAILABLE"\}\n\n$/);
  });
});

describe("a wrongly configured deployment", () => {
  const secret = "short, and a secret";
  const keys = "https://id.example/keys.json";
  it.each<[string, string, Record<string, string | undefined>]>([
    ["no secret and no keys", "AUTH_SECRET", {}],
    ["an empty secret", "AUTH_SECRET", { AUTH_SECRET: "" }],
    ["a short secret", "AUTH_SECRET", { AUTH_SECRET: secret }],
    ["a secret of 31 bytes", "AUTH_SECRET", { AUTH_SECRET: "x".repeat(31) }],
    ["both", "AUTH_JWKS_URL", { AUTH_SECRET: env.AUTH_SECRET, AUTH_JWKS_URL: keys }],
    ["an invalid URL", "AUTH_JWKS_URL", { AUTH_JWKS_URL: "id.example/keys.json" }],
    ["a URL of another scheme", "AUTH_JWKS_URL", { AUTH_JWKS_URL: "ftp://id.example/k.json" }],
    ["a password in the URL", "AUTH_JWKS_URL", { AUTH_JWKS_URL: "https://user:pass@id.example/" }],
    [
      "an algorithm for secrets",
      "AUTH_ALGORITHM",
      { AUTH_JWKS_URL: keys, AUTH_ALGORITHM: "HS256" },
    ],
    ["no algorithm at all", "AUTH_ALGORITHM", { AUTH_JWKS_URL: keys, AUTH_ALGORITHM: "none" }],
    ["two algorithms", "AUTH_ALGORITHM", { AUTH_JWKS_URL: keys, AUTH_ALGORITHM: "RS256,ES256" }],
  ])("with %s refuses every request, and names %s", async (_name, variable, variables) => {
    const configured = { AUTH_JWKS_URL: undefined, ...variables };
    for (const [token, path] of [
      [await bearer({ sub: "alice" }), "/api/v1/ai/quota"],
      [await sign(ours), "/api/v1/admin/documents"],
      [undefined, "/healthz"],
    ] as const) {
      log.mockClear();
      const response = await ask(token, configured, path);
      expect(response.status).toBe(503);
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
      const { code, message } = await response.json<ErrorBody>();
      expect(code).toBe("UNAVAILABLE");
      expect(message).toContain(`The variable ${variable} `);
      const logged = log.mock.calls.flat().join();
      expect(logged).toContain(`The variable ${variable} `);
      for (const value of Object.values(variables)) {
        if (value) expect(message + logged).not.toContain(value);
      }
    }
    expect(fetches).toEqual([]);
  });

  it("accepts a secret of 32 bytes, whatever the number of characters", async () => {
    const AUTH_SECRET = "密".repeat(11);
    const token = await bearer({ sub: "alice" }, new TextEncoder().encode(AUTH_SECRET));
    expect((await ask(token, { AUTH_JWKS_URL: undefined, AUTH_SECRET })).status).toBe(200);
  });
});

function pair(alg: string): Promise<KeyPair> {
  return generateKeyPair(alg, { extractable: true });
}

function sign(
  { privateKey }: KeyPair,
  header: JWTHeaderParameters = { alg: "RS256", kid: "1" },
  claims: Record<string, unknown> = CLAIMS,
): Promise<string> {
  const critical = Object.fromEntries((header.crit ?? []).map((name) => [name, true]));
  return new SignJWT(claims).setProtectedHeader(header).sign(privateKey, { crit: critical });
}

function unsigned(header: Record<string, unknown>): string {
  return `${base64Url(header)}.${base64Url(CLAIMS)}.x`;
}

/** If the token chose the algorithm, a public key could sign. */
async function signWithPublicKey(): Promise<string> {
  const secret = new TextEncoder().encode(await exportSPKI(ours.publicKey));
  return new SignJWT(CLAIMS).setProtectedHeader({ alg: "HS256", kid: "1" }).sign(secret);
}

function base64Url(value: unknown): string {
  return btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
}

function ask(
  token: string | undefined,
  variables: Record<string, string | undefined> = {},
  path = "/api/v1/ai/quota",
  init: RequestInit = {},
): Promise<Response> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const request = new Request(`https://belay.test${path}`, { ...init, headers });
  const configured = { ...env, AUTH_SECRET: undefined, AUTH_JWKS_URL: url, ...variables };
  return handle(request, configured as unknown as Env);
}
