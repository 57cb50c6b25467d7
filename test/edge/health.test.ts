// GET /healthz with a storage that takes writes, and with one that fails.

import { env, exports } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { handle } from "../../src/edge/edge.ts";
import type { Env } from "../../src/wiring.ts";

const ADDRESS = "https://belay.test/healthz";

it("/healthz is 200 without a bearer token when storage takes writes", async () => {
  for (let call = 0; call < 3; call += 1) {
    const response = await exports.default.fetch(new Request(ADDRESS));
    expect([response.status, await response.text()]).toEqual([200, "ok\n"]);
  }
});

it("/healthz is 503 when storage does not answer a write", async () => {
  vi.useFakeTimers();
  try {
    const tryWrite = () => new Promise<void>(() => {});
    const variables = { ...env, USERS: { getByName: () => ({ tryWrite }) } } as unknown as Env;
    const response = handle(new Request(ADDRESS), variables);
    await vi.advanceTimersByTimeAsync(5_000);
    expect((await response).status).toBe(503);
  } finally {
    vi.useRealTimers();
  }
});

it("/healthz is 503 when a write fails, tries again after a second, and recovers", async () => {
  let isOut = true;
  let tries = 0;
  const tryWrite = async () => {
    tries += 1;
    if (isOut) throw new Error("database or disk is full");
  };
  const variables = { ...env, USERS: { getByName: () => ({ tryWrite }) } } as unknown as Env;
  const call = () => handle(new Request(ADDRESS), variables);
  for (const response of await Promise.all([await call(), await call(), await call()])) {
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("10");
    const body = await response.json<{ code: string; message: string }>();
    expect(body).toMatchObject({ type: "error", code: "UNAVAILABLE" });
    expect(body.message).not.toContain("full");
  }
  expect(tries).toBe(1);
  isOut = false;
  await scheduler.wait(1_050);
  expect((await call()).status).toBe(200);
});
