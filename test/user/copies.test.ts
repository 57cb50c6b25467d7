// The rows that a user object keeps in memory, beside its database: after whatever is written, a
// new instance, which has to read them, says the same.

import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { adminPath, asOperator, audit, newUser, scripted, type TestUser } from "../harness.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("what a user object keeps in memory", () => {
  it("is what it has stored, whatever was written or failed", async () => {
    setClock("2030-05-17T12:00:00Z");
    const user = await newUser({ QUOTA_LIMIT: "9", REFUND_LIMIT: "4" });
    const quota = { limit: 9, reserved: 0, charged: 0, refunded: 0 };
    await same(user, { ...quota, remaining: 9, refundsLeft: 4 });

    const first = await answered(user);
    expect(first).toMatch(/^1-/);
    await same(user, { ...quota, charged: 1, remaining: 8 });
    await left(user);
    await same(user, { ...quota, charged: 1, refunded: 1, remaining: 8, refundsLeft: 3 });

    // A reservation that fails after its writes uses no number up.
    await failTransaction(user);
    expect((await user.post("/ai/ask", { query: "Refused?" })).status).toBe(500);
    await same(user, { ...quota, charged: 1, refunded: 1, remaining: 8 });
    expect(await answered(user)).toMatch(/^3-/);

    // A charge that fails is left to the sweep.
    await failTransaction(user, "reserved");
    const given = await user.ask(scripted({ tokens: 2 }, crypto.randomUUID()));
    await given.all();
    expect(await user.quota()).toMatchObject({ reserved: 1, charged: 2, remaining: 6 });
    await runDurableObjectAlarm(user.stub);
    await same(user, { ...quota, charged: 2, refunded: 2, remaining: 7, refundsLeft: 3 });

    // An operator's changes count from the next ask on.
    await patched(user, { limit: 2 });
    expect((await user.post("/ai/ask", { query: "Over?" })).status).toBe(429);
    await same(user, { limit: 2, remaining: 0, charged: 2 });
    await asOperator(`${adminPath(user)}/queries/${first}/refund`, { method: "POST" });
    await same(user, { limit: 2, remaining: 1, charged: 1, refunded: 3 });
    await patched(user, { limit: null, blocked: true });
    expect((await user.post("/ai/ask", { query: "Blocked?" })).status).toBe(403);
    await patched(user, { blocked: false });
    expect(await answered(user)).toMatch(/^5-/);
    await same(user, { limit: 9, remaining: 7, charged: 2, refunded: 3 });
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  it("is what it has stored, in a new window, after retention and after an erasure", async () => {
    setClock("2030-05-17T12:00:00Z");
    const user = await newUser({ QUOTA_LIMIT: "9", RETENTION_DAYS: "1" });
    await answered(user);
    await same(user, { remaining: 8, charged: 1 });

    // A new window, in which the clock goes back.
    setClock("2030-05-18T00:00:01Z");
    await same(user, { remaining: 9, charged: 0 });
    await answered(user);
    setClock("2030-05-17T23:59:59Z");
    await same(user, { remaining: 8, charged: 1 });

    // Retention deletes rows and windows; their numbers are not used again.
    setClock("2030-06-20T12:00:00Z");
    await runDurableObjectAlarm(user.stub);
    expect(await user.rows("SELECT window FROM windows")).toEqual([]);
    await same(user, { remaining: 9, charged: 0 });
    expect(await answered(user)).toMatch(/^3-/);
    await same(user, { remaining: 8, charged: 1 });
    expect(await audit(user)).toEqual({ ok: true, differences: [] });

    // An erased user begins again.
    await answered(user);
    await patched(user, { limit: 1 });
    await asOperator(adminPath(user), { method: "DELETE" });
    expect(await answered(user)).toMatch(/^1-/);
    await same(user, { limit: 9, remaining: 8, charged: 1, refunded: 0 });
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });
});

/** The object says it now, and so does a new instance. */
async function same(user: TestUser, expected: Record<string, number>): Promise<void> {
  const kept = await user.quota();
  expect(kept).toMatchObject(expected);
  await abortAllDurableObjects();
  expect(await user.quota()).toEqual(kept);
}

async function answered(user: TestUser): Promise<string> {
  const stream = await user.ask(scripted({ tokens: 1 }, crypto.randomUUID()));
  await stream.all();
  expect(await user.resolved(stream.queryId)).toMatchObject({ state: "charged" });
  return stream.queryId;
}

async function left(user: TestUser): Promise<void> {
  const stream = await user.ask(scripted({ tokens: 500, gapMs: 20 }, crypto.randomUUID()));
  await stream.until("token");
  stream.leave();
  expect(await user.resolved(stream.queryId)).toMatchObject({ state: "refunded" });
}

async function patched(user: TestUser, change: Record<string, unknown>): Promise<void> {
  const body = JSON.stringify(change);
  expect((await asOperator(adminPath(user), { method: "PATCH", body })).status).toBe(200);
}

/**
 * The next transaction throws after its writes; or the next that finds
 * something reserved, so that the reservation itself succeeds.
 */
async function failTransaction(user: TestUser, which: "any" | "reserved" = "any"): Promise<void> {
  await runInDurableObject(user.stub, (_object, { storage }) => {
    const real = storage.transactionSync.bind(storage);
    const isMeant = () =>
      which === "any" ||
      storage.sql.exec("SELECT 1 FROM queries WHERE state = 'reserved'").toArray().length > 0;
    storage.transactionSync = (closure) => {
      if (!isMeant()) return real(closure);
      storage.transactionSync = real;
      return real(() => {
        closure();
        throw new Error("disk I/O error");
      });
    };
  });
}

function setClock(time: string): void {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date(time) });
}
