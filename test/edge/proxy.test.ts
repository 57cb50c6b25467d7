// What counts of a request that a reverse proxy passed on. With a real proxy,
// over TLS: servers/caddy.test.ts.

import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { addressOf } from "../../src/edge/address.ts";
import { handle } from "../../src/edge/edge.ts";
import { asSent, trustedProxies } from "../../src/edge/proxy.ts";
import type { Env } from "../../src/wiring.ts";

const TRUSTED = "127.0.0.1, ::1, 10.0.0.0/8, fd00::/8";

function received(peer: string, headers: Record<string, string>, init: RequestInit = {}): Request {
  const clientIp = peer.includes(":") ? `[${peer}]:50000` : `${peer}:50000`;
  const cf = { clientIp };
  return new Request("http://belay.example:8787/healthz?a=b", { ...init, headers, cf } as object);
}

function sent(peer: string, headers: Record<string, string>, trusted = TRUSTED): Request {
  return asSent(received(peer, headers), trustedProxies({ TRUSTED_PROXIES: trusted }));
}

describe("the address of a client", () => {
  it.each([
    ["one proxy", "10.1.2.3", "203.0.113.7", "203.0.113.7"],
    ["one proxy, which tells the port too", "10.1.2.3", "203.0.113.7:4711", "203.0.113.7"],
    ["a proxy at an IPv6 address", "fd12::1", "203.0.113.7", "203.0.113.7"],
    ["a proxy in the form of IPv6", "::ffff:10.1.2.3", "203.0.113.7", "203.0.113.7"],
    ["a client at an IPv6 address", "127.0.0.1", "2001:db8::7", "2001:db8:0:0::/64"],
    ["such a client with its port", "127.0.0.1", "[2001:db8::7]:80", "2001:db8:0:0::/64"],
    ["a client that wrote the header itself", "::1", "198.51.100.1, 203.0.113.7", "203.0.113.7"],
    ["two proxies", "10.0.0.1", "203.0.113.7, 10.0.0.2", "203.0.113.7"],
    ["two, and what the client wrote", "10.0.0.1", "10.9.9.9, 203.0.113.7,10.0.0.2", "203.0.113.7"],
    ["proxies alone", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
    ["a proxy that hides it", "10.0.0.1", "203.0.113.7, unknown", "10.0.0.1"],
    ["a proxy that sends half an address", "10.0.0.1", "203.0.113", "10.0.0.1"],
    ["a proxy that sends the end of a URL", "10.0.0.1", "10.9.9.9, ::1]:80?x[", "10.0.0.1"],
    ["a second proxy that hides it", "10.0.0.1", "unknown, 10.0.0.2", "10.0.0.2"],
    ["an empty header", "10.0.0.1", "", "10.0.0.1"],
  ])("behind %s is the nearest that is no proxy", (_what, peer, header, counted) => {
    expect(addressOf(sent(peer, { "x-forwarded-for": header }))).toBe(counted);
  });

  it.each(["9.255.255.255", "11.0.0.0", "fc00::1", "fe00::1", "192.0.2.1", "::2"])(
    "is that of the connection if %s is no trusted proxy",
    (peer) => {
      const request = received(peer, {
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "other.example",
        "cf-connecting-ip": "203.0.113.7",
      });
      expect(asSent(request, trustedProxies({ TRUSTED_PROXIES: TRUSTED }))).toBe(request);
      expect(asSent(request, trustedProxies({}))).toBe(request);
    },
  );

  it("is never taken from the header where the runtime names no peer", () => {
    const request = new Request("http://belay.example", {
      headers: { "x-forwarded-for": "203.0.113.7" },
    });
    expect(asSent(request, trustedProxies({ TRUSTED_PROXIES: TRUSTED }))).toBe(request);
  });

  it("is not changed by any other header", () => {
    const request = sent("127.0.0.1", {
      forwarded: "for=203.0.113.7",
      "x-real-ip": "203.0.113.7",
      "cf-connecting-ip": "203.0.113.7",
      "true-client-ip": "203.0.113.7",
    });
    expect(addressOf(request)).toBe("127.0.0.1");
  });
});

describe("the URL of a request behind a trusted proxy", () => {
  it.each([
    [{}, "http://belay.example:8787/healthz?a=b"],
    [{ "x-forwarded-proto": "https" }, "https://belay.example:8787/healthz?a=b"],
    [{ "x-forwarded-proto": "http, HTTPS" }, "https://belay.example:8787/healthz?a=b"],
    [{ "x-forwarded-proto": "javascript" }, "http://belay.example:8787/healthz?a=b"],
    [
      { "x-forwarded-proto": "https", "x-forwarded-host": "docs.example" },
      "https://docs.example/healthz?a=b",
    ],
    [
      { "x-forwarded-proto": "https", "x-forwarded-host": "docs.example:8443" },
      "https://docs.example:8443/healthz?a=b",
    ],
    [{ "x-forwarded-host": "evil.example, docs.example" }, "http://docs.example/healthz?a=b"],
    [{ "x-forwarded-host": "[fd00::1]:80" }, "http://[fd00::1]/healthz?a=b"],
    [{ "x-forwarded-host": "a@evil.example/b" }, "http://belay.example:8787/healthz?a=b"],
  ] as [Record<string, string>, string][])("with %o is %s", (headers, url) => {
    const request = sent("127.0.0.1", headers);
    expect(request.url).toBe(url);
    expect(request.headers.get("host")).toBe(new URL(url).host);
  });

  it("keeps the method, the body and the other headers", async () => {
    const init = { method: "POST", body: "a body" };
    const request = asSent(
      received("127.0.0.1", { "x-forwarded-proto": "https", "x-other": "kept" }, init),
      trustedProxies({ TRUSTED_PROXIES: TRUSTED }),
    );
    expect([request.method, request.headers.get("x-other"), await request.text()]).toEqual([
      "POST",
      "kept",
      "a body",
    ]);
  });
});

describe("a server behind a trusted proxy", () => {
  const all = {
    ...env,
    ALLOWED_HOSTS: "belay.example,docs.example",
    TRUSTED_PROXIES: TRUSTED,
    ANONYMOUS_LIMIT: "5",
  } as unknown as Env;

  async function session(host: string | undefined): Promise<Response> {
    const request = received(
      "127.0.0.1",
      {
        "x-forwarded-proto": "https",
        "x-forwarded-for": "203.0.113.99",
        "sec-fetch-site": "same-origin",
        ...(host !== undefined && { "x-forwarded-host": host }),
      },
      { method: "POST" },
    );
    return handle(new Request("http://belay.example:8787/api/v1/session", request), all);
  }

  it("gives a cookie that is sent over TLS only", async () => {
    const response = await session("docs.example");
    expect(response.status).toBe(204);
    expect(response.headers.get("set-cookie")).toMatch(/^__Host-belay=.*; Secure$/);
  });

  it.each(["evil.example", "docs.example.evil.example"])(
    "refuses a proxy's request for %s, which is none of its names",
    async (host) => {
      const response = await session(host);
      expect(response.status).toBe(403);
      expect(response.headers.has("set-cookie")).toBe(false);
      await response.text();
    },
  );

  it("refuses another site's name even if the header names ours", async () => {
    // A page whose name resolves to this machine can set the header.
    const headers = { "x-forwarded-host": "docs.example", "sec-fetch-site": "same-origin" };
    const rebound = new Request("http://evil.example/api/v1/session", {
      method: "POST",
      headers,
      cf: { clientIp: "127.0.0.1:50000" },
    } as RequestInit);
    const response = await handle(rebound, all);
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: "FORBIDDEN" });
  });
});

describe("TRUSTED_PROXIES", () => {
  it.each([
    "localhost",
    "10.0.0",
    "10.0.0.256",
    "10.0.0.0/33",
    "10.0.0.0/8/8",
    "10.0.0.0/",
    "10.0.0.0/-1",
    "10.0.0.0/x",
    "fd00::/129",
    "fd00:::1",
    "[::1]",
    "::1]:80?x[",
    "0.0.0.0/0",
    "::/0",
    "*",
    "10.0.0.1 10.0.0.2",
  ])("refuses %s, and does not repeat it", async (entry) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const wrong = { ...env, TRUSTED_PROXIES: `127.0.0.1, ${entry}` } as unknown as Env;
    const response = await handle(new Request("https://belay.test/healthz"), wrong);
    expect(response.status).toBe(503);
    const { message } = (await response.json()) as { message: string };
    expect(message).toBe(
      "The variable TRUSTED_PROXIES must be addresses or networks such as 127.0.0.1, 10.0.0.0/8 or fd00::/8, comma-separated. The operator of this deployment has to set it.",
    );
    log.mockRestore();
  });

  it.each([
    ["10.0.0.0/9", "10.127.255.255", true],
    ["10.0.0.0/9", "10.128.0.0", false],
    ["10.200.0.5/9", "10.128.0.1", true],
    ["192.0.2.128/25", "192.0.2.127", false],
    ["192.0.2.1/32", "192.0.2.1", true],
    ["2001:db8:ff00::/41", "2001:db8:ff7f::1", true],
    ["2001:db8:ff00::/41", "2001:db8:ff80::1", false],
    ["::1/128", "::1", true],
    ["::ffff:192.0.2.1", "192.0.2.1", true],
  ])("reads %s, in which %s is: %s", (entry, peer, isTrusted) => {
    const request = received(peer, { "x-forwarded-proto": "https" });
    const after = asSent(request, trustedProxies({ TRUSTED_PROXIES: entry }));
    expect(after !== request).toBe(isTrusted);
  });
});
