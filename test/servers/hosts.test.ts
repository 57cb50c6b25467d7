// Which hosts the local servers answer to, over raw sockets: a site
// whose name resolves to 127.0.0.1 must get nothing from them.

import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bearerToken } from "../../scripts/bearer-token.ts";
import { variables } from "../../scripts/variables.ts";
import { type RunningServer, startServer } from "../support/server.ts";

const COMMANDS = ["start", "serve"] as const;
/** A page of this origin embeds Belay. */
const EMBEDDING = "https://handbook.example";
const BODY = '{"query":"When am I charged?"}';

const servers = new Map<string, RunningServer>();
let bearer: string;

beforeAll(async () => {
  await Promise.all(
    COMMANDS.map(async (command) => {
      const hosts = ["Docs.Example", "[fd00::1]"];
      const vars = { EMBED_ORIGINS: EMBEDDING };
      servers.set(command, await startServer({ command, hosts, vars }));
    }),
  );
  bearer = await bearerToken(await variables(), { user: "someone", seconds: 3_600 });
});
afterAll(() => Promise.all([...servers.values()].map((server) => server.stop())));

interface Sent {
  readonly method?: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends the text unchanged, and resolves with the whole response. */
async function raw(command: string, host: string | undefined, sent: Sent): Promise<string> {
  const { method = "GET", target, body = "" } = sent;
  const headers = {
    ...(host !== undefined && { host }),
    connection: "close",
    ...(body !== "" && { "content-type": "application/json" }),
    ...(method !== "GET" && { "content-length": `${Buffer.byteLength(body)}` }),
    ...sent.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = connect(servers.get(command)?.port ?? 0, "127.0.0.1");
  await once(socket, "connect");
  socket.write(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
  return text(socket);
}

/** Requests of another site's page to its own name. */
const PAGE = { "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" };

const THINGS: Readonly<Record<string, Sent>> = {
  "the page": { target: "/", headers: PAGE },
  "a file of the page": { target: "/page.js", headers: PAGE },
  health: { target: "/healthz", headers: PAGE },
  "a session": { method: "POST", target: "/api/v1/session", headers: PAGE },
  "an answer": { method: "POST", target: "/api/v1/ai/ask", headers: PAGE, body: BODY },
  "a preflight": { method: "OPTIONS", target: "/api/v1/ai/ask", headers: PAGE },
};

const REBOUND = [
  "evil.example:8787",
  "evil.example",
  "localhost.evil.example",
  "127.0.0.1.nip.io:8787",
  "localhost.",
  "xlocalhost",
  "[::2]",
  "0.0.0.0:8787",
  "docs.example.evil.example",
];

describe.each(COMMANDS)("npm run %s", (command) => {
  test.each(REBOUND)("gives nothing to %s", async (host) => {
    for (const [what, sent] of Object.entries(THINGS)) {
      const response = await raw(command, host, sent);
      expect([what, response]).toEqual([
        what,
        expect.stringMatching(/^HTTP\/1\.1 403 Forbidden\r\n/),
      ]);
      expect(response).toContain('"code":"FORBIDDEN"');
      expect(response).toContain("This server answers only to 127.0.0.1, localhost, [::1]");
      expect(response).not.toMatch(/set-cookie|access-control/i);
    }
  });

  test("refuses even a bearer token, and a stream with an error event", async () => {
    const response = await raw(command, "evil.example", {
      method: "POST",
      target: "/api/v1/ai/ask?stream=true",
      headers: { authorization: `Bearer ${bearer}` },
      body: BODY,
    });
    expect(response).toMatch(/^HTTP\/1\.1 403 .*\r\ncontent-type: text\/event-stream/is);
    expect(response).toMatch(/data: \{"type":"error","message":"This server answers only to /);
  });

  test.each([
    ["another host for proxies", { "x-forwarded-host": "127.0.0.1", forwarded: "host=127.0.0.1" }],
    [
      "the host in the way of wrangler's proxy",
      { "mf-original-url": "http://127.0.0.1/api/v1/session" },
    ],
  ])("ignores a header that names %s", async (_what, headers) => {
    for (const origin of ["http://evil.example:8787", "null"]) {
      for (const sent of [THINGS["a session"], THINGS["an answer"]] as Sent[]) {
        const response = await raw(command, "evil.example:8787", {
          ...sent,
          headers: { ...PAGE, ...headers, origin },
        });
        expect(response).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
        expect(response).not.toMatch(/set-cookie/i);
      }
    }
  });

  test.each([
    ["user information", "127.0.0.1@evil.example"],
    ["a second host", "evil.example\r\nhost: 127.0.0.1"],
    ["a path", "evil.example/127.0.0.1"],
    ["white space", "evil.example 127.0.0.1"],
    ["nothing", ""],
  ])("gives nothing to a host with %s", async (_what, host) => {
    for (const sent of [THINGS["a session"], THINGS["an answer"]] as Sent[]) {
      const response = await raw(command, host, sent);
      expect(response).toMatch(/^HTTP\/1\.1 [45]\d\d /);
      expect(response).not.toMatch(/set-cookie|"answer"/i);
    }
  });

  test("uses Host if the request line names another, and refuses requests without Host", async () => {
    const url = "http://127.0.0.1/api/v1/session";
    const absolute = await raw(command, "evil.example", { method: "POST", target: url });
    expect(absolute).toMatch(/^HTTP\/1\.1 403 /);
    const none = await raw(command, undefined, { method: "POST", target: "/api/v1/session" });
    expect(none).toMatch(/^HTTP\/1\.1 400 /);
  });

  test.each([
    "127.0.0.1",
    "127.0.0.1:1",
    "LocalHost:8787",
    "[::1]:8787",
    "docs.example",
    "DOCS.EXAMPLE:443",
    "[fd00::1]:80",
  ])("answers to %s", async (host) => {
    const page = await raw(command, host, { target: "/" });
    expect(page).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(page).toContain("<title>Belay</title>");
    expect(await raw(command, host, { target: "/healthz" })).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const session = await raw(command, host, {
      method: "POST",
      target: "/api/v1/session",
      headers: { ...PAGE, origin: `http://${host.toLowerCase()}` },
    });
    expect(session).toMatch(/^HTTP\/1\.1 204 No Content\r\n.*set-cookie: /is);
  });

  test("gives a page that embeds it a token, with which the page can ask", async () => {
    const headers = { "sec-fetch-site": "cross-site", origin: EMBEDDING };
    const session = { method: "POST", target: "/api/v1/session", headers };
    const started = await raw(command, "127.0.0.1", session);
    expect(started).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(started).toMatch(/\r\naccess-control-allow-origin: https:\/\/handbook\.example\r\n/i);
    expect(started).not.toMatch(/set-cookie/i);
    const [, token] = /"token":"([\w.-]+)"/.exec(started) ?? [];
    const authorization = `Bearer ${token}`;
    const quota = { target: "/api/v1/ai/quota", headers: { ...headers, authorization } };
    expect(await raw(command, "127.0.0.1", quota)).toMatch(/^HTTP\/1\.1 200 .*"remaining":20/s);
    const ask = { ...(THINGS["an answer"] as Sent), headers: quota.headers };
    expect(await raw(command, "127.0.0.1", ask)).toMatch(/^HTTP\/1\.1 200 .*"answer":/s);
    const elsewhere = { ...quota.headers, origin: "https://evil.example" };
    const stolen = await raw(command, "127.0.0.1", { ...quota, headers: elsewhere });
    expect(stolen).toMatch(/^HTTP\/1\.1 401 /);
  });

  test("refuses other pages, and a listed one by the name of another host", async () => {
    const session = { method: "POST", target: "/api/v1/session" };
    const refused = await raw(command, "127.0.0.1", {
      ...session,
      headers: { "sec-fetch-site": "cross-site", origin: "https://other.example" },
    });
    expect(refused).toMatch(/^HTTP\/1\.1 403 .*Add the origin to EMBED_ORIGINS/s);
    const rebound = await raw(command, "evil.example", {
      ...session,
      headers: { "sec-fetch-site": "cross-site", origin: EMBEDDING },
    });
    expect(rebound).toMatch(/^HTTP\/1\.1 403 .*answers only to/s);
    expect(refused + rebound).not.toMatch(/"token"|set-cookie/i);
  });
});
