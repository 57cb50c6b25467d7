// Reports of users to the directory: what it shows is what their own logs and
// audits say, through crashes, outages and restored copies of either side.
//
// The seed of the random histories is fixed. FC_RUNS and FC_SEED are as in
// test/model.

import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { DirectoryObject } from "../../src/directory/directory-object.ts";
import { Reports } from "../../src/directory/reports.ts";
import { NOTHING, ORIGIN, type Report } from "../../src/report.ts";
import { Outbox } from "../../src/user/outbox.ts";
import { adminPath, asOperator, audit, type TestUser } from "../harness.ts";
import {
  answered,
  copyNewest,
  countedBy,
  countedIn,
  failed,
  left,
  patched,
  refundedByOperator,
  reported,
  restore,
  type Snapshot,
  snapshot,
  TestDirectory,
} from "./reporting.ts";

const HISTORIES = 5;
/** These histories have every step, and restore both sides. */
const SEED = 10;

vi.setConfig({ testTimeout: 60_000 });

/** A binding of vitest.config.ts, or the default if that is not set. */
function given(name: "FC_SEED" | "FC_RUNS", otherwise: number): number {
  return Number((env as unknown as Record<string, unknown>)[name] || otherwise);
}

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function silence(): void {
  vi.spyOn(console, "error").mockImplementation(() => {});
}

/** What the directory counts is what the users' own logs have. */
async function isExact(directory: TestDirectory, users: readonly TestUser[]): Promise<void> {
  const counted = await countedBy(users);
  expect(countedIn(await directory.days())).toEqual(counted);
  const asked = Object.values(counted).reduce((total, count) => total + count, 0);
  const shown = await directory.users();
  expect(shown.reduce((total, user) => total + user.asked, 0)).toBe(asked);
  for (const user of users) {
    const own = await countedBy([user]);
    const row = shown.find(({ user: name }) => name === user.name);
    if (row !== undefined) expect({ charged: row.charged, ...row.refunded }).toEqual(own);
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  }
  const ids = (await directory.queries()).map(({ queryId, state, reason, rating }) => ({
    ...{ id: queryId, state, reason, rating },
  }));
  const rows = await Promise.all(
    users.map((user) => user.rows<{ id: string }>("SELECT id, state, reason, rating FROM queries")),
  );
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
  expect(ids.sort(byId)).toEqual(rows.flat().sort(byId));
}

describe("a resolved query", () => {
  it("is reported by the next alarm, with the user, the day and what it took", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    const id = await answered(user, "How tall is a giraffe?");
    expect(await directory.users()).toEqual([]);
    expect(await runDurableObjectAlarm(user.stub)).toBe(true);
    const [query] = await directory.queries();
    const receipt = await user.receipt(id);
    expect(query).toMatchObject({
      queryId: id,
      user: user.name,
      askedAt: receipt.askedAt,
      ...{ state: "charged", reason: null, found: true, tokens: 2, rating: null },
      ...{ firstTokenMs: receipt.firstTokenMs, totalMs: receipt.totalMs },
      ...{ question: receipt.query, answer: receipt.answer, comment: null },
      collections: ["default"],
    });
    const [shown] = await directory.users();
    expect(shown).toEqual({
      ...{ user: user.name, firstSeen: receipt.askedAt, lastSeen: receipt.askedAt },
      ...{ asked: 1, charged: 1, failed: 0, tokens: 2, blocked: false, limit: 20 },
      refunded: {
        ...{ disconnected: 0, cancelled: 0, nothing_found: 0, failed: 0, expired: 0, operator: 0 },
      },
    });
    const [day] = await directory.days();
    expect(day).toMatchObject({ day: receipt.askedAt.slice(0, 10), asked: 1, tokens: 2 });
    const sum = (counts: readonly number[] = []) => counts.reduce((total, one) => total + one, 0);
    expect(sum(day?.firstTokenMs)).toBe(1);
    expect(sum(day?.totalMs)).toBe(1);
    await isExact(directory, [user]);
  });

  it("writes no row more in the user's object", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    await answered(user);
    await reported(user);
    const written = await runInDurableObject(user.stub, (_object, { storage }) => {
      const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
      const exec = storage.sql.exec.bind(storage.sql);
      storage.sql.exec = (query: string, ...bindings: unknown[]) => {
        const cursor = exec<never>(query, ...bindings);
        cursors.push(cursor);
        return cursor;
      };
      return () => cursors.splice(0).reduce((sum, { rowsWritten }) => sum + rowsWritten, 0);
    });
    for (let ask = 0; ask < 3; ask += 1) await answered(user);
    await runInDurableObject(user.stub, () => written());
    await runDurableObjectAlarm(user.stub);
    // Another alarm finds nothing to report.
    await reported(user);
    expect(await runInDurableObject(user.stub, () => written())).toBe(0);
    await isExact(directory, [user]);
  });

  it("waits for those that were asked before it", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    const running = await user.ask({ tokens: 500, gapMs: 20 });
    await running.until("token");
    await answered(user);
    await reported(user);
    expect(await directory.queries()).toEqual([]);
    running.leave();
    await user.resolved(running.queryId);
    await reported(user);
    expect((await directory.queries()).map(({ state }) => state)).toEqual(["charged", "refunded"]);
    await isExact(directory, [user]);
  });

  it("is counted on the UTC day on which it was asked", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2030-05-17T23:59:58Z") });
    await answered(user);
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2030-05-18T00:00:02Z") });
    await answered(user);
    await failed(user);
    await reported(user);
    const days = await directory.days();
    expect(days.map(({ day, asked }) => [day, asked])).toEqual([
      ["2030-05-17", 1],
      ["2030-05-18", 2],
    ]);
    await isExact(directory, [user]);
  });
});

describe("a change after a query was reported", () => {
  it("is reported: a rating, a comment, and an operator's refund", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    const id = await answered(user);
    await reported(user);
    const body = { queryId: id, rating: "down", comment: "It is too short." };
    await user.post("/ai/feedback", body);
    // The change sets an alarm.
    expect(await runDurableObjectAlarm(user.stub)).toBe(true);
    const [rated] = await directory.queries("&rating=down");
    expect(rated).toMatchObject({ rating: "down", comment: "It is too short.", state: "charged" });
    await refundedByOperator(user, id);
    expect(await runDurableObjectAlarm(user.stub)).toBe(true);
    expect(await directory.queries()).toMatchObject([{ state: "refunded", reason: "operator" }]);
    await user.post("/ai/feedback", { queryId: id, rating: null });
    await reported(user);
    expect(await directory.queries()).toMatchObject([{ rating: null, comment: null }]);
    await isExact(directory, [user]);
  });

  it("is reported of a user without asks: a limit, and a block", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    await patched(user, { limit: 7, blocked: true });
    expect(await runDurableObjectAlarm(user.stub)).toBe(true);
    expect(await directory.user(user)).toMatchObject({ limit: 7, blocked: true, asked: 0 });
    expect(await directory.user(user)).toMatchObject({ firstSeen: null, lastSeen: null });
    await patched(user, { limit: null, blocked: false });
    await reported(user);
    expect(await directory.user(user)).toMatchObject({ limit: 20, blocked: false });
  });
});

describe("the directory", () => {
  it("that is down delays no ask, and gets each report once when it is back", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    silence();
    const down = vi.spyOn(DirectoryObject.prototype, "report").mockImplementation(() => {
      throw new Error("The directory is down.");
    });
    for (let ask = 0; ask < 3; ask += 1) {
      await answered(user);
      await runDurableObjectAlarm(user.stub);
    }
    // It tries again by itself, later each time.
    const next = async () =>
      (await runInDurableObject(user.stub, (_object, { storage }) => storage.getAlarm())) ?? 0;
    const waits: number[] = [];
    for (let ring = 0; ring < 4; ring += 1) {
      await runDurableObjectAlarm(user.stub);
      waits.push((await next()) - Date.now());
    }
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(waits[3]).toBeGreaterThan(2 * (waits[1] ?? 0));
    expect(down).toHaveBeenCalled();
    down.mockRestore();
    await runDurableObjectAlarm(user.stub);
    await isExact(directory, [user]);
  });

  it("that is slow holds an alarm for seconds, and no ask", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    silence();
    const real = DirectoryObject.prototype.report;
    const slow = vi.spyOn(DirectoryObject.prototype, "report");
    slow.mockImplementation(async function (this: DirectoryObject, ...report) {
      await scheduler.wait(3_500);
      return real.apply(this, report);
    });
    await answered(user);
    const startedAt = performance.now();
    let isOver = false;
    const alarm = runInDurableObject(user.stub, (object) => object.alarm()).then(() => {
      isOver = true;
    });
    await vi.waitFor(() => expect(slow).toHaveBeenCalled());
    await answered(user);
    expect(isOver).toBe(false);
    await alarm;
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    slow.mockRestore();
    // The report came in late, and counts once.
    await expect.poll(() => directory.users(), { timeout: 10_000 }).toHaveLength(1);
    await reported(user);
    await isExact(directory, [user]);
  });

  it("whose writes fail gets each report once when they succeed", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    silence();
    await answered(user);
    await reported(user);
    await answered(user);
    await runInDurableObject(directory.stub, (_object, { storage }) => {
      storage.transactionSync = () => {
        throw new Error("database or disk is full");
      };
    });
    await reported(user);
    await abortAllDurableObjects();
    expect(await directory.queries()).toHaveLength(1);
    await reported(user);
    await isExact(directory, [user]);
  });

  it("applies a report once, however often it arrives", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    const report = vi.spyOn(DirectoryObject.prototype, "report");
    await answered(user);
    await answered(user);
    await reported(user);
    await answered(user);
    await reported(user);
    const calls = report.mock.calls.map((call) => structuredClone(call));
    expect(calls.length).toBeGreaterThan(1);
    for (const [id, again] of calls) await directory.stub.report(id, again);
    for (const [id, again] of calls.toReversed()) await directory.stub.report(id, again);
    await isExact(directory, [user]);
  });

  it("that is restored from an older copy gets what it lacks", async () => {
    const directory = new TestDirectory();
    const [user, other] = [await directory.newUser(), await directory.newUser()];
    const first = await answered(user);
    await reported(user);
    const old = await snapshot(directory.stub);
    await answered(user);
    await failed(user);
    await user.post("/ai/feedback", { queryId: first, rating: "up" });
    await refundedByOperator(user, first);
    await reported(user);
    await answered(other);
    await reported(other);
    await restore(directory.stub, old);
    expect(await directory.queries()).toHaveLength(1);
    // The next report of each user, and the next alarm without one, finds it.
    await answered(user);
    await runDurableObjectAlarm(user.stub);
    await abortAllDurableObjects();
    await reported(other);
    await isExact(directory, [user, other]);
  });

  it("that has lost everything gets everything", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    for (let ask = 0; ask < 3; ask += 1) await answered(user);
    await patched(user, { limit: 9 });
    await reported(user);
    await runInDurableObject(directory.stub, (_object, { storage }) => storage.deleteAll());
    await abortAllDurableObjects();
    await reported(user);
    expect(await directory.user(user)).toMatchObject({ limit: 9, asked: 3 });
    await isExact(directory, [user]);
  });

  it("gets more than one report holds, page by page", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    await answered(user);
    await copyNewest(user, 1200);
    await abortAllDurableObjects();
    const report = vi.spyOn(DirectoryObject.prototype, "report");
    await reported(user);
    expect(report.mock.calls.length).toBeGreaterThan(10);
    expect(countedIn(await directory.days())).toMatchObject({ charged: 1200 });
    const [{ rows } = { rows: 0 }] = await runInDurableObject(directory.stub, (_o, { storage }) =>
      storage.sql.exec<{ rows: number }>("SELECT count(*) AS rows FROM queries").toArray(),
    );
    expect(rows).toBe(1200);
  });
});

describe("a user object", () => {
  it("that is restored from an older copy replaces what it reported", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    await answered(user);
    await reported(user);
    const old = await snapshot(user.stub);
    for (let ask = 0; ask < 3; ask += 1) await failed(user);
    await reported(user);
    await restore(user.stub, old);
    await reported(user);
    await isExact(directory, [user]);
    await answered(user);
    await reported(user);
    await isExact(directory, [user]);
  });

  it("that is restored, and asks as much as before, replaces what it reported", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    await answered(user);
    await reported(user);
    const old = await snapshot(user.stub);
    for (let ask = 0; ask < 2; ask += 1) {
      await failed(user);
      await reported(user);
    }
    await restore(user.stub, old);
    silence();
    const down = vi
      .spyOn(DirectoryObject.prototype, "report")
      .mockRejectedValue(new Error("Down."));
    for (let ask = 0; ask < 4; ask += 1) {
      await answered(user);
      await reported(user);
    }
    down.mockRestore();
    await reported(user);
    await isExact(directory, [user]);
  });

  it("without a directory writes nothing for it", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser({});
    const none = await directory.newUser();
    const { variables } = await import("../worker.ts");
    variables.set(none.name, { DIRECTORY: undefined });
    await answered(none);
    await reported(none);
    expect(await none.rows("SELECT * FROM days")).toEqual([]);
    // Once it has one, it reports what it had before.
    variables.set(none.name, variables.get(user.name) ?? {});
    await abortAllDurableObjects();
    await reported(none);
    await isExact(directory, [none]);
  });
});

function at(time: string): void {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date(time) });
}

const erase = (user: TestUser) => asOperator(adminPath(user), { method: "DELETE" });

async function asked(directory: TestDirectory): Promise<[string, number][]> {
  return (await directory.days()).map(({ day, asked }) => [day, asked]);
}

describe("the numbers of days", () => {
  it("are stored in the user's object before texts and rows are deleted, tokens included", async () => {
    const directory = new TestDirectory();
    at("2030-05-17T12:00:00Z");
    const user = await directory.newUser({ RETENTION_DAYS: "1" });
    const deleted = await answered(user);
    await answered(user);
    await failed(user);
    await user.request(`/ai/queries/${deleted}`, { method: "DELETE" });
    await reported(user);
    expect(await directory.user(user)).toMatchObject({ asked: 3, charged: 2, tokens: 4 });
    at("2030-05-20T12:00:00Z");
    await reported(user);
    expect(await user.rows("SELECT * FROM queries")).toEqual([]);
    // A directory that has lost everything gets the day still.
    await runInDurableObject(directory.stub, (_object, { storage }) => storage.deleteAll());
    await abortAllDurableObjects();
    await answered(user);
    await reported(user);
    expect(await asked(directory)).toEqual([
      ["2030-05-17", 3],
      ["2030-05-20", 1],
    ]);
    expect(await directory.user(user)).toMatchObject({ asked: 4, tokens: 6 });
  });

  it("count a refund by an operator, whether they are stored or not", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    const first = await answered(user);
    await copyNewest(user, 150);
    await abortAllDurableObjects();
    const late = await answered(user);
    await reported(user);
    const counted = async () => {
      const shown = await directory.user(user);
      return [shown?.charged, shown?.refunded.operator];
    };
    expect(await counted()).toEqual([151, 0]);
    expect(await user.rows("SELECT charged FROM days")).toEqual([{ charged: 151 }]);
    await refundedByOperator(user, first);
    const last = await answered(user);
    await reported(user);
    await refundedByOperator(user, late);
    await refundedByOperator(user, last);
    await reported(user);
    expect(await counted()).toEqual([149, 3]);
    await abortAllDurableObjects();
    await runInDurableObject(directory.stub, (_object, { storage }) => storage.deleteAll());
    await abortAllDurableObjects();
    await reported(user);
    expect(await counted()).toEqual([149, 3]);
  });

  it("are the same before and after they are over, and take what is late", async () => {
    const directory = new TestDirectory();
    at("2030-05-17T12:00:00Z");
    const [user, late] = [await directory.newUser(), await directory.newUser()];
    await answered(user);
    await reported(user);
    await answered(late);
    const open = await directory.days();
    at("2030-05-25T12:00:00Z");
    expect(await directory.days()).toEqual(open);
    const stored = async () =>
      (await snapshot(directory.stub))
        .get("days")
        ?.map(({ is_open, charged }) => [is_open, charged]);
    expect(await stored()).toEqual([[0, 1]]);
    await reported(late);
    expect(await stored()).toEqual([[0, 2]]);
    // The user's newest day is another one now.
    await answered(user);
    await reported(user);
    expect(await asked(directory)).toEqual([
      ["2030-05-17", 2],
      ["2030-05-25", 1],
    ]);
    await abortAllDurableObjects();
    expect(await asked(directory)).toEqual([
      ["2030-05-17", 2],
      ["2030-05-25", 1],
    ]);
    await erase(user);
    expect(await asked(directory)).toEqual([["2030-05-17", 1]]);
    await erase(late);
    expect((await snapshot(directory.stub)).get("days")).toEqual([]);
  });

  it("are right after a report whose transaction failed", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    await answered(user);
    await reported(user);
    // They are in memory from now on.
    expect((await asked(directory)).map(([, count]) => count)).toEqual([1]);
    await answered(user);
    vi.spyOn(console, "error").mockImplementation(() => {});
    const real = Reports.prototype.apply;
    vi.spyOn(Reports.prototype, "apply").mockImplementation(function (this: Reports, ...args) {
      real.apply(this, args);
      throw new Error("database or disk is full");
    });
    await runInDurableObject(user.stub, (object) => object.alarm());
    vi.restoreAllMocks();
    expect((await asked(directory)).map(([, count]) => count)).toEqual([1]);
    await reported(user);
    expect((await asked(directory)).map(([, count]) => count)).toEqual([2]);
  });

  it("of users whose ids make the same number are each their own", async () => {
    const directory = new TestDirectory();
    const same = (times: bigint) => (12_345n + times * 9_007_199_254_740_881n).toString(16);
    const ids = [same(0n), same(1n), same(2n)].map((id) => id.padStart(64, "0"));
    const report = (id: string): Report => ({
      ...{
        from: ORIGIN,
        to: { log: id, revision: 0, last: `1-${id.slice(0, 32)}` },
        restarts: false,
      },
      ...{ name: `user ${id}`, blocked: false, limit: null, claimedLimit: null, queries: [] },
      days: [{ ...NOTHING, day: "2030-05-17", charged: 1, first_at: 1, last_at: 1 }],
    });
    for (const id of ids) await directory.stub.report(id, report(id));
    expect(await directory.users()).toHaveLength(3);
    expect(await asked(directory)).toEqual([["2030-05-17", 3]]);
    const [first, second, third] = ids as [string, string, string];
    expect(await directory.stub.erase(first)).toBe(true);
    expect(await directory.stub.positionOf(second)).toMatchObject({ log: second });
    expect(await directory.stub.positionOf(third)).toMatchObject({ log: third });
    await directory.stub.report(first, report(first));
    for (const id of ids) expect(await directory.stub.positionOf(id)).toMatchObject({ log: id });
    expect(await asked(directory)).toEqual([["2030-05-17", 3]]);
  });

  it("are exact after a user's object is restored, and changed as often as before", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    const id = await answered(user);
    await reported(user);
    const old = await snapshot(user.stub);
    await user.post("/ai/feedback", { queryId: id, rating: "up" });
    await reported(user);
    expect(await directory.queries("&rating=up")).toHaveLength(1);
    await restore(user.stub, old);
    await patched(user, { limit: 7 });
    await reported(user);
    expect(await directory.user(user)).toMatchObject({ limit: 7, asked: 1 });
    expect(await directory.queries()).toMatchObject([{ queryId: id, rating: null }]);
  });
});

describe("a crash", () => {
  const objects = {
    count: Outbox.prototype,
    report: DirectoryObject.prototype,
    apply: Reports.prototype,
  } as const;

  it.each([
    ["before", "count"],
    ["after", "count"],
    ["before", "report"],
    ["after", "report"],
    ["before", "apply"],
    ["after", "apply"],
  ] as const)("%s %s loses no report and counts none twice", async (when, method) => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    silence();
    const id = await answered(user);
    await reported(user);
    await answered(user);
    await failed(user);
    await user.post("/ai/feedback", { queryId: id, rating: "up" });
    const object = objects[method] as unknown as Record<string, (...a: unknown[]) => unknown>;
    const real = object[method] as (...args: unknown[]) => unknown;
    const crash = vi.spyOn(object, method).mockImplementation(function (this: unknown, ...args) {
      if (when === "after") real.apply(this, args);
      throw new Error("This is the crash.");
    });
    await runInDurableObject(user.stub, (object) => object.alarm());
    expect(crash).toHaveBeenCalled();
    crash.mockRestore();
    await abortAllDurableObjects();
    await reported(user);
    await isExact(directory, [user]);
  });
});

it("is exact after any history of asks, crashes, outages and restored copies", async () => {
  interface World {
    readonly directory: TestDirectory;
    readonly users: readonly TestUser[];
    readonly asked: string[];
    old: Snapshot | undefined;
    oldUser: Snapshot | undefined;
  }
  type Step = (world: World, user: TestUser) => Promise<unknown>;
  const steps: Record<string, Step> = {
    answered: async (world, user) => world.asked.push(await answered(user)),
    failed: (_world, user) => failed(user),
    left: (_world, user) => left(user),
    rated: async ({ asked }, user) =>
      asked.length > 0 &&
      user.post("/ai/feedback", { queryId: asked.at(-1), rating: "up", comment: "Good." }),
    refunded: async ({ asked }, user) => asked[0] && refundedByOperator(user, asked[0]),
    changed: (_world, user) => patched(user, { limit: 500 }),
    alarm: (_world, user) => runInDurableObject(user.stub, (object) => object.alarm()),
    crash: () => abortAllDurableObjects(),
    outage: async (_world, user) => {
      const down = vi.spyOn(DirectoryObject.prototype, "report");
      down.mockRejectedValue(new Error("The directory is down."));
      await runInDurableObject(user.stub, (object) => object.alarm());
      down.mockRestore();
    },
    lostReply: async (_world, user) => {
      const real = DirectoryObject.prototype.report;
      const lost = vi.spyOn(DirectoryObject.prototype, "report");
      lost.mockImplementation(async function (this: DirectoryObject, ...report) {
        await real.apply(this, report);
        throw new Error("The reply is lost.");
      });
      await runInDurableObject(user.stub, (object) => object.alarm());
      lost.mockRestore();
    },
    kept: async (world) => {
      world.old = await snapshot(world.directory.stub);
    },
    restored: async ({ directory, old }) => old && restore(directory.stub, old),
    userKept: async (world) => {
      const [user] = world.users;
      if (user) world.oldUser = await snapshot(user.stub);
    },
    userRestored: async ({ users: [user], oldUser }) =>
      user && oldUser && restore(user.stub, oldUser),
    erased: async (world, user) => {
      await asOperator(adminPath(user), { method: "DELETE" });
      if (user === world.users[0]) world.oldUser = undefined;
    },
  };
  const step = fc.tuple(fc.constantFrom(...Object.keys(steps)), fc.integer({ min: 0, max: 1 }));
  silence();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20, size: "max" }), async (history) => {
      const directory = new TestDirectory();
      const users = [await directory.newUser(), await directory.newUser()];
      const world: World = { directory, users, asked: [], old: undefined, oldUser: undefined };
      await Promise.all(users.map((user) => user.quota()));
      // The tables of a directory that may be restored.
      await directory.users();
      for (const [name, which] of history) {
        await steps[name]?.(world, users[which] as TestUser);
      }
      await abortAllDurableObjects();
      for (const user of users) {
        await user.quota();
        await reported(user);
      }
      await isExact(directory, users);
    }),
    { seed: given("FC_SEED", SEED), numRuns: given("FC_RUNS", HISTORIES) },
  );
});
