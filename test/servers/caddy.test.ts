// A real server behind a real Caddy over TLS, as examples/caddy sets it up.

import { once } from "node:events";
import { connect } from "node:http2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { API_PREFIX, type Quota } from "../../src/protocol.ts";
import { type Caddy, startCaddy } from "../support/caddy.ts";
import { type Directive, scripted } from "../support/directive.ts";
import { type ScriptedServer, SECRET, startScriptedServer } from "../support/server.ts";
import { Exchange, request } from "../support/socket-client.ts";
import { User } from "../support/user.ts";

const NAME = "docs.example";
/** Two tokens, then silence for ever. */
const SILENT = { tokens: 5, fault: "hang", at: 2 } as const;
const STREAMS = 200;

let server: ScriptedServer;
let caddy: Caddy;
beforeAll(async () => {
  server = await startScriptedServer({
    hosts: [NAME],
    vars: { TRUSTED_PROXIES: "127.0.0.1", ANONYMOUS_LIMIT: "5", PING_INTERVAL_MS: "1000" },
    inMemory: true,
  });
  caddy = await startCaddy(NAME, `127.0.0.1:${server.port}`);
});
afterAll(async () => {
  await caddy.stop();
  await server.stop();
});

/** Asks through Caddy. The user reads accounts from the server itself. */
function asked(user: User, script: Directive, streaming = true): Exchange {
  const query = scripted({ ...script, tag: crypto.randomUUID() });
  return new Exchange(`${caddy.url}${API_PREFIX}/ai/ask${streaming ? "?stream=true" : ""}`, {
    method: "POST",
    token: user.token,
    authority: caddy.authority,
    body: { query },
  });
}

describe("an answer through Caddy", () => {
  test.concurrent("arrives token by token, and a whole one is charged", async () => {
    const user = await User.on(server.url, SECRET);
    // The model is silent after two tokens, so no buffer was waited for.
    const silent = asked(user, SILENT);
    await silent.until((event) => event.type === "token" && event.token === "w1 ");
    await silent.until("ping");
    silent.close();
    await user.resolved();
    const whole = asked(user, { tokens: 5 });
    await whole.until("done");
    expect(await user.resolved()).toMatchObject({ state: "charged" });
  });

  test.concurrent.each([
    ["close", true],
    ["close", false],
    ["reset", true],
    ["reset", false],
  ] as const)("is refunded after a %s in a silence, as a stream: %s", async (by, streaming) => {
    const user = await User.on(server.url, SECRET);
    // JSON shows nothing before it is whole.
    const lost = asked(user, streaming ? SILENT : { tokens: 3, headersMs: 2_500 }, streaming);
    await (streaming ? lost.until("token") : lost.untilSent());
    await expect.poll(() => user.quota()).toMatchObject({ reserved: 1 });
    lost[by]();
    expect(await user.resolved()).toMatchObject({ state: "refunded", reason: "disconnected" });
  });

  test.concurrent("is refunded after a reset of its HTTP/2 stream", async () => {
    const user = await User.on(server.url, SECRET);
    const session = connect(caddy.url, {
      ca: caddy.authority,
      lookup: (_name, options, found) =>
        (options as { all?: boolean }).all
          ? found(null, [{ address: "127.0.0.1", family: 4 }])
          : found(null, "127.0.0.1", 4),
    });
    const stream = session.request({
      ":method": "POST",
      ":path": `${API_PREFIX}/ai/ask?stream=true`,
      authorization: `Bearer ${user.token}`,
      "content-type": "application/json",
    });
    stream.end(JSON.stringify({ query: scripted({ ...SILENT, tag: crypto.randomUUID() }) }));
    let text = "";
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    await expect.poll(() => text, { timeout: 10_000 }).toContain('"w1 "');
    stream.close(8 /* CANCEL */);
    expect(await user.resolved()).toMatchObject({ state: "refunded", reason: "disconnected" });
    // The connection goes on for others.
    const health = session.request({ ":path": "/healthz" });
    const [headers] = await once(health, "response");
    expect(headers[":status"]).toBe(200);
    session.destroy();
  });

  test(`is one of ${STREAMS} at once: each that is left is refunded, and no other`, async () => {
    const users = await Promise.all(
      Array.from({ length: STREAMS }, () => User.on(server.url, SECRET)),
    );
    const all = users.map((user, n) => ({
      user,
      isLeft: n % 2 === 1,
      stream: asked(user, n % 2 === 1 ? SILENT : { tokens: 10, firstMs: 500, gapMs: 50 }),
    }));
    await Promise.all(all.map(({ stream }) => stream.until("token", 60_000)));
    await Promise.all(
      all.map(async ({ stream, isLeft }) => {
        if (isLeft) stream.close();
        else await stream.until("done", 60_000);
      }),
    );
    const states = await Promise.all(
      all.map(async ({ user, isLeft }) => [isLeft, (await user.resolved(60_000)).state] as const),
    );
    expect(states.filter(([isLeft, state]) => (state === "refunded") !== isLeft)).toEqual([]);
  }, 120_000);
});

describe("a reader behind Caddy", () => {
  interface Reader {
    readonly from: string;
    readonly headers?: Readonly<Record<string, string>>;
  }

  let addresses = 20;
  /** One from which no request has come. */
  const address = () => {
    addresses += 1;
    return `127.0.0.${addresses}`;
  };

  /** The cookie of a new session, and the quota of its address. */
  async function visit({ from, headers = {} }: Reader) {
    const sent = { from, authority: caddy.authority };
    const page = { "sec-fetch-site": "same-origin", origin: caddy.url, ...headers };
    const session = await request(`${caddy.url}${API_PREFIX}/session`, {
      ...sent,
      method: "POST",
      headers: page,
    });
    expect(session.status).toBe(204);
    const setCookie = session.headers["set-cookie"] ?? "";
    const cookie = setCookie.split(";")[0] as string;
    const asking = new Exchange(`${caddy.url}${API_PREFIX}/ai/ask?stream=true`, {
      ...sent,
      method: "POST",
      headers: { ...page, cookie },
      body: { query: scripted({ tokens: 1, tag: crypto.randomUUID() }) },
    });
    await asking.until("done");
    const quota = await request<Quota>(`${caddy.url}${API_PREFIX}/ai/quota`, {
      ...sent,
      headers: { ...page, cookie },
    });
    return { setCookie, remaining: quota.body.remaining };
  }

  test("has a cookie for TLS only, and the quota of the own address", async () => {
    const [own, other] = [address(), address()];
    const first = await visit({ from: own });
    expect(first.setCookie).toMatch(/^__Host-belay=.*; Secure$/);
    expect(first.remaining).toBe(4);
    expect((await visit({ from: other })).remaining).toBe(4);
    const headers = { "x-forwarded-for": address() };
    expect((await visit({ from: own, headers })).remaining).toBe(3);
  });

  test("cannot choose the name of the server, since Caddy replaces the header", async () => {
    const sent = { authority: caddy.authority, headers: { "x-forwarded-host": "evil.example" } };
    expect((await request(`${caddy.url}/healthz`, sent)).status).toBe(200);
  });
});
