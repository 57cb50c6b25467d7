// `npm run eval` on a collection that is small enough to check by hand, and the
// measures, which must be those of TREC.

import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ranking } from "../../eval/measures.ts";
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
  expect(JSON.parse(stdout)).toEqual({
    collection: "climbing",
    documents: 3,
    passages: 3,
    questions: 3,
    rankings: {
      belay: perfect,
      sqlite: { ndcg: expect.any(Number), recall: 2 / 3, mrr: expect.any(Number) },
      miniSearch: { ndcg: 2 / 3, recall: 2 / 3, mrr: 2 / 3 },
    },
    search: {
      p50: expect.any(Number),
      p99: expect.any(Number),
      rowsRead: { mean: expect.any(Number), max: expect.any(Number) },
    },
    answers: {
      gold: 2 / 3,
      firstCitation: 1,
      refused: 0,
      refusedWithoutDocuments: 1,
      refusedForeign: 0.5,
    },
  });
  expect(JSON.parse(stdout).search.rowsRead.max).toBeGreaterThan(3);
});

test("npm run eval measures scale, and prints a report", async () => {
  const { code, stdout } = await typed(["--data", collection, "--passages=300"]);
  expect(code).toBe(0);
  const [, passages, , max] =
    /^climbing, filled up to \d+ documents in (\d+) passages, in ([\d.]+) s$[\s\S]*^questions of 4,000 characters +[\d.]+ ms +[\d.]+ ms +[\d.]+ +(\d+)$/m.exec(
      stdout,
    ) ?? [];
  expect(Number(passages)).toBeGreaterThanOrEqual(300);
  expect(Number(max)).toBeLessThanOrEqual(100);
});

describe("npm run eval refuses", () => {
  test.each([
    [[], "--data is missing. --help tells more."],
    [
      ["--data=x", "--passages=many"],
      "--passages must be a whole number from 1 to 1000000. --help tells more.",
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
    expect(await typed(["--data", broken])).toEqual({
      code: 1,
      stdout: "",
      stderr: `${message.replace("DIR", broken)}\n`,
    });
  });
});

test("nDCG, recall and reciprocal rank are those of TREC, cut at ten", () => {
  const question = (relevant: Record<string, number>) => ({
    id: "q",
    text: "",
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
