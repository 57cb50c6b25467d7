// `npm run eval` on a collection that is small enough to check
// by hand, and the measures, which must be those of TREC.

import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCollection } from "../../eval/collection.ts";
import { ranking } from "../../eval/measures.ts";
import { Failure } from "../../scripts/command.ts";
import { finished, scriptOf, type } from "../support/command.ts";

let folder: string;
let collection: string;

const documents = [
  { _id: "a/1", title: "Knots", text: "The figure of eight is tied into the harness." },
  { _id: "b", title: "Ropes", text: "A rope of sixty metres weighs four kilograms." },
  {
    _id: "c",
    title: "",
    text: "Chalk keeps the hands of climbers dry. 镁粉让攀岩者的手保持干燥。",
  },
];
const queries = [
  { _id: "q1", text: "Which knot is tied into the harness?" },
  { _id: "q2", text: "How much does a rope of sixty metres weigh?" },
  { _id: "q3", text: "镁粉让手保持什么？" },
  { _id: "unjudged", text: "Who belays?" },
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "belay-eval-"));
  collection = await write("climbing", {
    "corpus.jsonl": lines(documents),
    "queries.jsonl": lines(queries),
    "qrels.tsv": "query-id\tcorpus-id\tscore\nq1\ta/1\t1\nq2\tb\t2\nq2\ta/1\t0\nq3\tc\t1\n",
    "answers.json": JSON.stringify({ q1: ["Figure of  Eight"], q2: ["five", "four"], q3: ["湿"] }),
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const styled = [
  {
    id: "one",
    style: "name",
    text: "Which knot is tied into the harness?",
    documents: ["a/1"],
    answers: [["figure of eight", "HARNESS"]],
  },
  {
    id: "two",
    style: "followup",
    text: "And which knot is tied into the harness?",
    history: [{ role: "user", content: "What do climbers tie?" }],
    documents: ["b"],
    answers: [["four kilogram"], ["bowline"]],
  },
  { id: "three", style: "unanswerable", text: "Who won the race?", documents: [], answers: [] },
];

test("npm run eval measures a collection", async () => {
  const foreign = await write("cooking", {
    "queries.jsonl": lines([
      { _id: "f1", text: "How long do noodles boil?" },
      { _id: "f2", text: "Which knot is tied into the harness?" },
    ]),
  });
  const { code, stdout } = await typed(["--data", collection, "--foreign", foreign, "--json"]);
  expect(code).toBe(0);
  const perfect = { ndcg: 1, recall: 1, mrr: 1 };
  const found = {
    questions: 3,
    holds: 2 / 3,
    goldInSources: 1,
    firstIsGold: 1,
    refusedWrongly: 0,
    length: expect.any(Number),
    score: 2 / 3,
  };
  const measured = JSON.parse(stdout);
  expect(measured).toEqual({
    collection: "climbing",
    documents: 3,
    passages: 3,
    questions: 3,
    search: {
      p50: expect.any(Number),
      p99: expect.any(Number),
      rowsRead: { mean: expect.any(Number), max: expect.any(Number) },
    },
    belay: { ranking: perfect, answers: found, refusedForeign: 0.5 },
    baselines: {
      fts5: { ranking: perfect, answers: found, refusedForeign: 0.5 },
      trigram: {
        ranking: { ndcg: expect.any(Number), recall: 1, mrr: expect.any(Number) },
        answers: expect.objectContaining({ questions: 3 }),
        refusedForeign: expect.any(Number),
      },
      miniSearch: { ranking: perfect, answers: found, refusedForeign: 0.5 },
    },
    styles: {},
    refusedWithoutDocuments: 1,
  });
  expect(measured.search.rowsRead.max).toBeGreaterThan(3);
});

test("npm run eval finds the same in documents that are spread over collections", async () => {
  const { code, stdout } = await typed(["--data", collection, "--collections=3", "--json"]);
  expect(code).toBe(0);
  const { passages, belay, search, refusedWithoutDocuments } = JSON.parse(stdout);
  expect({ passages, belay, refusedWithoutDocuments }).toMatchObject({
    passages: 3,
    belay: { ranking: { ndcg: 1, recall: 1, mrr: 1 }, answers: { holds: 2 / 3, score: 2 / 3 } },
    refusedWithoutDocuments: 1,
  });
  expect(search.rowsRead.max).toBeGreaterThan(3);
});

test("npm run eval measures questions with styles, and prints them in 100 columns", async () => {
  const data = await write("styled", {
    "corpus.jsonl": lines(documents),
    "questions.jsonl": lines(styled),
  });
  const file = join(folder, "answers.jsonl");
  const { code, stdout } = await typed(["--data", data, "--foreign", data, "--answers", file]);
  expect(code).toBe(0);
  const printed = stdout.split("\n");
  expect(printed.filter((line) => line.length > 100)).toEqual([]);
  const columns = (name: string) =>
    printed
      .filter((line) => line.startsWith(name))
      .map((line) => line.slice(name.length).trim().split(/ {2,}/));
  expect(columns("  name ")).toEqual([
    ["1", "100 %", "100 %", "100 %", "0 %", "-", expect.stringMatching(/^\d+$/), "1.000"],
  ]);
  expect(columns("  followup ")[0]?.slice(0, 2)).toEqual(["1", "0 %"]);
  expect(columns("  unanswerable ")).toEqual([["1", "-", "-", "-", "-", "100 %", "-", "1.000"]]);
  // A ranking, a search and an answers row. The follow-up is not ranked.
  expect(columns("Belay ")[0]).toEqual(["1.000", "1.000", "1.000"]);
  expect(columns("Belay ")[2]?.at(-1)).toBe("0.667");
  expect(columns("SQLite FTS5 ")).toHaveLength(2);
  expect(columns("SQLite FTS5, trigrams ")).toHaveLength(2);
  expect(columns("MiniSearch ")).toHaveLength(2);
  // Without the follow-up, one of two questions is refused.
  expect(columns("Belay, for foreign questions ")).toEqual([["50.0 %"]]);

  const written = (await readFile(file, "utf8")).trimEnd().split("\n");
  expect(written.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({
      ...styled[0],
      isRight: true,
      answer: expect.objectContaining({ text: expect.stringContaining("figure of eight") }),
    }),
    expect.objectContaining({ ...styled[1], isRight: false }),
    expect.objectContaining({
      ...styled[2],
      isRight: true,
      answer: expect.objectContaining({ isRefusal: true }),
    }),
  ]);
});

test("npm run eval asks hundreds of questions", async () => {
  // The server logs each, and waits if it cannot write: 400 lines fill a pipe.
  const many = Array.from({ length: 400 }, (_, i) => ({ ...styled[2], id: `${i}` }));
  const data = await write("many", {
    "corpus.jsonl": lines(documents),
    "questions.jsonl": lines(many),
  });
  const { code, stdout } = await typed(["--data", data, "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).belay.answers.refusedRightly).toBe(1);
});

test("npm run eval measures scale, and prints a report", async () => {
  const { code, stdout } = await typed(["--data", collection, "--passages=300"]);
  expect(code).toBe(0);
  const [, passages, , mean] =
    /^climbing, filled up to \d+ documents in (\d+) passages, in ([\d.]+) s$[\s\S]*^questions of 4,000 characters +[\d.]+ ms +[\d.]+ ms +([\d.]+) +\d+$/m.exec(
      stdout,
    ) ?? [];
  expect(Number(passages)).toBeGreaterThanOrEqual(300);
  // At most 100 for each, and 300 that go into memory.
  expect(Number(mean)).toBeLessThanOrEqual(400);
});

describe("npm run eval refuses", () => {
  test.each([
    [
      ["--data=x", "--passages=1", "--answers=y"],
      "--answers does not go with --passages. --help tells more.",
    ],
    [
      ["--data=x", "--passages=many"],
      "--passages must be a whole number from 1 to 1000000. --help tells more.",
    ],
    [
      ["--data=x", "--collections=17"],
      "--collections must be a whole number from 1 to 16. --help tells more.",
    ],
    [
      ["--data=x", "--passages=1", "--collections=2"],
      "--collections does not go with --passages. --help tells more.",
    ],
    [
      ["--data=x", "--passages=1", "--foreign=y"],
      "--foreign does not go with --passages. --help tells more.",
    ],
  ])("%j", async (args, message) => {
    expect(await typed(args)).toEqual({ code: 2, stdout: "", stderr: `${message}\n` });
  });

  test.each([
    ["corpus.jsonl", undefined, "DIR has no corpus.jsonl."],
    ["queries.jsonl", undefined, "DIR has neither questions.jsonl nor queries.jsonl."],
    ["queries.jsonl", "\n", "DIR/queries.jsonl has no questions."],
    ["corpus.jsonl", "{", "DIR/corpus.jsonl, line 1, is not JSON: "],
    ["questions.jsonl", "", "DIR/questions.jsonl has no questions."],
    [
      "questions.jsonl",
      lines([{ ...styled[0], answers: ["figure of eight"] }]),
      'DIR/questions.jsonl, line 1, must have "id", "style", "text", "documents" and "answers" (lists of strings), and may have "history".',
    ],
    [
      "questions.jsonl",
      lines([{ ...styled[0], answers: [] }]),
      "DIR/questions.jsonl, line 1, must have both documents and answers, or neither.",
    ],
    [
      "questions.jsonl",
      lines([styled[0], styled[0]]),
      'DIR/questions.jsonl, line 2, has an "id" that another line has.',
    ],
    [
      "questions.jsonl",
      lines([{ ...styled[0], documents: ["z"] }]),
      'DIR/questions.jsonl: "one" names the document "z", which does not exist.',
    ],
    ["qrels.tsv", undefined, "DIR has no qrels.tsv."],
    ["corpus.jsonl", "", "DIR/corpus.jsonl has no documents."],
    [
      "corpus.jsonl",
      '{"_id":"a"}\n',
      'DIR/corpus.jsonl, line 1, must have "_id" and "text", and may have "title".',
    ],
    [
      "corpus.jsonl",
      lines([...documents, ...documents]),
      'DIR/corpus.jsonl has two documents "a/1".',
    ],
    [
      "qrels.tsv",
      "q1\ta/1\tyes\n",
      "DIR/qrels.tsv, line 1, is not a question's id, a document's id and a number, with tabs between them.",
    ],
    ["qrels.tsv", "q9\tb\t1\n", "No question of DIR/queries.jsonl has a document in qrels.tsv."],
    ["answers.json", '{"q1":"one"}', "DIR/answers.json must be an object of lists of answers."],
  ])("a collection with a wrong %s (%#)", async (file, content, message) => {
    const broken = join(await mkdtemp(join(folder, "broken-")), "climbing");
    await cp(collection, broken, { recursive: true });
    if (content === undefined) await rm(join(broken, file));
    else await writeFile(join(broken, file), content);
    // Without a process each: the next test shows how a command fails.
    const error = await readCollection(broken).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Failure);
    expect((error as Failure).message).toContain(message.replace("DIR", broken));
  });

  test.each([
    ["--data", "DIR/missing", "There is no folder DIR/missing."],
    ["--data", "DIR/climbing/corpus.jsonl", "DIR/climbing/corpus.jsonl is not a folder."],
    ["--foreign", "DIR/missing", "There is no folder DIR/missing."],
    [
      "--answers",
      "DIR/missing/x",
      "DIR/missing/x cannot be written: ENOENT: no such file or directory.",
    ],
  ])("%s %s", async (flag, path, message) => {
    const data = flag === "--data" ? [] : ["--data", collection];
    expect(await typed([...data, flag, path.replace("DIR", folder)])).toEqual({
      code: 1,
      stdout: "",
      stderr: `${message.replaceAll("DIR", folder)}\n`,
    });
  });
});

test("nDCG, recall and reciprocal rank are those of TREC, cut at ten", () => {
  const question = (relevant: Record<string, number>) => ({
    id: "q",
    style: "",
    text: "",
    history: [],
    gold: [],
    relevant: new Map(Object.entries(relevant)),
  });
  expect(ranking([question({ a: 1, b: 1 })], [["x", "a", "y", "b"]])).toEqual({
    ndcg: (1 / Math.log2(3) + 1 / Math.log2(5)) / (1 + 1 / Math.log2(3)),
    recall: 1,
    mrr: 1 / 2,
  });
  expect(ranking([question({ a: 2, b: 1 })], [["b", "a"]]).ndcg).toBeCloseTo(
    (1 + 2 / Math.log2(3)) / (2 + 1 / Math.log2(3)),
  );
  const eleventh = [..."bcdefghijk", "a"];
  expect(ranking([question({ a: 1 })], [eleventh])).toEqual({ ndcg: 0, recall: 0, mrr: 0 });
  expect(ranking([question({ a: 1 }), question({ a: 1 })], [["a"], []])).toEqual({
    ndcg: 0.5,
    recall: 0.5,
    mrr: 0.5,
  });
});

async function write(name: string, files: Record<string, string>): Promise<string> {
  const root = join(folder, name);
  await mkdir(root);
  for (const [file, content] of Object.entries(files)) await writeFile(join(root, file), content);
  return root;
}

function lines(objects: readonly unknown[]): string {
  return objects.map((object) => `${JSON.stringify(object)}\n`).join("");
}

function typed(args: readonly string[]) {
  return finished(type(process.execPath, [scriptOf("eval"), ...args]));
}
