// `npm run serve` on other addresses and behind proxies, over raw sockets. A
// client at an address of the loopback is a proxy here, or it is none.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ofThisMachine } from "../../scripts/machine.ts";
import { API_PREFIX, type Quota } from "../../src/protocol.ts";
import { type ScriptedServer, SECRET, startScriptedServer } from "../support/server.ts";
import { Exchange, request } from "../support/socket-client.ts";
import { User } from "../support/user.ts";

const PROXY = "127.0.0.9";
const NO_PROXY = "127.0.0.8";
const NAME = "docs.example";
const EMBEDDING = "https://handbook.example";

let server: ScriptedServer;
let port: number;
beforeAll(async () => {
  server = await startScriptedServer({
    hosts: [NAME],
    flags: ["--host=::"],
    vars: {
      TRUSTED_PROXIES: `${PROXY}, 10.0.0.0/8`,
      ANONYMOUS_LIMIT: "5",
      EMBED_ORIGINS: EMBEDDING,
    },
    inMemory: true,
  });
  ({ port } = server);
});
afterAll(() => server.stop());

/** What a proxy sends for a client, and what else the client wrote. */
function passedOn(client: string, own = ""): Record<string, string> {
  return {
    host: NAME,
    "x-forwarded-for": own === "" ? client : `${own}, ${client}`,
    "x-forwarded-proto": "https",
    "sec-fetch-site": "same-origin",
  };
}

interface Sent {
  readonly from?: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function session({ from = PROXY, headers }: Sent): Promise<string | undefined> {
  const url = `http://127.0.0.1:${port}${API_PREFIX}/session`;
  const response = await request(url, { method: "POST", from, headers });
  if (response.status === 429) return undefined;
  expect(response.status).toBe(204);
  return response.headers["set-cookie"] as string;
}

/**
 * Asks with the cookie of a new session, to the end, and reads the quota. The
 * charge is written after `done`; until then the answer is reserved.
 */
async function askOnce(sent: Sent): Promise<Quota> {
  const { from = PROXY } = sent;
  const [cookie = ""] = (await session(sent))?.split(";") ?? [];
  const headers = { ...sent.headers, cookie };
  const asked = new Exchange(`http://127.0.0.1:${port}${API_PREFIX}/ai/ask?stream=true`, {
    method: "POST",
    from,
    headers,
    body: { query: `A question of ${crypto.randomUUID()}` },
  });
  await asked.until("done");
  const url = `http://127.0.0.1:${port}${API_PREFIX}/ai/quota`;
  return (await request<Quota>(url, { from, headers })).body;
}

describe("behind a trusted proxy", () => {
  test("each client's address has a quota, whatever the client writes itself", async () => {
    const first = await askOnce({ headers: passedOn("203.0.113.1") });
    expect(first).toMatchObject({ limit: 5, remaining: 4 });
    const disguised = await askOnce({ headers: passedOn("203.0.113.1", "198.51.100.1, 10.0.0.1") });
    expect(disguised).toMatchObject({ remaining: 3 });
    const other = await askOnce({ headers: passedOn("203.0.113.2") });
    expect(other).toMatchObject({ remaining: 4 });
    const twoProxies = { ...passedOn("203.0.113.2"), "x-forwarded-for": "203.0.113.2, 10.0.0.7" };
    expect(await askOnce({ headers: twoProxies })).toMatchObject({ remaining: 3 });
  });

  test("cookies are for TLS only", async () => {
    const headers = passedOn("203.0.113.3");
    expect(await session({ headers })).toMatch(/^__Host-belay=[^;]+;.*; Secure$/);
    const plain = { ...headers, "x-forwarded-proto": "http" };
    expect(await session({ headers: plain })).toMatch(/^belay=[^;]+;(?!.*Secure)/);
  });

  test("an address starts 20 sessions in a minute, and others are not kept from it", async () => {
    const headers = passedOn("203.0.113.4");
    for (let n = 0; n < 20; n += 1) expect(await session({ headers })).toBeDefined();
    expect(await session({ headers })).toBeUndefined();
    const disguised = passedOn("203.0.113.4", "203.0.113.5");
    expect(await session({ headers: disguised })).toBeUndefined();
    expect(await session({ headers: passedOn("203.0.113.5") })).toBeDefined();
  });

  test("a page's token is for the client's address", async () => {
    const page = (client: string) => ({
      ...passedOn(client),
      origin: EMBEDDING,
      "sec-fetch-site": "cross-site",
    });
    const headers = page("203.0.113.6");
    const url = `http://127.0.0.1:${port}${API_PREFIX}`;
    const started = await request<{ token: string }>(`${url}/session`, {
      method: "POST",
      from: PROXY,
      headers,
    });
    const { token } = started.body;
    const quota = (from: string) =>
      request(`${url}/ai/quota`, { from: PROXY, token, headers: page(from) });
    expect((await quota("203.0.113.6")).status).toBe(200);
    expect(await quota("203.0.113.7")).toMatchObject({
      status: 401,
      body: { message: expect.stringMatching(/^This token was given to another address/) },
    });
  });

  test.each(["close", "reset"] as const)(
    "a client lost by a %s in a silence is refunded, and a whole answer is charged",
    async (by) => {
      const user = await User.on(server.url, SECRET);
      const headers = passedOn("203.0.113.8");
      const whole = user.ask({ tokens: 3 }, { headers });
      await whole.until("done");
      expect(await user.resolved()).toMatchObject({ state: "charged" });
      const lost = user.ask({ tokens: 5, fault: "hang", at: 2 }, { headers });
      await lost.until("token");
      lost[by]();
      expect(await user.resolved()).toMatchObject({ state: "refunded", reason: "disconnected" });
      expect(await user.quota()).toMatchObject({ charged: 1, refunded: 1, reserved: 0 });
    },
  );

  test("another site's name gets nothing, whichever header has it", async () => {
    const url = `http://127.0.0.1:${port}${API_PREFIX}/session`;
    for (const names of [
      { host: NAME, "x-forwarded-host": "evil.example" },
      { host: "evil.example", "x-forwarded-host": NAME },
    ]) {
      const headers = { ...passedOn("203.0.113.9"), ...names };
      const response = await request(url, { method: "POST", from: PROXY, headers });
      expect(response).toMatchObject({ status: 403, body: { code: "FORBIDDEN" } });
      expect(response.headers["set-cookie"]).toBeUndefined();
      expect(response.body.message).toContain("127.0.0.1, localhost, [::1], docs.example.");
    }
  });
});

describe("without a trusted proxy", () => {
  test("the headers of proxies change nothing", async () => {
    const sent = { from: NO_PROXY, headers: passedOn("203.0.113.20") };
    expect(await askOnce(sent)).toMatchObject({ remaining: 4 });
    const other = { from: NO_PROXY, headers: passedOn("203.0.113.21") };
    expect(await askOnce(other)).toMatchObject({ remaining: 3 });
    expect(await session(sent)).toMatch(/^belay=[^;]+;(?!.*Secure)/);
    const elsewhere = { ...sent.headers, "x-forwarded-host": "evil.example" };
    expect(await session({ from: NO_PROXY, headers: elsewhere })).toBeDefined();
  });
});

test("on :: it is reached at each address of this machine, by it and by its names alone", async () => {
  const addresses = ofThisMachine().map((address) =>
    address.includes(":") ? `[${address}]` : address,
  );
  for (const address of ["127.0.0.1", "[::1]", ...addresses]) {
    const url = `http://${address}:${port}/healthz`;
    expect([address, (await request(url)).status]).toEqual([address, 200]);
    expect((await request(url, { headers: { host: NAME } })).status).toBe(200);
    const rebound = await request(url, { headers: { host: `evil.example:${port}` } });
    expect(rebound.status).toBe(403);
    if (address !== "127.0.0.1" && address !== "[::1]") {
      expect(rebound.body.message).not.toContain(address);
    }
  }
});
