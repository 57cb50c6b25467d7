// `npm run eval`: measures how well the real Worker, in
// workerd, searches and answers a test collection.

import { open } from "node:fs/promises";
import { Failure, run, systemReason, UsageError } from "../scripts/command.ts";
import { flags } from "../scripts/flags.ts";
import { COLLECTIONS_MAX } from "../src/protocol.ts";
import { readCollection, readForeignQuestions } from "./collection.ts";
import { Corpus } from "./corpus.ts";
import { figures } from "./figures.ts";
import { readOwnCollection } from "./own.ts";
import { report, scaleReport } from "./report.ts";
import { scaleFigures } from "./scale.ts";
import type { Verdict } from "./verdicts.ts";

const HELP = `Measures search and answers on a test collection, beside plain searches.

  --data DIR       a folder with
                   corpus.jsonl: {"_id", "title", "text"} on each line
                   and either, to print the answers by style,
                   questions.jsonl: {"id", "style", "text", "history", "documents",
                   "answers"} on each line. Of one list in "answers" all strings must be
                   in the answer. No documents and no answers: "nothing found" is right
                   or, in the layout of BEIR,
                   queries.jsonl: {"_id", "text"} on each line
                   qrels.tsv: question, document, score
                   answers.json (optional): {"<question>": ["<right answer>", …]}
                   Without --data: the samples and docs of this project
  --foreign DIR    another such folder, whose questions these documents do not answer.
                   Take one in the same language: words of another are easy to refuse
  --answers FILE   writes each question, its answer and what is right about it to FILE,
                   as JSON on a line each
  --collections N  spreads the documents over N collections, 1 to 16, and searches all
  --passages N     fills the corpus up to N passages instead, and measures the time of
                   that and of searches
  --json           prints the figures as one JSON object

The Worker runs in a workerd of its own, and its data is deleted at the end. Exit code 1:
something failed. Exit code 2: wrong flags.`;

const PASSAGES_MAX = 1_000_000;

await run(async () => {
  const { data, foreign, answers, collections, passages, json } = flags(
    {
      data: { type: "string" },
      foreign: { type: "string" },
      answers: { type: "string" },
      collections: { type: "string" },
      passages: { type: "string" },
      json: { type: "boolean", default: false },
    },
    HELP,
  );
  const count = numberOf("passages", passages, PASSAGES_MAX);
  const spread = numberOf("collections", collections, COLLECTIONS_MAX);
  for (const [flag, value] of Object.entries({ foreign, answers, collections })) {
    if (count === undefined || value === undefined) continue;
    throw new UsageError(`--${flag} does not go with --passages.`);
  }
  const collection = data === undefined ? await readOwnCollection() : await readCollection(data);
  const foreignQuestions = foreign === undefined ? [] : await readForeignQuestions(foreign);
  // Before the work: a wrong path must not cost the minutes that it takes.
  const file = answers === undefined ? undefined : await opened(answers);

  const corpus = await Corpus.start(spread);
  try {
    if (count === undefined) {
      const measured = await figures(collection, foreignQuestions, corpus);
      await file?.writeFile(measured.verdicts.map(lineOf).join(""));
      console.log(json ? JSON.stringify(measured.figures) : report(measured.figures));
    } else {
      const measured = await scaleFigures(collection, count, corpus);
      console.log(json ? JSON.stringify(measured) : scaleReport(measured));
    }
  } finally {
    await corpus.stop();
  }
});

async function opened(file: string) {
  try {
    return await open(file, "w");
  } catch (error) {
    throw new Failure(`${file} cannot be written: ${systemReason(error)}.`);
  }
}

function lineOf({ question, answer, ...verdict }: Verdict): string {
  const { relevant, gold, ...asked } = question;
  return `${JSON.stringify({ ...asked, documents: [...relevant.keys()], answers: gold, ...verdict, answer })}\n`;
}

function numberOf(flag: string, typed: string | undefined, max: number): number | undefined {
  if (typed === undefined) return undefined;
  const count = /^[1-9]\d*$/.test(typed) ? Number(typed) : Number.NaN;
  if (!(count <= max)) throw new UsageError(`--${flag} must be a whole number from 1 to ${max}.`);
  return count;
}
