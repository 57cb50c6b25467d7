// ALLOWED_HOSTS. Over raw sockets: servers/hosts.test.ts.

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { handle } from "../../src/edge/edge.ts";
import type { Env } from "../../src/wiring.ts";

function health(url: string, allowed: string, init: RequestInit = {}): Promise<Response> {
  return handle(new Request(`${url}/healthz`, init), { ...env, ALLOWED_HOSTS: allowed } as Env);
}

describe("a deployment", () => {
  it.each(["https://belay.example.com", "http://evil.example", "http://[::2]:80"])(
    "without ALLOWED_HOSTS answers to every host: %s",
    async (url) => {
      expect((await health(url, "")).status).toBe(200);
      expect((await health(url, " , ")).status).toBe(200);
    },
  );

  it.each([
    ["https://belay.example.com", 200],
    ["https://BELAY.example.com:8443", 200],
    ["http://[fd00::1]:80", 200],
    ["https://example.com", 403],
    ["https://belay.example.com.evil.example", 403],
    ["https://belay.example.com.", 403],
  ])("with ALLOWED_HOSTS answers to %s with %i", async (url, status) => {
    const response = await health(url, "Belay.example.com, [fd00::1]");
    expect(response.status).toBe(status);
    await response.text();
  });

  it.each([
    ["https://belay.example.com", 405],
    ["https://app.example", 405],
    ["https://evil.example", 403],
    ["null", 403],
  ])("answers a POST from a page of %s with %i", async (origin, status) => {
    const init = { method: "POST", headers: { origin } };
    const response = await health("https://belay.example.com", "belay.example.com", init);
    expect(response.status).toBe(status);
    const reading = { headers: { origin } };
    expect((await health("https://belay.example.com", "belay.example.com", reading)).status).toBe(
      200,
    );
  });

  it.each(["https://a.b", "a.b:80", "*", "a b", "a.b/c"])(
    "refuses the wrong entry %j",
    async (allowed) => {
      const response = await health("https://a.b", allowed);
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({
        code: "UNAVAILABLE",
        message: expect.stringMatching(/^The variable ALLOWED_HOSTS must be host names such as /),
      });
    },
  );
});
