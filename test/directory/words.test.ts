// What the directory has of words: none with SHARE_QUERIES=false, and none
// after RETENTION_DAYS. And of an erased user: no row and no word, here or in
// the directory, whatever fails in between.

import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { DirectoryObject } from "../../src/directory/directory-object.ts";
import { Reporter } from "../../src/user/reporter.ts";
import { adminPath, asOperator, newUser, scripted, type TestUser } from "../harness.ts";
import {
  answered,
  copyNewest,
  failed,
  left,
  patched,
  reported,
  snapshot,
  TestDirectory,
} from "./reporting.ts";

vi.setConfig({ testTimeout: 60_000 });

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const newCanary = () => `canary${crypto.randomUUID().replaceAll("-", "")}`;

/** Asks with a canary in each place where words come from. */
async function askWith(canaries: readonly string[], directory: TestDirectory, shared: boolean) {
  const [question, answer, comment, history, nothing, gone] = canaries;
  const user = await directory.newUser({ SHARE_QUERIES: String(shared) });
  const says = { tokens: [`It is `, `${answer}.`] };
  const stream = await user.ask(scripted(says, `What is ${question}?`), {
    history: [
      { role: "user", content: `Tell me of ${history}.` },
      { role: "assistant", content: `It is ${history}.` },
    ],
  });
  const events = await stream.all();
  expect(events.at(-1)?.type).toBe("done");
  expect(stream.answer).toContain(answer);
  await user.resolved(stream.queryId);
  await (await user.post("/ai/ask", { query: `zorblaks of ${nothing}` })).text();
  const leaving = await user.ask(scripted({ tokens: 500, gapMs: 20 }, `Why ${gone}?`));
  await leaving.until("token");
  leaving.leave();
  await user.resolved(leaving.queryId);
  await reported(user);
  await user.post("/ai/feedback", { queryId: stream.queryId, rating: "down", comment });
  await reported(user);
  return { user, queryId: stream.queryId };
}

describe("with SHARE_QUERIES=false", () => {
  it("no table of the directory has a word of a question, an answer, a comment or a history", async () => {
    const canaries = Array.from({ length: 6 }, newCanary);
    const directory = new TestDirectory({ SHARE_QUERIES: "false" });
    await askWith(canaries, directory, false);
    expect(await directory.queries()).toHaveLength(3);
    expect(await directory.queries("&rating=down")).toHaveLength(1);
    expect((await snapshot(directory.stub)).get("has_words")).toEqual([]);
    const text = await directory.text();
    for (const canary of canaries) expect(text).not.toContain(canary);
  });

  it("the directory stores no word, even if a user object sends it", async () => {
    const canaries = Array.from({ length: 6 }, newCanary);
    const directory = new TestDirectory({ SHARE_QUERIES: "false" });
    await askWith(canaries, directory, true);
    const text = await directory.text();
    for (const canary of canaries) expect(text).not.toContain(canary);
  });

  it("a user object sends no word, even if the directory would store it", async () => {
    const canaries = Array.from({ length: 6 }, newCanary);
    const directory = new TestDirectory({ SHARE_QUERIES: "true" });
    await askWith(canaries, directory, false);
    const text = await directory.text();
    for (const canary of canaries) expect(text).not.toContain(canary);
  });

  it("words of a time when they were shared are hidden at once, and deleted", async () => {
    const canaries = Array.from({ length: 6 }, newCanary);
    const directory = new TestDirectory();
    await askWith(canaries, directory, true);
    const before = await directory.text();
    for (const canary of canaries.slice(0, 3)) expect(before).toContain(canary);
    directory.set({ SHARE_QUERIES: "false" });
    await abortAllDurableObjects();
    expect(JSON.stringify(await directory.queries())).not.toContain("canary");
    await runDurableObjectAlarm(directory.stub);
    expect(await directory.text()).not.toContain("canary");
    expect(await directory.queries()).toHaveLength(3);
    // Once no query has words, no alarm looks for them.
    await runDurableObjectAlarm(directory.stub);
    expect((await snapshot(directory.stub)).get("has_words")).toEqual([]);
  });
});

describe("with SHARE_QUERIES=true", () => {
  it("the directory has questions, answers and comments, and no history", async () => {
    const canaries = Array.from({ length: 6 }, newCanary);
    const directory = new TestDirectory();
    await askWith(canaries, directory, true);
    const text = await directory.text();
    const [question, answer, comment, history, nothing, gone] = canaries;
    for (const canary of [question, answer, comment, nothing, gone]) expect(text).toContain(canary);
    expect(text).not.toContain(history);
  });

  it("words that a user deletes are deleted in the directory too", async () => {
    const directory = new TestDirectory();
    const canaries = Array.from({ length: 6 }, newCanary);
    const { user, queryId } = await askWith(canaries, directory, true);
    const { status } = await user.request(`/ai/queries/${queryId}`, { method: "DELETE" });
    expect(status).toBe(204);
    expect(await runDurableObjectAlarm(user.stub)).toBe(true);
    const text = await directory.text();
    for (const canary of canaries.slice(0, 3)) expect(text).not.toContain(canary);
    const queries = await directory.queries();
    expect(queries.find((query) => query.queryId === queryId)).toMatchObject({
      ...{ state: "charged", rating: "down", question: null, answer: null, comment: null },
    });
  });

  it("only the beginning of a long answer is kept, whole characters alone", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    const stream = await user.ask(scripted({ tokens: ["x", "😀".repeat(600)] }, "Long?"));
    await stream.all();
    await user.resolved(stream.queryId);
    await reported(user);
    const [query] = await directory.queries();
    expect(query?.answer).toBe(`x${"😀".repeat(499)}…`);
  });

  it("a question is stored once its query is resolved, however it ended", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    await failed(user);
    await left(user);
    await reported(user);
    const questions = (await directory.queries()).map(({ question }) => question);
    expect(questions).toEqual([expect.any(String), expect.any(String)]);
  });
});

describe("RETENTION_DAYS after an ask", () => {
  it("the directory deletes the query and its words, and keeps the totals", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2030-05-17T12:00:00Z") });
    const directory = new TestDirectory({ RETENTION_DAYS: "2" });
    const user = await directory.newUser({ RETENTION_DAYS: "2" });
    await answered(user, "What is old?");
    await reported(user);
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2030-05-18T13:00:00Z") });
    await answered(user, "What is new?");
    await reported(user);
    const alarmAt = await runInDurableObject(directory.stub, (_object, { storage }) =>
      storage.getAlarm(),
    );
    expect(new Date(alarmAt ?? 0).toISOString().slice(0, 19)).toBe("2030-05-19T12:00:00");
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2030-05-19T12:00:30Z") });
    await runDurableObjectAlarm(directory.stub);
    const questions = (await directory.queries()).map(({ question }) => question);
    expect(questions).toEqual([expect.stringContaining("What is new?")]);
    expect(await directory.text()).not.toContain("What is old?");
    expect((await directory.days()).map(({ asked }) => asked)).toEqual([1, 1]);
    // The rest goes by itself too.
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2030-05-21T12:00:00Z") });
    expect(await runDurableObjectAlarm(directory.stub)).toBe(true);
    expect(await directory.queries()).toEqual([]);
    expect(await runDurableObjectAlarm(directory.stub)).toBe(false);
    expect(await directory.user(user)).toMatchObject({ asked: 2 });
  });
});

async function erase(user: TestUser): Promise<number> {
  return (await asOperator(adminPath(user), { method: "DELETE" })).status;
}

/** A user with a word that is found wherever it is stored. */
async function known(directory: TestDirectory) {
  const canary = `canary${crypto.randomUUID().replaceAll("-", "")}`;
  const user = await directory.newUser({}, `user ${canary}`);
  const queryId = await answered(user, `What is ${canary}?`);
  await user.post("/ai/feedback", { queryId, rating: "up", comment: canary });
  await reported(user);
  expect(await directory.text()).toContain(canary);
  return { user, canary };
}

/** Nothing of the user is stored, and no alarm is set. */
async function isGone(directory: TestDirectory, user: TestUser, canary: string): Promise<void> {
  const text = await directory.text();
  expect(text).not.toContain(canary);
  expect(text).not.toContain(user.stub.id.toString());
  expect(await snapshot(user.stub)).toEqual(new Map());
  const { kept, alarmAt } = await runInDurableObject(user.stub, async (_object, { storage }) => ({
    kept: [...(await storage.list())],
    alarmAt: await storage.getAlarm(),
  }));
  expect({ kept, alarmAt }).toEqual({ kept: [], alarmAt: null });
}

describe("an erased user", () => {
  it("leaves no row and no word, and no total that counts them", async () => {
    const directory = new TestDirectory();
    const other = await directory.newUser();
    await answered(other);
    await reported(other);
    const before = await directory.days();
    const { user, canary } = await known(directory);
    expect(await erase(user)).toBe(204);
    await isGone(directory, user, canary);
    expect(await directory.days()).toEqual(before);
    expect(await erase(user)).toBe(404);
    await isGone(directory, user, canary);
  });

  it("leaves no row of a day on which no other user asked", async () => {
    const directory = new TestDirectory();
    const { user } = await known(directory);
    await erase(user);
    const tables = await snapshot(directory.stub);
    expect(Object.fromEntries(tables)).toEqual({
      ...{ users: [], user_days: [], days: [], queries: [], log: [] },
      // It says that words were shared, of no user.
      has_words: [{ one: 1 }],
    });
  });

  it("leaves nothing if only some pages of a long report had arrived", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser();
    await answered(user);
    await copyNewest(user, 400);
    await abortAllDurableObjects();
    vi.spyOn(console, "error").mockImplementation(() => {});
    const real = DirectoryObject.prototype.report;
    let pages = 0;
    const report = vi.spyOn(DirectoryObject.prototype, "report");
    report.mockImplementation(async function (this: DirectoryObject, ...args) {
      pages += 1;
      // The first says only where the directory is.
      if (pages > 3) throw new Error("The directory is down.");
      return real.apply(this, args);
    });
    await reported(user);
    expect((await snapshot(directory.stub)).get("queries")).toHaveLength(200);
    expect(await erase(user)).toBe(204);
    const { has_words: _, ...tables } = Object.fromEntries(await snapshot(directory.stub));
    expect(Object.values(tables).flat()).toEqual([]);
  });

  it("is erased in the directory later, if it is down", async () => {
    const directory = new TestDirectory();
    const { user, canary } = await known(directory);
    vi.spyOn(console, "error").mockImplementation(() => {});
    const down = vi.spyOn(DirectoryObject.prototype, "erase").mockImplementation(() => {
      throw new Error("The directory is down.");
    });
    expect(await erase(user)).toBe(204);
    expect(await snapshot(user.stub)).toEqual(new Map());
    await abortAllDurableObjects();
    // The alarm is set, and survives.
    expect(await runDurableObjectAlarm(user.stub)).toBe(true);
    expect(await directory.text()).toContain(canary);
    down.mockRestore();
    expect(await runDurableObjectAlarm(user.stub)).toBe(true);
    await isGone(directory, user, canary);
  });

  it("may ask again before the directory has heard of it", async () => {
    const directory = new TestDirectory();
    const { user, canary } = await known(directory);
    vi.spyOn(console, "error").mockImplementation(() => {});
    const down = vi.spyOn(DirectoryObject.prototype, "erase").mockRejectedValue(new Error("Down."));
    await erase(user);
    await answered(user, "Again?");
    await reported(user);
    down.mockRestore();
    await reported(user);
    const text = await directory.text();
    expect(text.replaceAll(user.name, "")).not.toContain(canary);
    expect(await directory.user(user)).toMatchObject({ asked: 1 });
    expect(await erase(user)).toBe(204);
    await isGone(directory, user, canary);
  });

  it("stays erased when a report was on its way", async () => {
    const directory = new TestDirectory();
    const { user, canary } = await known(directory);
    await answered(user, `More of ${canary}?`);
    const real = DirectoryObject.prototype.report;
    const report = vi.spyOn(DirectoryObject.prototype, "report");
    report.mockImplementation(async function (this: DirectoryObject, ...args) {
      await scheduler.wait(200);
      return real.apply(this, args);
    });
    const alarm = runInDurableObject(user.stub, (object) => object.alarm());
    await expect.poll(() => report.mock.calls.length).toBe(1);
    expect(await erase(user)).toBe(204);
    await alarm;
    await isGone(directory, user, canary);
  });

  it("stays erased when the object dies before the directory has heard of it", async () => {
    const directory = new TestDirectory();
    const { user, canary } = await known(directory);
    // What comes after the write is not done any more.
    vi.spyOn(Reporter.prototype, "erase").mockResolvedValue(false);
    expect(await erase(user)).toBe(204);
    vi.restoreAllMocks();
    await abortAllDurableObjects();
    expect(await directory.text()).toContain(canary);
    expect(await runDurableObjectAlarm(user.stub)).toBe(true);
    await isGone(directory, user, canary);
  });

  it("is erased in the directory by asking again, if only it knows the user", async () => {
    const directory = new TestDirectory();
    const { user, canary } = await known(directory);
    await runInDurableObject(user.stub, (_object, { storage }) => storage.deleteAll());
    await abortAllDurableObjects();
    expect(await erase(user)).toBe(204);
    await isGone(directory, user, canary);
  });

  it("has no name in the operators' log", async () => {
    const directory = new TestDirectory();
    const { user, canary } = await known(directory);
    const at = { at: Date.now(), operator: "ops", status: 200 };
    const id = user.stub.id.toString();
    await directory.stub.note({
      ...{ ...at, action: "PATCH /admin/users/:userId", target: user.name, user: id },
      change: '{"limit":3}',
    });
    expect(await directory.text()).toContain(canary);
    await erase(user);
    expect(await directory.text()).not.toContain(canary);
    const { entries } = await directory.get<{ entries: unknown[] }>("/log");
    expect(entries).toMatchObject([{ operator: "ops", target: id, change: { limit: 3 } }]);
  });
});

it("notes each change of an operator, with what was set, and no reading", async () => {
  // The edge has the deployment's own directory.
  const user = await newUser();
  await patched(user, { limit: 3, blocked: true });
  await asOperator(adminPath(user));
  await asOperator(adminPath(user), { method: "PATCH", body: '{"limit":-1}' });
  await asOperator(adminPath(user), { method: "DELETE" });
  const log = await (await asOperator("/admin/log")).json<{ entries: unknown[] }>();
  expect(log.entries.slice(0, 2)).toMatchObject([
    {
      ...{ operator: "ops", action: "DELETE /admin/users/:userId", status: 204 },
      target: user.stub.id.toString(),
    },
    {
      ...{ operator: "ops", action: "PATCH /admin/users/:userId", status: 200 },
      change: { limit: 3, blocked: true },
    },
  ]);
  expect(JSON.stringify(log.entries.slice(0, 2))).not.toContain(user.name);
});
