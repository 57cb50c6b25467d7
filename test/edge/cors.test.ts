// CORS: which pages may read responses, and which entries of CORS_ORIGINS are
// refused with which hint.

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { handle } from "../../src/edge/edge.ts";
import type { ErrorBody } from "../../src/protocol.ts";
import type { Env } from "../../src/wiring.ts";
import { fetchApi, newUser, scripted } from "../harness.ts";

describe("a page of another origin", () => {
  it("gets its preflight answered without a bearer token", async () => {
    const response = await fetchApi("/api/v1/ai/ask", {
      method: "OPTIONS",
      headers: { origin: "https://app.example", "access-control-request-method": "POST" },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-headers")).toContain("Authorization");
  });

  const asking = (origin: string, names: string) =>
    fetchApi("/api/v1/ai/ask?stream=true", {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": names,
      },
    });
  const allowed = (response: Response) =>
    (response.headers.get("access-control-allow-headers") ?? "").toLowerCase().split(", ");
  const OURS = ["authorization", "content-type", "idempotency-key", "last-event-id"];

  it("may send the headers that it asks for, and ours", async () => {
    const names = ["x-stainless-os", "traceparent", "baggage", "x!#$%&'*+.^_`|~-9"];
    const response = await asking(
      "https://app.example",
      `Content-Type,${names.join(" , ")},baggage`,
    );
    expect(response.status).toBe(204);
    expect(allowed(response)).toEqual([...OURS, ...names]);
    expect(response.headers.get("access-control-allow-methods")).toBe(
      "GET, POST, PUT, PATCH, DELETE",
    );
    expect(response.headers.get("access-control-max-age")).toBe("600");
    const vary = (response.headers.get("vary") ?? "").toLowerCase();
    expect(vary).toContain("origin");
    expect(vary).toContain("access-control-request-headers");
  });

  it.each([
    ["what is no header's name", "a b, c:d, e/f, <g>, ü, (h), x-good", [...OURS, "x-good"]],
    ["nothing", "", OURS],
    ["commas", ",,, ,", OURS],
    ["too many names", Array.from({ length: 65 }, (_, n) => `x-${n}`).join(), OURS],
    ["a name that is too long", `x-good, x-${"y".repeat(5_000)}`, OURS],
  ])("gets no header allowed for %s", async (_what, names, expected) => {
    expect(allowed(await asking("https://app.example", names))).toEqual(expected);
  });

  it.each(["https://evil.example", "null", "https://app.example.evil", "tauri://localhost"])(
    "gets no other header allowed if its origin is not listed: %s",
    async (origin) => {
      const response = await asking(origin, "traceparent");
      expect(response.status).toBe(204);
      expect(allowed(response)).toEqual(OURS);
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
    },
  );

  const from = (origin: string, CORS_ORIGINS: string) =>
    handle(new Request("https://belay.test/healthz", { headers: { origin } }), {
      ...env,
      CORS_ORIGINS,
    } as Env);

  it.each([
    "https://example.com",
    "http://localhost:3000",
    "http://[::1]:8787",
    "http://tauri.localhost",
    "https://tauri.localhost",
    "tauri://localhost",
    "capacitor://localhost",
    "ionic://localhost",
    "app://.",
    "app://-",
    "app://obsidian.md",
    "app://bundle:8080",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    "moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc",
    "vscode-webview://0abc123",
    "wails://wails.localhost",
    "ms-browser-extension://abcdef",
    "my-app://main",
    "gap://ready",
    "hop://main",
    "help://main",
  ])("may have any scheme: %s", async (origin) => {
    const response = await from(origin, ` https://first.example , ${origin}`);
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
    const other = await from(`${origin}x`, origin);
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("may be a Safari extension, whose id is sent in capitals", async () => {
    const origin = "safari-web-extension://AC5F22CE-3D5B-4B0A-9F0E-1C2D3E4F5A6B";
    const response = await from(origin, origin.toLowerCase());
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
  });

  it.each([
    ["https://example.com/", "https://example.com"],
    ["https://example.com/app?x=y#z", "https://example.com"],
    ["https://Example.com", "https://example.com"],
    ["HTTPS://example.com", "https://example.com"],
    ["https://example.com:443", "https://example.com"],
    ["http://example.com:80", "http://example.com"],
    ["https://user:password@example.com", "https://example.com"],
    ["https://*.example.com", "https://www.example.com"],
    ["http://localhost:*", "http://localhost"],
    ["example.com", "https://example.com"],
    ["example.com:8443/x", "https://example.com:8443"],
    ["//example.com", "https://example.com"],
    ["localhost:3000", "http://localhost:3000"],
    ["127.0.0.1:8787", "http://127.0.0.1:8787"],
    ["wss://example.com", "https://example.com"],
    ["blob:https://example.com/1", "https://example.com"],
    ["https://müller.example", "https://xn--mller-kva.example"],
    ['"https://example.com"', "https://example.com"],
    ["https://example.com https://b.example", "https://example.com"],
    ["tauri://localhost/", "tauri://localhost"],
    ["Tauri://LOCALHOST", "tauri://localhost"],
    ["capacitor://localhost/index.html", "capacitor://localhost"],
    ["chrome-extension://abcdef/popup.html", "chrome-extension://abcdef"],
    ["chrome-extension://abcdef/*", "chrome-extension://abcdef"],
    ["https://example.com/*", "https://example.com"],
    ["*.example.com", "https://www.example.com"],
    ["example.com/*", "https://example.com"],
    ["http://localhost:3000/*", "http://localhost:3000"],
    ["[::1]:3000", "http://[::1]:3000"],
    ["[::1]", "http://[::1]"],
    ["http://[::1]:3000/", "http://[::1]:3000"],
    ['["http://[::1]:3000"]', "http://[::1]:3000"],
    ['["https://example.com"]', "https://example.com"],
    ["[https://example.com]", "https://example.com"],
    ["https//example.com", "https://example.com"],
    ["https:example.com", "https://example.com"],
    ["https;//example.com", "https://example.com"],
    ["http:\\\\example.com", "http://example.com"],
    ["https://https://example.com", "https://example.com"],
    ["httpps://example.com", "https://example.com"],
    ["htps://example.com/x", "https://example.com"],
    ["htttp://example.com", "http://example.com"],
    ["ttps://example.com", "https://example.com"],
    ["hptts://example.com", "https://example.com"],
    ["htp://localhost:3000", "http://localhost:3000"],
    ["HTPPS://example.com", "https://example.com"],
    ["tauri:localhost", "tauri://localhost"],
    ["tauri:/localhost", "tauri://localhost"],
    ["tauri//localhost", "tauri://localhost"],
    ["tauri:///localhost", "tauri://localhost"],
    ["capacitor:localhost/", "capacitor://localhost"],
    ["chrome-extension:/abcdef/popup.html", "chrome-extension://abcdef"],
  ])("written wrongly is refused with the right form: %s", async (wrong, right) => {
    const response = await from(right, `https://a.example,${wrong}`);
    expect(response.status).toBe(503);
    const { message } = await response.json<ErrorBody>();
    expect(message).toContain("CORS_ORIGINS");
    expect(message).toContain(`: write ${right} for number 2.`);
    expect(message).not.toContain("password");
    expect((await from(right, `https://a.example,${right}`)).status).toBe(200);
  });

  it.each([
    "null",
    "*",
    "nowhere",
    "file://",
    "file:///index.html",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://",
    "https:// example.com",
    "chrome-extension://*",
    "https://*",
    "user:a-secret-of-someone",
    "postgres:/a-secret-of-someone",
    "ttp:a-secret-of-someone",
    "[a-secret-of-someone]",
    "sk_live_0123456789abcdef",
    "a secret of more than thirty-two bytes",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ5b3UifQ.vkd-SOdPGIrz3Aylr37FJAKankFFyA2B7yLGQG_NDxE",
  ])("is not repeated if it may be a secret: %s", async (wrong) => {
    const response = await from("https://example.com", wrong);
    expect(response.status).toBe(503);
    const { message } = await response.json<ErrorBody>();
    expect(message).toContain("CORS_ORIGINS");
    expect(message).not.toContain("write ");
    if (wrong.length > 10) expect(message).not.toContain(wrong);
  });

  it("sees the status of an error", async () => {
    const response = await fetchApi("/nowhere", { headers: { origin: "https://app.example" } });
    expect(response.status).toBe(404);
    expect(response.headers.get("vary")).toContain("Origin");
  });

  it("may read only if CORS_ORIGINS names it", async () => {
    for (const [origin, allowed] of [
      ["https://app.example", "https://app.example"],
      ["https://app.example.evil", null],
      ["null", null],
    ] as const) {
      const response = await fetchApi("/healthz", { headers: { origin } });
      expect(response.headers.get("access-control-allow-origin")).toBe(allowed);
    }
    const response = await fetchApi("/healthz", { headers: { origin: "https://app.example" } });
    expect(response.headers.get("access-control-expose-headers")).toContain("X-Query-Id");
  });

  it("costs nothing if CORS_ORIGINS is wrong", async () => {
    const user = await newUser();
    const request = new Request("https://belay.test/api/v1/ai/ask?stream=true", {
      method: "POST",
      headers: { authorization: `Bearer ${user.token}`, "content-type": "application/json" },
      body: JSON.stringify({ query: scripted({ tokens: 3 }), onDisconnect: "continue" }),
    });
    const response = await handle(request, { ...env, CORS_ORIGINS: "nowhere" } as Env);
    expect(response.status).toBe(503);
    await response.body?.cancel();
    expect(await user.receipts()).toEqual([]);
  });
});
