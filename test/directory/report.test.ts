// The operators' report, from real asks of real documents.

import { beforeAll, describe, expect, it, vi } from "vitest";
import { handbook } from "../../eval/handbook-month.ts";
import { judge, MONTH, type Step, scriptedMonth } from "../../eval/scripted-month.ts";
import type { ShownReport } from "../../src/shown.ts";
import { type AnswerBody, adminPath, asOperator, audit, type TestUser } from "../harness.ts";
import { countedBy, countedIn, refundedByOperator, reported, TestDirectory } from "./reporting.ts";

vi.setConfig({ testTimeout: 120_000 });

const { documents: DOCUMENTS } = handbook();
/** Its answers are quotes, at once. */
const QUOTES = { GENERATOR: "extractive", EXTRACTIVE_TOKENS_PER_SECOND: "0" };

beforeAll(async () => {
  for (const { id, title, text } of DOCUMENTS) {
    const body = JSON.stringify({ title, text });
    const { status } = await asOperator(`/admin/documents/${id}`, { method: "PUT", body });
    expect(status).toBe(201);
  }
});

async function ask(user: TestUser, query: string): Promise<string> {
  const response = await user.post("/ai/ask", { query });
  return (await response.json<AnswerBody>()).queryId;
}

function reportOf(directory: TestDirectory, parameters = ""): Promise<ShownReport> {
  return directory.get<ShownReport>(`/report?${parameters}`);
}

const KAYAKS = ["Do you rent out kayaks?", "What does a kayak cost?", "Kayaks at the weekend?"];

/** Two users who ask of kayaks, of helmets, and of something else. */
async function askAll(directory: TestDirectory, settings: Record<string, unknown> = {}) {
  const ann = await directory.newUser({ ...QUOTES, ...settings });
  const bob = await directory.newUser({ ...QUOTES, ...settings });
  await ask(ann, KAYAKS[0] ?? "");
  await ask(bob, KAYAKS[1] ?? "");
  await ask(ann, KAYAKS[2] ?? "");
  await ask(bob, "Where is zorblakia?");
  await ask(ann, "Hello");
  const rated = await ask(ann, "What does a helmet cost?");
  await ann.post("/ai/feedback", { queryId: rated, rating: "down", comment: "Too dear." });
  const praised = await ask(bob, "What does the helmet cost?");
  await bob.post("/ai/feedback", { queryId: praised, rating: "up" });
  await reported(ann);
  await reported(bob);
  return { ann, bob, rated };
}

describe("the report", () => {
  it("groups what was not answered, with examples and the nearest documents", async () => {
    const directory = new TestDirectory();
    await askAll(directory);
    const { words, totals, unanswered } = await reportOf(directory);
    expect(words).toBe(true);
    expect(totals).toMatchObject({ asked: 7, charged: 2, refunded: { nothing_found: 5 } });
    expect(unanswered).toMatchObject({ asked: 4, withoutWords: 0, more: false });
    const [group, ...others] = unanswered.groups;
    expect(others).toEqual([]);
    expect(group).toMatchObject({ asked: 3, users: 2, lastAskedAt: expect.any(String) });
    expect(group?.common[0]).toMatch(/^kayaks?$/);
    expect(group?.questions.toSorted()).toEqual(KAYAKS.toSorted());
    for (const { documentId, score, asked } of group?.closest ?? []) {
      expect(DOCUMENTS.map(({ id }) => id)).toContain(documentId);
      expect(score).toBeGreaterThan(0);
      expect(asked).toBeGreaterThan(0);
    }
    expect(group?.closest).not.toEqual([]);
    expect(unanswered.ungrouped).toEqual({ asked: 1, questions: ["Where is zorblakia?"] });
  });

  it("shows no example that is another one, misspelt or cut", async () => {
    const directory = new TestDirectory();
    const user = await directory.newUser(QUOTES);
    const asked = [
      ...["Which zorblak fits a child seat?", "Which zorblak fits a child seat?"],
      ...["which zorblak fits a chidl seat", "hello, zorblak child seat, thanks"],
      "May a child ride the zorblak tandem in winter?",
    ];
    for (const query of asked) await ask(user, query);
    await reported(user);
    const [group] = (await reportOf(directory)).unanswered.groups;
    expect(group?.asked).toBe(5);
    expect(group?.questions).toEqual([asked[0], asked[4]]);
  });

  it("has the ratings, and the comments on answers that were rated down", async () => {
    const directory = new TestDirectory();
    const { ann, rated } = await askAll(directory);
    const { feedback } = await reportOf(directory);
    expect(feedback).toMatchObject({ up: 1, down: 1, more: false });
    expect(feedback.comments).toEqual([
      {
        ...{ queryId: rated, user: ann.name, askedAt: expect.any(String) },
        ...{ question: "What does a helmet cost?", comment: "Too dear." },
        documents: expect.arrayContaining(["helmet"]),
      },
    ]);
  });

  it("counts questions with the same words as one, in lists as long as wanted", async () => {
    const directory = new TestDirectory();
    await askAll(directory);
    const { questions, documents } = await reportOf(directory, "limit=2");
    expect(questions).toMatchObject({ counted: 7, more: false });
    expect(questions.top).toHaveLength(2);
    expect(questions.top[0]).toMatchObject({ asked: 2, users: 2, unanswered: 0, up: 1, down: 1 });
    expect(questions.top[0]?.question).toMatch(/helmet/);
    expect(documents.neverCited?.documentIds).toHaveLength(2);
  });

  it("names the documents that are cited most, and those that never are", async () => {
    const directory = new TestDirectory();
    await askAll(directory);
    const { cited, neverCited } = (await reportOf(directory, "limit=100")).documents;
    expect(cited[0]).toEqual({ documentId: "helmet", answers: 2 });
    const all = [...cited.map(({ documentId }) => documentId), ...(neverCited?.documentIds ?? [])];
    expect(all.toSorted()).toEqual(DOCUMENTS.map(({ id }) => id).toSorted());
    expect(neverCited).toMatchObject({ count: DOCUMENTS.length - cited.length, more: false });
    expect(neverCited?.documentIds).toContain("history");
  });

  it("is of some days only", async () => {
    const directory = new TestDirectory();
    await askAll(directory);
    const { since, until, totals, unanswered, feedback } = await reportOf(
      directory,
      "since=2001-01-01&until=2001-12-31",
    );
    expect({ since, until }).toEqual({ since: "2001-01-01", until: "2001-12-31" });
    expect([totals.asked, unanswered.asked, feedback.down]).toEqual([0, 0, 0]);
  });

  it("has nothing of a user who was erased", async () => {
    const directory = new TestDirectory();
    const { ann } = await askAll(directory);
    await asOperator(adminPath(ann), { method: "DELETE" });
    const text = JSON.stringify(await reportOf(directory));
    for (const word of [ann.name, KAYAKS[0], KAYAKS[2], "Too dear."]) {
      expect(text).not.toContain(word);
    }
    expect(text).toContain(KAYAKS[1]);
  });

  it("is empty before the first report", async () => {
    const report = await reportOf(new TestDirectory());
    expect(report.totals.asked).toBe(0);
    expect(report.unanswered).toMatchObject({ asked: 0, groups: [], closest: [] });
    expect(report.questions).toEqual({ counted: 0, more: false, top: [] });
    expect(report.documents.neverCited?.count).toBe(DOCUMENTS.length);
  });

  it("has numbers and no word with SHARE_QUERIES=false", async () => {
    const share = { SHARE_QUERIES: "false" };
    const directory = new TestDirectory(share);
    await askAll(directory, share);
    const report = await reportOf(directory);
    expect(report).toMatchObject({
      words: false,
      totals: { asked: 7 },
      unanswered: { asked: 5, withoutWords: 5, groups: [] },
      feedback: { up: 1, down: 1, comments: [] },
      questions: { counted: 7, top: [] },
      documents: { cited: expect.arrayContaining([{ documentId: "helmet", answers: 2 }]) },
    });
    expect(report.unanswered.closest).not.toEqual([]);
    expect(JSON.stringify(report)).not.toMatch(/kayak|zorblakia|Too dear/i);
  });

  it("hides words at once that were shared until now", async () => {
    const directory = new TestDirectory();
    await askAll(directory);
    directory.set({ SHARE_QUERIES: "false" });
    await directory.restart();
    expect(JSON.stringify(await reportOf(directory))).not.toMatch(/kayak|zorblakia|Too dear/i);
  });
});

describe("after a scripted month", () => {
  it("the report shows the gaps, and the directory counts what all audits count", async () => {
    const directory = new TestDirectory();
    const plan = { ...MONTH, users: 8, questions: 160, gapPart: 0.4, singlePart: 0.03 };
    const month = scriptedMonth(plan, handbook(5));
    const users = await Promise.all(
      Array.from({ length: plan.users }, () => directory.newUser(QUOTES)),
    );
    await Promise.all(
      users.map(async (user, i) => {
        for (const step of month.steps) if (step.user === i) await take(user, step);
        await reported(user);
      }),
    );
    const erased = users.filter((_, i) => month.erased.has(i));
    for (const user of erased) await asOperator(adminPath(user), { method: "DELETE" });
    const kept = users.filter((_, i) => !month.erased.has(i));
    expect(erased).not.toEqual([]);

    expect(countedIn(await directory.days())).toEqual(await countedBy(kept));
    for (const user of kept) expect(await audit(user)).toEqual({ ok: true, differences: [] });
    const text = await directory.text();
    expect(month.erasedWords).not.toEqual([]);
    for (const word of [...erased.map(({ name }) => name), ...month.erasedWords]) {
      expect(text).not.toContain(word);
    }

    const { unanswered } = await reportOf(directory, "limit=100");
    const { missed, groups, wrong } = judge(unanswered.groups, month, month.gaps);
    expect(missed).toEqual([]);
    expect(wrong).toEqual([]);
    expect(groups).toBeGreaterThanOrEqual(month.gaps.length);
  });
});

async function take(user: TestUser, step: Step): Promise<void> {
  const stream = await user.ask(step.query);
  const { queryId } = stream;
  if (step.leaves) stream.leave();
  else await stream.all();
  await user.resolved(queryId);
  const { rating, comment } = step;
  if (rating !== undefined) await user.post("/ai/feedback", { queryId, rating, comment });
  if (step.isRefunded) await refundedByOperator(user, queryId);
}
