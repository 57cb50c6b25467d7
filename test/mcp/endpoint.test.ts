/// <reference types="vite/client" />
// The MCP endpoint as HTTP: who may call it, and what it refuses.

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import manifest from "../../package.json?raw";
import { handle } from "../../src/edge/edge.ts";
import type { Env } from "../../src/wiring.ts";
import { bearer, fetchApi, newUser } from "../harness.ts";
import { LEGACY, MODERN, messagesOf, request, send, sendModern } from "./rpc.ts";

const INITIALIZE = {
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: LEGACY,
    capabilities: {},
    clientInfo: { name: "test", version: "1" },
  },
};
const LIST = { id: 2, method: "tools/list" };

/** A request to a deployment with these variables. */
function fetchFrom(path: string, vars: Record<string, string>, init: RequestInit = {}) {
  const request = new Request(`https://belay.test${path}`, init);
  return handle(request, { ...env, ...vars } as Env);
}

describe("the handshake", () => {
  it("says who the server is and what it is for", async () => {
    const result = await request(await newUser(), "initialize", INITIALIZE.params);
    expect(result).toMatchObject({
      protocolVersion: LEGACY,
      serverInfo: { name: "belay", version: JSON.parse(manifest).version },
      capabilities: { tools: {} },
      instructions: expect.stringContaining("search_documents"),
    });
  });

  it.each(["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])(
    "agrees on the older version %s",
    async (protocolVersion) => {
      const params = { ...INITIALIZE.params, protocolVersion };
      expect(await request(await newUser(), "initialize", params)).toMatchObject({
        protocolVersion,
      });
    },
  );

  it("offers a version that it knows for one that it does not know", async () => {
    const params = { ...INITIALIZE.params, protocolVersion: "1999-01-01" };
    expect(await request(await newUser(), "initialize", params)).toMatchObject({
      protocolVersion: LEGACY,
    });
  });

  it("is not needed in the newest version, which discovers the server", async () => {
    const [message] = await messagesOf(await sendModern(await newUser(), "server/discover"));
    expect(message?.result).toMatchObject({
      supportedVersions: expect.arrayContaining([MODERN]),
      capabilities: { tools: {} },
    });
  });

  it("gives the client a name of its session, a new one each time", async () => {
    const user = await newUser();
    const name = async (message: object) => {
      const response = await send(user, message);
      await response.text();
      return response.headers.get("mcp-session-id");
    };
    const [first, second] = [await name(INITIALIZE), await name(INITIALIZE)];
    expect(first).toMatch(/^[\da-f-]{36}$/);
    expect(second).toMatch(/^[\da-f-]{36}$/);
    expect(second).not.toBe(first);
    expect(await name(LIST)).toBeNull();
  });

  it("is acknowledged, and pings are answered", async () => {
    const user = await newUser();
    const response = await send(user, { method: "notifications/initialized" });
    expect(response.status).toBe(202);
    expect(await request(user, "ping")).toEqual({});
  });
});

describe("the endpoint", () => {
  it.each(["GET", "DELETE", "PUT"])(
    "does not take %s, since it keeps no session",
    async (method) => {
      const headers = { authorization: `Bearer ${(await newUser()).token}` };
      const response = await fetchApi("/mcp", { method, headers });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("POST");
      await response.text();
    },
  );

  it.each([
    ["no bearer token", {}, "Bearer"],
    ["a wrong bearer token", { authorization: "Bearer a.b.c" }, 'Bearer error="invalid_token"'],
  ])("refuses %s with 401, in the form of JSON-RPC", async (_what, headers, challenge) => {
    const response = await send(undefined, LIST, { headers });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe(challenge);
    expect(await response.json()).toMatchObject({
      jsonrpc: "2.0",
      id: null,
      error: { code: -32_000, data: { code: "UNAUTHENTICATED" } },
    });
  });

  it.each([
    ["text that is not JSON", "{", {}, 400, -32_700],
    ["another type", "{}", { "content-type": "text/plain" }, 415, -32_000],
    ["a compressed body", "{}", { "content-encoding": "gzip" }, 415, -32_000],
    ["too long a body", `"${"x".repeat(70_000)}"`, {}, 413, -32_000],
    [
      "too many messages",
      JSON.stringify(Array(11).fill({ jsonrpc: "2.0", ...LIST })),
      {},
      413,
      -32_000,
    ],
    ["JSON that is no message", '{"a":1}', {}, 400, -32_600],
    ["a client that takes no stream", "{}", { accept: "application/json" }, 406, -32_000],
    ["an unknown version", "{}", { "mcp-protocol-version": "1999-01-01" }, 400, -32_000],
  ])("refuses %s", async (_what, body, headers, status, code) => {
    const response = await fetchApi("/mcp", {
      method: "POST",
      headers: {
        authorization: `Bearer ${(await newUser()).token}`,
        accept: "application/json, text/event-stream",
        "content-type": "application/json",
        ...headers,
      },
      body: body === "{}" ? JSON.stringify({ jsonrpc: "2.0", ...LIST }) : body,
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
  });

  it("answers an unknown method and an unknown tool with errors of the protocol", async () => {
    const user = await newUser();
    const [method] = await messagesOf(await send(user, { id: 1, method: "resources/list" }));
    expect(method?.error?.code).toBe(-32_601);
    const params = { name: "answer", arguments: {} };
    const [tool] = await messagesOf(await send(user, { id: 1, method: "tools/call", params }));
    expect(tool?.error).toMatchObject({
      code: -32_602,
      message: expect.stringContaining("ask and search_documents"),
    });
  });

  it("names a wrong variable in the result of a search", async () => {
    const params = { name: "search_documents", arguments: { query: "quota" } };
    const headers = {
      authorization: `Bearer ${(await newUser()).token}`,
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
    };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
    const response = await fetchFrom(
      "/mcp",
      { RETRIEVER: "vector" },
      { method: "POST", headers, body },
    );
    const [message] = await messagesOf(response);
    expect(message?.result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/RETRIEVER.*\(UNAVAILABLE\)$/) }],
    });
  });

  it("keeps no stream open for changes, since there are none", async () => {
    const response = await sendModern(await newUser(), "subscriptions/listen", {
      notifications: { toolsListChanged: true },
    });
    const [acknowledged, ended] = await messagesOf(response);
    expect(acknowledged?.method).toBe("notifications/subscriptions/acknowledged");
    expect(ended?.result).toMatchObject({ resultType: "complete" });
  });
});

describe("pages of other sites", () => {
  it.each([
    ["https://belay.test", 200],
    ["https://app.example", 200],
    ["https://evil.example", 403],
    ["http://belay.test.evil.example", 403],
    ["null", 403],
  ])("from %s are answered with %i", async (origin, status) => {
    const response = await send(await newUser(), LIST, { headers: { origin } });
    expect(response.status).toBe(status);
    const allowed = origin === "https://app.example" ? origin : null;
    expect(response.headers.get("access-control-allow-origin")).toBe(allowed);
    await response.text();
  });
});

describe("the metadata of the protected resource", () => {
  const ISSUER = "https://login.example/tenant";
  const PATHS = [
    ["/.well-known/oauth-protected-resource", "https://belay.test"],
    ["/.well-known/oauth-protected-resource/mcp", "https://belay.test/mcp"],
  ] as const;

  it.each(PATHS)("at %s names the issuer of bearer tokens", async (path, resource) => {
    const response = await fetchFrom(path, { AUTH_ISSUER: ISSUER });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      resource,
      resource_name: "Belay",
      authorization_servers: [ISSUER],
      bearer_methods_supported: ["header"],
    });
  });

  it.each(PATHS)("at %s is 404 without an issuer that is a URL", async (path) => {
    for (const vars of [{}, { AUTH_ISSUER: "our-app" }] as Record<string, string>[]) {
      const response = await fetchFrom(path, vars);
      expect(response.status).toBe(404);
      await response.text();
    }
  });

  it("is named where a bearer token is refused, if an issuer is set", async () => {
    const metadata =
      'resource_metadata="https://belay.test/.well-known/oauth-protected-resource/mcp"';
    const challenge = async (headers: Record<string, string>, vars: Record<string, string>) => {
      const response = await fetchFrom("/mcp", vars, { method: "POST", headers });
      expect(response.status).toBe(401);
      await response.text();
      return response.headers.get("www-authenticate");
    };
    const issuer = { AUTH_ISSUER: ISSUER };
    const otherIssuer = { authorization: `Bearer ${await bearer({ sub: "a", iss: "other" })}` };
    expect(await challenge({}, issuer)).toBe(`Bearer ${metadata}`);
    expect(await challenge(otherIssuer, issuer)).toBe(`Bearer error="invalid_token", ${metadata}`);
    expect(await challenge({}, { AUTH_ISSUER: "our-app" })).toBe("Bearer");
  });
});
