// What is deleted, and when: keys, texts, rows, and all of a user whom an operator erases.
// The audit must be exact before, during and after.

import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { adminPath, asOperator, audit, newUser, scripted, type TestUser } from "./harness.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const start = Date.parse("2027-03-10T12:00:00Z");

afterEach(() => {
  vi.useRealTimers();
});

function setClock(time: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: time });
}

async function askTimes(user: TestUser, times: number): Promise<string[]> {
  const asked: string[] = [];
  for (let index = 0; index < times; index += 1) {
    const stream = await user.ask(`Question ${index} of ${crypto.randomUUID()}.`);
    await stream.all();
    await user.resolved(stream.queryId);
    asked.push(stream.queryId);
  }
  return asked;
}

/** Lets the alarm ring as often as it is due. */
async function ring(user: TestUser, times = 4): Promise<void> {
  for (let time = 0; time < times; time += 1) await runDurableObjectAlarm(user.stub);
}

describe("retention", () => {
  it("forgets a key after a day, so that it may be used again", async () => {
    setClock(start);
    const user = await newUser();
    const headers = { "idempotency-key": "k" };
    const first = await user.ask("One?", {}, headers);
    await first.all();
    await user.resolved(first.queryId);
    await ring(user);
    expect(await user.rows("SELECT * FROM keys")).toHaveLength(1);
    setClock(start + DAY_MS + 1_000);
    await ring(user);
    expect(await user.rows("SELECT * FROM keys")).toEqual([]);
    const second = await user.ask("Two?", {}, headers);
    expect((await second.all()).at(-1)).toMatchObject({ type: "done" });
  });

  it.each(["day", "month"])(
    "of a %s empties what was said first, and drops the row later",
    async (period) => {
      setClock(start);
      const user = await newUser({ RETENTION_DAYS: "5", QUOTA_PERIOD: period, QUOTA_LIMIT: "10" });
      const [first] = await askTimes(user, 3);
      await user.post("/ai/feedback", { queryId: first, rating: "up", comment: "Good." });
      const failed = await user.ask({ status: 500 });
      await failed.all();
      expect(await audit(user)).toEqual({ ok: true, differences: [] });

      setClock(start + 5 * DAY_MS + 1_000);
      await ring(user);
      expect(await user.receipt(first ?? "")).toMatchObject({
        state: "charged",
        query: null,
        answer: null,
        sources: null,
        feedback: { rating: "up", comment: null },
      });
      expect((await user.request(`/ai/queries/${first}/events`)).status).toBe(410);
      expect((await user.post("/ai/feedback", { queryId: first, rating: "up" })).status).toBe(410);
      expect(await audit(user)).toEqual({ ok: true, differences: [] });

      const end = period === "day" ? "2027-03-11T00:00:00Z" : "2027-04-01T00:00:00Z";
      setClock(Date.parse(end) + 5 * DAY_MS + 1_000);
      await ring(user);
      expect((await user.request(`/ai/queries/${first}`)).status).toBe(404);
      expect(await user.rows("SELECT * FROM queries")).toEqual([]);
      expect(await user.rows("SELECT * FROM windows")).toEqual([]);
      expect(await audit(user)).toEqual({ ok: true, differences: [] });
    },
  );

  it("of a total keeps counting what it no longer holds", async () => {
    setClock(start);
    const user = await newUser({ RETENTION_DAYS: "5", QUOTA_PERIOD: "total", QUOTA_LIMIT: "4" });
    await askTimes(user, 3);
    setClock(start + 5 * DAY_MS + 1_000);
    await ring(user);
    expect(await user.rows("SELECT * FROM queries")).toEqual([]);
    expect(await user.quota()).toMatchObject({ charged: 3, remaining: 1 });
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
    await askTimes(user, 1);
    expect(await user.quota()).toMatchObject({ charged: 4, remaining: 0 });
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  it("never uses a number twice, so that later queries are deleted too", async () => {
    setClock(start);
    const user = await newUser({ RETENTION_DAYS: "1" });
    await askTimes(user, 2);
    setClock(start + 30 * DAY_MS);
    await ring(user);
    expect(await user.rows("SELECT * FROM queries")).toEqual([]);
    const [queryId = ""] = await askTimes(user, 1);
    setClock(start + 31.2 * DAY_MS);
    await ring(user);
    expect(await user.rows("SELECT * FROM keys")).toEqual([]);
    expect(await user.receipt(queryId)).toMatchObject({ query: null, answer: null });
  });

  it("goes in batches, and the audit is exact after each", async () => {
    setClock(start);
    const user = await newUser({ RETENTION_DAYS: "1", QUOTA_LIMIT: "1000" });
    await askTimes(user, 1);
    // 250 more of the same, behind the object's back: real asks would take a while.
    await user.rows(`
      INSERT INTO queries (number, id, state, window, key, asked_at, resolved_at, on_disconnect, query)
      SELECT value + 1, value + 1 || '-x', 'charged', '2027-03-10', NULL, ${start}, ${start}, 'cancel', 'x'
      FROM json_each('[${Array.from({ length: 250 }, (_, index) => index + 1)}]')`);
    await user.rows("UPDATE windows SET charged = 251");
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
    setClock(start + 10 * DAY_MS);
    const left: number[] = [];
    for (let batch = 0; batch < 3; batch += 1) {
      await ring(user, 1);
      left.push((await user.rows("SELECT number FROM queries")).length);
      expect(await audit(user)).toEqual({ ok: true, differences: [] });
    }
    expect(left).toEqual([151, 51, 0]);
  });
});

describe("erasing a user", () => {
  it("leaves nothing of them, ends what runs, and the next ask works", async () => {
    const user = await newUser();
    await askTimes(user, 2);
    const stream = await user.ask({ tokens: 300, gapMs: 20 });
    await stream.until("token");
    const erased = await asOperator(adminPath(user), { method: "DELETE" });
    expect(erased.status).toBe(204);
    expect((await stream.all()).at(-1)).toMatchObject({ type: "error", code: "CANCELLED" });
    const tables = await user.rows<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'",
    );
    expect(tables).toEqual([]);
    expect((await asOperator(adminPath(user))).status).toBe(404);
    expect((await asOperator(adminPath(user), { method: "DELETE" })).status).toBe(404);
    expect(await runDurableObjectAlarm(user.stub)).toBe(false);
    await askTimes(user, 1);
    expect(await user.quota()).toMatchObject({ charged: 1, reserved: 0 });
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  it("answers 404 to a reader who waits for a place meanwhile", async () => {
    const user = await newUser({ DELIVERY_HOLD_MS: "1000" });
    const stream = await user.ask({ tokens: 1_000, gapMs: 20 });
    await stream.until("token");
    const others = [stream];
    while (others.length < 8) others.push(await user.events(stream.queryId));
    const late = user.request(`/ai/queries/${stream.queryId}/events`);
    await scheduler.wait(100);
    await asOperator(adminPath(user), { method: "DELETE" });
    const response = await late;
    expect([response.status, await response.json()]).toMatchObject([404, { code: "NOT_FOUND" }]);
    for (const other of others) other.leave();
  });
});

describe("erasing a user whose answer is just going out", () => {
  it("ends a stream and a JSON answer with CANCELLED, though its status has gone out", async () => {
    const user = await newUser({ DELIVERY_HOLD_MS: "300" });
    const stream = await user.ask({ tokens: ["whole"] });
    const response = await user.askForJson({ tokens: ["whole too"] });
    expect(response.status).toBe(200);
    await asOperator(adminPath(user), { method: "DELETE" });
    expect((await stream.all()).at(-1)).toMatchObject({ type: "error", code: "CANCELLED" });
    expect(await response.json()).toMatchObject({ type: "error", code: "CANCELLED" });
  });
});

it("erasing a user ends who still reads an answer that was charged", async () => {
  const user = await newUser();
  const query = scripted({ tokens: 100, tokenLength: 2_000, gapMs: 1 });
  const [first, slow] = [await user.ask(query), await user.ask(query)];
  await slow.until("start");
  await first.all();
  await user.resolved(first.queryId);
  expect((await asOperator(adminPath(user), { method: "DELETE" })).status).toBe(204);
  expect((await slow.all()).at(-1)).toMatchObject({ type: "error", code: "CANCELLED" });
});

describe("an operator's refund", () => {
  it("takes back a charge once, and leaves the answer readable", async () => {
    const user = await newUser();
    const [queryId = ""] = await askTimes(user, 1);
    const path = `${adminPath(user)}/queries/${queryId}/refund`;
    for (let time = 0; time < 2; time += 1) {
      const response = await asOperator(path, { method: "POST" });
      expect(await response.json()).toMatchObject({ state: "refunded", reason: "operator" });
    }
    expect(await user.quota()).toMatchObject({ charged: 0, refunded: 1, refundsLeft: 20 });
    expect((await (await user.events(queryId)).all()).at(-1)).toMatchObject({ type: "done" });
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  it("shows no text with SHARE_QUERIES=false", async () => {
    const user = await newUser({ SHARE_QUERIES: "false" });
    const [queryId = ""] = await askTimes(user, 1);
    const path = `${adminPath(user)}/queries/${queryId}/refund`;
    const receipt = await (await asOperator(path, { method: "POST" })).json();
    expect(receipt).toMatchObject({ state: "refunded", query: null, answer: null, sources: null });
  });

  it("does nothing to what was never charged, or is not there", async () => {
    const user = await newUser();
    const stream = await user.ask({ status: 500 });
    await stream.all();
    const path = (id: string) => `${adminPath(user)}/queries/${id}/refund`;
    const refunded = await asOperator(path(stream.queryId), { method: "POST" });
    expect(await refunded.json()).toMatchObject({ reason: "failed" });
    expect((await asOperator(path("1-x"), { method: "POST" })).status).toBe(404);
  });
});
