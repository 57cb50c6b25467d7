// The budget over real sockets: many users at once, a server that is killed,
// and what a check-then-run limiter lets through beside it.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { ShownBudget } from "../../src/budget/shown.ts";
import { API_PREFIX, type ErrorBody } from "../../src/protocol.ts";
import { startCheckThenRun } from "../support/check-then-run.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";
import { ONCE } from "../support/once.ts";
import { SECRET, startScriptedServer } from "../support/server.ts";
import { bearer, request } from "../support/socket-client.ts";
import { User } from "../support/user.ts";

const USERS = 1_000;
const LIMIT = 100;
/** How long the model takes, in milliseconds. */
const MODEL_MS = 200;

let model: ModelServer;

beforeAll(async () => {
  model = await startModelServer();
});
afterAll(() => model.close());

async function shown(url: string): Promise<ShownBudget> {
  const token = await bearer(SECRET, { user: "ops", operator: true });
  return (await request<ShownBudget>(`${url}${API_PREFIX}/admin/budget`, { token })).body;
}

/** What each user got, in one word. */
async function burst(ask: (user: number) => Promise<string>): Promise<Map<string, number>> {
  const got = await Promise.all(Array.from({ length: USERS }, (_, user) => ask(user)));
  const counts = new Map<string, number>();
  for (const word of got) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

describe(`${USERS} users at once on a budget of ${LIMIT}`, ONCE, () => {
  test("exactly as many reach the model, and the others are told", async () => {
    const server = await startScriptedServer({
      model,
      inMemory: true,
      vars: { BUDGET_LIMIT: `${LIMIT}`, BUDGET_PERIOD: "total", DELIVERY_HOLD_MS: "20" },
    });
    const before = model.requests.length;
    try {
      const users = await Promise.all(
        Array.from({ length: USERS }, () => User.on(server.url, SECRET)),
      );
      const counts = await burst(async (number) => {
        const script = { tokens: 2, gapMs: MODEL_MS / 2 };
        const exchange = (users[number] as User).ask(script, { streaming: false });
        await exchange.untilEnd(100_000);
        if (exchange.status === 200) return "answered";
        return (JSON.parse(exchange.text) as ErrorBody).code;
      });
      expect(Object.fromEntries(counts)).toEqual({
        answered: LIMIT,
        BUDGET_EXCEEDED: USERS - LIMIT,
      });
      expect(model.requests.length - before).toBe(LIMIT);
      const { spent, lent } = (await shown(server.url)).generations;
      expect(spent + lent).toBe(LIMIT);
    } finally {
      await server.stop();
    }
  }, 120_000);

  test("a limiter that checks and then runs lets more through", async () => {
    const limiter = await startCheckThenRun(LIMIT, MODEL_MS);
    try {
      await burst(async () => `${(await fetch(limiter.url)).status}`);
      expect(limiter.passed).toBeGreaterThan(LIMIT);
      process.stdout.write(`check-then-run let ${limiter.passed} of ${USERS} through\n`);
    } finally {
      await limiter.close();
    }
  });
});

test("a server that is killed has neither forgotten nor lost what it lent", {
  ...ONCE,
  timeout: 180_000,
}, async () => {
  const persistTo = await mkdtemp(join(tmpdir(), "belay-budget-"));
  const vars = { BUDGET_LIMIT: "30", BUDGET_PERIOD: "total", SWEEP_INTERVAL_MS: "500" };
  const before = model.requests.length;
  try {
    for (let kills = 0; kills < 3; kills += 1) {
      const server = await startScriptedServer({ model, persistTo, vars });
      const users = await Promise.all(
        Array.from({ length: 5 }, (_, user) => User.on(server.url, SECRET, `user ${user}`)),
      );
      for (const user of users) user.ask({ tokens: 1_000, gapMs: 20 });
      await vi.waitFor(
        () => expect(model.requests.length - before).toBeGreaterThanOrEqual(5 * (kills + 1)),
        { timeout: 20_000 },
      );
      await server.kill9();
    }
    const server = await startScriptedServer({ model, persistTo, vars });
    try {
      const { spent, lent } = (await shown(server.url)).generations;
      expect(spent + lent).toBeGreaterThanOrEqual(model.requests.length - before);
      expect(spent + lent).toBeLessThanOrEqual(30);
      // All that is not in use is back within a minute of idleness. A busy machine takes longer.
      const isBack = async () => expect((await shown(server.url)).generations.lent).toBe(0);
      await vi.waitFor(isBack, { timeout: 90_000, interval: 1_000 });
      expect((await shown(server.url)).generations.spent).toBe(model.requests.length - before);
    } finally {
      await server.stop();
    }
  } finally {
    await rm(persistTo, { recursive: true });
  }
});
