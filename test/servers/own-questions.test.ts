// What newcomers and operators ask about this project, answered
// from its own samples and docs. `npm run eval` prints the same
// set by style, beside plain searches.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Collection } from "../../eval/collection.ts";
import { Corpus } from "../../eval/corpus.ts";
import { answerAll, ingest } from "../../eval/figures.ts";
import { holds } from "../../eval/holds.ts";
import { readOwnCollection } from "../../eval/own.ts";
import { shares, type Verdict } from "../../eval/verdicts.ts";

/** To be raised whenever the score rises. */
const SCORE_MIN = 31 / 40;
/** Of an answer that is shown. */
const LENGTH_MAX = 300;

let collection: Collection;
let corpus: Corpus;

beforeAll(async () => {
  collection = await readOwnCollection();
  corpus = await Corpus.start();
});
afterAll(() => corpus?.stop());

test("the right answers are in the documents", () => {
  const { documents, questions } = collection;
  expect(questions).toHaveLength(40);
  expect(questions.filter(({ relevant }) => relevant.size === 0)).toHaveLength(9);
  const missing = questions.flatMap(({ text, relevant, gold }) =>
    [...relevant.keys()]
      .filter((id) => !holds(documents.get(id)?.text ?? "", gold))
      .map((id) => `${text} ${id}`),
  );
  expect(missing).toEqual([]);
});

test("the questions of newcomers and operators are answered rightly", async () => {
  await ingest(collection, corpus);
  const verdicts = await answerAll(collection.questions, corpus);
  const failing = verdicts.filter(({ isRight }) => !isRight).map(shown);
  const { score } = shares(verdicts, true);
  expect(score, [`${failing.length} fail:`, ...failing].join("\n\n")).toBeGreaterThanOrEqual(
    SCORE_MIN,
  );
  process.stdout.write(`${verdicts.length - failing.length} of ${verdicts.length} are right.\n`);
});

function shown({ question, answer, isAnswerable, goldInSources }: Verdict): string {
  const wanted = isAnswerable
    ? question.gold.map((all) => all.join(" + ")).join(" or ")
    : "nothing";
  const sources = isAnswerable && !goldInSources ? " (no right document was found)" : "";
  return [
    `${question.id}: ${question.text}`,
    `wanted: ${wanted}${sources}`,
    answer.text.length > LENGTH_MAX ? `${answer.text.slice(0, LENGTH_MAX)} …` : answer.text,
  ].join("\n");
}
