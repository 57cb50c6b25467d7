// A bearer token that was checked once is not trusted beyond its
// time, nor under other variables.

import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { handle } from "../../src/edge/edge.ts";
import { VerifiedTokens } from "../../src/edge/verified-tokens.ts";
import type { Env } from "../../src/wiring.ts";
import { bearer } from "../harness.ts";

afterEach(() => {
  vi.useRealTimers();
});

async function statusOf(token: string, variables: Record<string, string> = {}): Promise<number> {
  const request = new Request("https://belay.test/api/v1/admin/documents", {
    headers: { authorization: `Bearer ${token}` },
  });
  const response = await handle(request, { ...env, ...variables } as Env);
  await response.text();
  return response.status;
}

describe("a bearer token that was accepted before", () => {
  it("is accepted again until it expires", async () => {
    const exp = Math.floor(Date.now() / 1000) + 60;
    const token = await bearer({ sub: "alice", scope: "operator", exp });
    expect(await statusOf(token)).toBe(200);
    expect(await statusOf(token)).toBe(200);
    vi.useFakeTimers({ toFake: ["Date"], now: (exp + 4) * 1000 });
    expect(await statusOf(token)).toBe(200);
    vi.setSystemTime((exp + 5) * 1000);
    expect(await statusOf(token)).toBe(401);
    expect(await statusOf(token)).toBe(401);
  });

  it("is refused before its time, after the clock went back", async () => {
    const nbf = Math.floor(Date.now() / 1000);
    const token = await bearer({ sub: "alice", scope: "operator", nbf });
    expect(await statusOf(token)).toBe(200);
    vi.useFakeTimers({ toFake: ["Date"], now: (nbf - 10) * 1000 });
    expect(await statusOf(token)).toBe(401);
  });

  it.each([
    ["secret", { AUTH_SECRET: "another secret of thirty-two bytes or more" }],
    ["audience", { AUTH_AUDIENCE: "another" }],
    ["issuer", { AUTH_ISSUER: "another" }],
  ])("is refused under another %s", async (_what, variables) => {
    const token = await bearer({ sub: "alice", scope: "operator" });
    expect(await statusOf(token)).toBe(200);
    expect(await statusOf(token, variables)).toBe(401);
    expect(await statusOf(token)).toBe(200);
  });

  it("makes an operator only while the variables say so", async () => {
    const token = await bearer({ sub: "alice", staff: true });
    const named = { AUTH_OPERATOR_CLAIM: "staff" };
    expect(await statusOf(token, named)).toBe(200);
    expect(await statusOf(token)).toBe(403);
    expect(await statusOf(token, named)).toBe(200);
  });

  it("is not accepted with another signature", async () => {
    const token = await bearer({ sub: "alice", scope: "operator" });
    expect(await statusOf(token)).toBe(200);
    const forged = token.replace(/.{4}$/, (end) => (end === "AAAA" ? "BBBB" : "AAAA"));
    expect(await statusOf(forged)).toBe(401);
  });
});

describe("the bearer tokens that are kept", () => {
  it("are a thousand at most, and none is long", () => {
    const tokens = new VerifiedTokens<number>();
    const valid = { notBefore: 0, expires: Number.POSITIVE_INFINITY };
    for (let n = 0; n <= 1_000; n += 1) tokens.add(`token ${n}`, { caller: n, ...valid });
    expect(tokens.get("token 0", 5)).toBeUndefined();
    expect(tokens.get("token 1", 5)).toBe(1);
    expect(tokens.get("token 1000", 5)).toBe(1_000);
    tokens.add("long".repeat(1_000), { caller: 1, ...valid });
    expect(tokens.get("long".repeat(1_000), 5)).toBeUndefined();
  });
});
