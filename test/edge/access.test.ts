// Operators by Cloudflare Access: whose tokens are accepted, on which
// routes, from which pages, and what a wrong configuration reports.

import { env } from "cloudflare:workers";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { handle, routes } from "../../src/edge/edge.ts";
import { API_PREFIX, type ErrorBody } from "../../src/protocol.ts";
import type { Env } from "../../src/wiring.ts";
import { bearer } from "../harness.ts";

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

const AUDIENCE = "the tag of the console";
const DOCUMENTS = "/api/v1/admin/documents";
/** What a browser says of a request of Belay's own page. */
const OWN_PAGE = { "sec-fetch-site": "same-origin" };
const NO_ACCESS = { ACCESS_TEAM_URL: undefined, ACCESS_AUDIENCE: undefined };

let ours: KeyPair;
let foreign: KeyPair;
let jwk: Record<string, unknown>;
let fetches: string[];
/** One for each test: fetched keys are kept by URL. */
let team: string;

beforeAll(async () => {
  [ours, foreign] = await Promise.all([pair(), pair()]);
  jwk = { ...(await exportJWK(ours.publicKey)), kid: "1", alg: "RS256", use: "sig" };
});

beforeEach(() => {
  team = `https://${crypto.randomUUID()}.access.example`;
  fetches = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    fetches.push(String(input));
    return Response.json({ keys: [jwk] });
  });
  vi.spyOn(console, "error").mockImplementation(() => {});
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a token of Cloudflare Access", () => {
  it("makes an operator, if the team signed it for this application", async () => {
    expect((await call(await sign())).status).toBe(200);
    expect(fetches).toEqual([`${team}/cdn-cgi/access/certs`]);
  });

  it.each<[string, () => Promise<string>]>([
    ["for another application of the team", () => sign({ aud: ["another tag"] })],
    ["for no application", () => sign({ aud: undefined })],
    ["of another team", () => sign({ iss: "https://other.access.example" })],
    ["of no team", () => sign({ iss: undefined })],
    ["that has expired", () => sign({ exp: 1_000_000_000 })],
    ["without an end", () => sign({ exp: undefined })],
    ["signed with another key", () => sign({}, foreign)],
    ["of the deployment's own secret", () => bearer(claims())],
    ["without a name", () => sign({ email: undefined, sub: "" })],
    ["that is no token", async () => "x.y.z"],
    ["that is empty", async () => ""],
  ])("is refused %s", async (_which, token) => {
    const response = await call(await token());
    expect(await codeOf(response)).toEqual([401, "UNAUTHENTICATED"]);
  });

  it("whose keys cannot be read is 503, and the log names the team's variable", async () => {
    vi.mocked(globalThis.fetch).mockRejectedValue(new TypeError("No route to host."));
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    expect(await codeOf(await call(await sign()))).toEqual([503, "UNAVAILABLE"]);
    expect(error.mock.calls.map(([first]) => first)).toEqual([
      "The keys of ACCESS_TEAM_URL could not be read:",
    ]);
  });

  it("is looked at on the routes of operators alone", async () => {
    const token = await sign();
    const others = routes.filter(([, path]) => path.startsWith(`${API_PREFIX}/ai/`));
    expect(others.length).toBeGreaterThan(5);
    for (const [method, path] of others) {
      const response = await call(token, path.replaceAll(/:\w+/g, "alice"), { method });
      expect([method, path, response.status]).toEqual([method, path, 401]);
    }
  });

  it("counts for nothing beside a bearer token", async () => {
    const authorization = `Bearer ${await bearer({ sub: "alice" })}`;
    const headers = { ...OWN_PAGE, authorization };
    const response = await call(await sign(), DOCUMENTS, { headers });
    expect(await codeOf(response)).toEqual([403, "FORBIDDEN"]);
  });

  it("counts for nothing where the deployment names no team", async () => {
    const response = await call(await sign(), DOCUMENTS, {}, NO_ACCESS);
    expect(await codeOf(response)).toEqual([401, "UNAUTHENTICATED"]);
    expect(fetches).toEqual([]);
  });

  it("leaves bearer tokens as they are", async () => {
    const authorization = `Bearer ${await bearer({ sub: "ops", scope: "operator" })}`;
    const response = await call(undefined, DOCUMENTS, { headers: { authorization } });
    expect(response.status).toBe(200);
    const without = await call(undefined);
    expect(await codeOf(without)).toEqual([401, "UNAUTHENTICATED"]);
  });

  it.each<[string, string, Record<string, string>]>([
    ["GET", "a page of another site", { "sec-fetch-site": "cross-site" }],
    ["GET", "a sibling site", { "sec-fetch-site": "same-site" }],
    ["DELETE", "another origin", { origin: "https://evil.example" }],
    ["DELETE", "an opaque origin", { origin: "null" }],
    ["DELETE", "a program", {}],
  ])("cannot be used to %s by %s", async (method, _who, headers) => {
    const response = await call(await sign(), `${DOCUMENTS}/a`, { method, headers });
    expect(await codeOf(response)).toEqual([403, "FORBIDDEN"]);
  });

  it.each([
    ["the address of the person", {}, "olivia@example.com"],
    ["the name of a service token", { email: undefined, common_name: "ci", sub: "" }, "ci"],
    ["sub, where there is no other name", { email: undefined }, "a-uuid"],
  ])("names the operator in the log by %s", async (_what, changed, operator) => {
    const id = crypto.randomUUID();
    const put = await call(await sign(changed), `${DOCUMENTS}/${id}`, {
      method: "PUT",
      headers: { ...OWN_PAGE, "content-type": "application/json" },
      body: JSON.stringify({ title: "Hours", text: "We open at 9." }),
    });
    expect(put.status).toBe(201);
    const log = await call(await sign(), "/api/v1/admin/log?limit=20");
    const { entries } = await log.json<{ entries: { operator: string; target: string }[] }>();
    expect(entries.find(({ target }) => target === id)).toMatchObject({ operator });
    await call(await sign(), `${DOCUMENTS}/${id}`, { method: "DELETE" });
  });
});

describe("a deployment with a wrong variable of Access", () => {
  it.each<[string, Record<string, string | undefined>]>([
    ["ACCESS_AUDIENCE", { ACCESS_AUDIENCE: undefined }],
    ["ACCESS_TEAM_URL", { ACCESS_TEAM_URL: undefined }],
    ["ACCESS_TEAM_URL", { ACCESS_TEAM_URL: "a-team.access.example" }],
    ["ACCESS_TEAM_URL", { ACCESS_TEAM_URL: "https://user:secret@a-team.access.example" }],
    ["ACCESS_TEAM_URL", { ACCESS_TEAM_URL: "https://a-team.access.example/cdn-cgi/access/certs" }],
  ])("admits no one by it, and names %s: %j", async (variable, variables) => {
    for (const path of [DOCUMENTS, "/healthz"]) {
      const response = await call(await sign(), path, {}, variables);
      expect(response.status).toBe(503);
      const { message } = await response.json<ErrorBody>();
      expect(message).toContain(`The variable ${variable} `);
      expect(message).not.toContain("secret@");
    }
    const authorization = `Bearer ${await bearer({ sub: "ops", scope: "operator" })}`;
    const held = await call(undefined, DOCUMENTS, { headers: { authorization } }, variables);
    expect(held.status).toBe(200);
  });
});

function claims(): Record<string, unknown> {
  const exp = Math.floor(Date.now() / 1000) + 3_600;
  return { iss: team, aud: [AUDIENCE], sub: "a-uuid", email: "olivia@example.com", exp };
}

function sign(changed: Record<string, unknown> = {}, keys: KeyPair = ours): Promise<string> {
  return new SignJWT({ ...claims(), ...changed })
    .setProtectedHeader({ alg: "RS256", kid: "1" })
    .sign(keys.privateKey);
}

function pair(): Promise<KeyPair> {
  return generateKeyPair("RS256", { extractable: true });
}

/** A request to which Access has added the token. */
function call(
  token: string | undefined,
  path = DOCUMENTS,
  { headers = OWN_PAGE, ...init }: RequestInit & { headers?: Record<string, string> } = {},
  variables: Record<string, string | undefined> = {},
): Promise<Response> {
  const added = token === undefined ? {} : { "cf-access-jwt-assertion": token };
  const request = new Request(`https://belay.test${path}`, {
    ...init,
    headers: { ...headers, ...added },
  });
  const access = { ACCESS_TEAM_URL: team, ACCESS_AUDIENCE: AUDIENCE };
  // Readers without a token have cookies, which are not looked at here.
  const configured = { ...env, ANONYMOUS_LIMIT: "0", ...access, ...variables };
  return handle(request, configured as unknown as Env);
}

async function codeOf(response: Response): Promise<[number, string]> {
  return [response.status, (await response.json<ErrorBody>()).code];
}
