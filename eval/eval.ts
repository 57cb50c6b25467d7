// `npm run eval`: measures how well the real corpus object, in workerd, searches
// and answers a test collection.

import { run, UsageError } from "../scripts/command.ts";
import { flags } from "../scripts/flags.ts";
import { readCollection, readQuestions } from "./collection.ts";
import { Corpus } from "./corpus.ts";
import { figures } from "./figures.ts";
import { report, scaleReport } from "./report.ts";
import { scaleFigures } from "./scale.ts";

const HELP = `Measures search and answers on a test collection.

  --data DIR       a collection in the layout of BEIR:
                   corpus.jsonl: {"_id", "title", "text"} on each line
                   queries.jsonl: {"_id", "text"} on each line
                   qrels.tsv: question, document, score
                   answers.json (optional): {"<question>": ["<right answer>", …]}
  --foreign DIR2   another collection, whose questions these documents do not answer
  --passages N     fills the corpus up to N passages instead, and measures the time of
                   that and of searches
  --json           prints the figures as one JSON object

The corpus runs in a workerd of its own and is deleted at the end. Exit code 1: something
failed. Exit code 2: wrong flags.`;

const PASSAGES_MAX = 1_000_000;

await run(async () => {
  const { data, foreign, passages, json } = flags(
    {
      data: { type: "string" },
      foreign: { type: "string" },
      passages: { type: "string" },
      json: { type: "boolean", default: false },
    },
    HELP,
  );
  if (data === undefined) throw new UsageError("--data is missing.");
  const count = passages === undefined ? undefined : passageCount(passages);
  if (count !== undefined && foreign !== undefined) {
    throw new UsageError("--foreign does not go with --passages.");
  }
  const collection = await readCollection(data);
  const foreignQuestions = foreign === undefined ? [] : await readQuestions(foreign);

  const corpus = await Corpus.start();
  try {
    if (count === undefined) {
      const measured = await figures(collection, foreignQuestions, corpus);
      console.log(json ? JSON.stringify(measured) : report(measured));
    } else {
      const measured = await scaleFigures(collection, count, corpus);
      console.log(json ? JSON.stringify(measured) : scaleReport(measured));
    }
  } finally {
    await corpus.stop();
  }
});

function passageCount(typed: string): number {
  const count = /^[1-9]\d*$/.test(typed) ? Number(typed) : Number.NaN;
  if (!(count <= PASSAGES_MAX)) {
    throw new UsageError(`--passages must be a whole number from 1 to ${PASSAGES_MAX}.`);
  }
  return count;
}
