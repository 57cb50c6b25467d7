// The time to fill and to search a large corpus.

import pMap from "p-map";
import { Progress } from "../scripts/progress.ts";
import type { Collection } from "./collection.ts";
import type { Corpus } from "./corpus.ts";
import { ingest, PUTS, type SearchCost, searchCost } from "./figures.ts";
import { filler, longQuestions } from "./filler.ts";

export interface ScaleFigures {
  readonly collection: string;
  readonly documents: number;
  readonly passages: number;
  readonly ingestSeconds: number;
  readonly search: SearchCost;
  /** Of questions with more terms than a search uses. */
  readonly longSearch: SearchCost;
}

const QUESTIONS_MAX = 500;
const LONG_QUESTIONS = 50;

export async function scaleFigures(
  collection: Collection,
  passagesMin: number,
  corpus: Corpus,
): Promise<ScaleFigures> {
  const startedAt = performance.now();
  let passages = await ingest(collection, corpus);
  let documents = collection.documents.size;
  const progress = new Progress("passages", passagesMin);
  progress.advance(passages);
  const more = filler(collection.documents.values());
  const missing = function* () {
    while (passages < passagesMin) yield more.next().value;
  };
  await pMap(
    missing(),
    async (document) => {
      const added = await corpus.put(document);
      passages += added;
      documents += 1;
      progress.advance(added);
    },
    PUTS,
  );
  progress.clear();
  const ingestSeconds = (performance.now() - startedAt) / 1_000;

  const step = Math.max(1, Math.floor(collection.questions.length / QUESTIONS_MAX));
  const questions = collection.questions.filter((_, i) => i % step === 0).slice(0, QUESTIONS_MAX);
  return {
    collection: collection.name,
    documents,
    passages,
    ingestSeconds,
    search: await searchCost(
      questions.map(({ text }) => text),
      corpus,
    ),
    longSearch: await searchCost(
      longQuestions(collection.documents.values(), LONG_QUESTIONS),
      corpus,
    ),
  };
}
