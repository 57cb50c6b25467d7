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

it.each([
  ["a line break", "sk-canary\nX-Header: y", 503],
  ["a control character", "sk-canary\u0001", 503],
  ["a letter outside ASCII", "sk-canaryü", 503],
  ["a line break at its end", "sk-canary\r\n", 200],
])("/healthz tells of a model's key with %s, and not the key", async (_what, key, status) => {
  const urls = { OPENAI_BASE_URL: "https://model.example/v1", RERANKER: "openai-compatible" };
  const reranker = { ...urls, RERANKER_MODEL: "a", RERANKER_API_KEY: key };
  for (const [name, variables] of [
    ["OPENAI_API_KEY", { OPENAI_API_KEY: key }],
    ["RERANKER_API_KEY", reranker],
  ] as const) {
    const response = await handle(new Request(ADDRESS), { ...env, ...variables } as unknown as Env);
    const said = await response.text();
    expect([name, response.status]).toEqual([name, status]);
    if (status === 503) expect(said).toContain(`The variable ${name} must be one line`);
    expect(said).not.toContain("canary");
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
