// The figures of a collection: quality of the ranking, cost of a search, share of
// right answers, and share of right "nothing found".

import pMap from "p-map";
import { Progress } from "../scripts/progress.ts";
import type { Collection, JudgedQuestion, Question } from "./collection.ts";
import type { Answer, Corpus } from "./corpus.ts";
import { DEPTH, mean, percentile, type Ranking, ranking } from "./measures.ts";
import { miniSearch, type Search, sqlite } from "./others.ts";

export interface Figures {
  readonly collection: string;
  readonly documents: number;
  readonly passages: number;
  readonly questions: number;
  readonly rankings: Readonly<Record<"belay" | "sqlite" | "miniSearch", Ranking>>;
  readonly search: SearchCost;
  /** Shares of all questions, in [0, 1]. */
  readonly answers: {
    /** Undefined if the collection has no answers. */
    readonly gold: number | undefined;
    readonly firstCitation: number;
    readonly refused: number;
    /** While their documents, and all others of the same title, are deleted. */
    readonly refusedWithoutDocuments: number;
    readonly refusedForeign: number | undefined;
  };
}

export interface SearchCost {
  /** Milliseconds, over HTTP, one search after the other. */
  readonly p50: number;
  readonly p99: number;
  readonly rowsRead: { readonly mean: number; readonly max: number };
}

/** The maximum of an ask, which all measured searches use. */
export const TOP_K_MAX = 20;
/** The default of an ask, which all measured answers use. */
const TOP_K = 5;
/** To rank ten documents if 20 passages are of fewer. */
const TOP_K_TO_RANK = 200;
const ASKS = { concurrency: 4 };
export const PUTS = { concurrency: 16 };

export async function figures(
  collection: Collection,
  foreign: readonly Question[],
  corpus: Corpus,
): Promise<Figures> {
  const { documents, questions } = collection;
  const passages = await ingest(collection, corpus);
  const { rankings, search } = await searchAll(questions, corpus);
  const others = [...documents.values()];
  return {
    collection: collection.name,
    documents: documents.size,
    passages,
    questions: questions.length,
    rankings: {
      belay: ranking(questions, rankings),
      sqlite: rankingOf(questions, sqlite(others)),
      miniSearch: rankingOf(questions, miniSearch(others)),
    },
    search,
    answers: {
      ...(await answerAll(collection, corpus)),
      refusedForeign: await refusedForeign(foreign, corpus),
      refusedWithoutDocuments: await refusedWithoutDocuments(collection, corpus),
    },
  };
}

/** Returns the number of passages. */
export async function ingest(collection: Collection, corpus: Corpus): Promise<number> {
  const { documents } = collection;
  let passages = 0;
  await underBar(
    `${collection.name}: documents`,
    [...documents.values()],
    PUTS,
    async (document) => {
      const added = await corpus.put(document);
      passages += added;
    },
  );
  return passages;
}

/** Does the work for each item while a bar shows how many are done. */
async function underBar<T>(
  label: string,
  items: readonly T[],
  options: { readonly concurrency: number },
  work: (item: T) => Promise<void>,
): Promise<void> {
  const progress = new Progress(label, items.length);
  await pMap(
    items,
    async (item) => {
      await work(item);
      progress.advance();
    },
    options,
  );
  progress.clear();
}

async function searchAll(questions: readonly JudgedQuestion[], corpus: Corpus) {
  const rankings: string[][] = [];
  const search = await searchCost(
    questions.map(({ text }) => text),
    corpus,
    async (question, documentIds) => {
      let ids = [...new Set(documentIds)];
      if (ids.length < DEPTH && documentIds.length === TOP_K_MAX) {
        ids = [...new Set((await corpus.search(question, TOP_K_TO_RANK)).documentIds)];
      }
      rankings.push(ids);
    },
  );
  return { rankings, search };
}

/** One after the other, so that no search waits. */
export async function searchCost(
  questions: readonly string[],
  corpus: Corpus,
  found: (question: string, documentIds: readonly string[]) => Promise<void> = async () => {},
): Promise<SearchCost> {
  const progress = new Progress("searches", questions.length);
  const times: number[] = [];
  const rows: number[] = [];
  for (const question of questions) {
    const startedAt = performance.now();
    const { documentIds, rowsRead } = await corpus.search(question, TOP_K_MAX);
    times.push(performance.now() - startedAt);
    rows.push(rowsRead);
    await found(question, documentIds);
    progress.advance();
  }
  progress.clear();
  return {
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    rowsRead: { mean: mean(rows), max: Math.max(...rows) },
  };
}

function rankingOf(questions: readonly JudgedQuestion[], search: Search): Ranking {
  return ranking(
    questions,
    questions.map(({ text }) => search(text)),
  );
}

async function answerAll({ questions, hasAnswers }: Collection, corpus: Corpus) {
  let gold = 0;
  let firstCitation = 0;
  let refused = 0;
  await underBar("answers", questions, ASKS, async (question) => {
    const answer = await corpus.answer(question.text, TOP_K);
    if (question.gold.some((right) => plain(answer.text).includes(plain(right)))) gold += 1;
    if (question.relevant.has(firstCited(answer) ?? "")) firstCitation += 1;
    if (isRefusal(answer)) refused += 1;
  });
  const share = (count: number) => count / questions.length;
  return {
    gold: hasAnswers ? share(gold) : undefined,
    firstCitation: share(firstCitation),
    refused: share(refused),
  };
}

async function refusedForeign(
  questions: readonly Question[],
  corpus: Corpus,
): Promise<number | undefined> {
  if (questions.length === 0) return undefined;
  let refused = 0;
  await underBar("foreign questions", questions, ASKS, async ({ text }) => {
    if (isRefusal(await corpus.answer(text, TOP_K))) refused += 1;
  });
  return refused / questions.length;
}

/** Title by title: deletes its documents, asks its questions, restores them. */
async function refusedWithoutDocuments(
  { documents, questions }: Collection,
  corpus: Corpus,
): Promise<number> {
  const progress = new Progress("questions without their documents", questions.length);
  // A document without a title is a group of its own.
  const titleOf = (id: string) => documents.get(id)?.title.trim() || `without title: ${id}`;
  const byTitle = Map.groupBy(documents.values(), ({ id }) => titleOf(id));
  const titlesOf = ({ relevant }: JudgedQuestion) =>
    [...new Set(Array.from(relevant.keys(), titleOf))].sort();
  let refused = 0;
  for (const asked of Map.groupBy(questions, (q) => JSON.stringify(titlesOf(q))).values()) {
    const titles = asked[0] === undefined ? [] : titlesOf(asked[0]);
    const removed = titles.flatMap((title) => byTitle.get(title) ?? []);
    await pMap(removed, ({ id }) => corpus.delete(id), PUTS);
    const answers = await pMap(asked, ({ text }) => corpus.answer(text, TOP_K), ASKS);
    refused += answers.filter(isRefusal).length;
    progress.advance(asked.length);
    await pMap(removed, (document) => corpus.put(document), PUTS);
  }
  progress.clear();
  return refused / questions.length;
}

/** An extractive answer without a citation is "nothing found". */
function isRefusal(answer: Answer): boolean {
  return firstCited(answer) === undefined;
}

function firstCited({ text, documentIds }: Answer): string | undefined {
  const [, n] = /\[(\d{1,2})\](?:\n\n|$)/.exec(text) ?? [];
  return documentIds[Number(n) - 1];
}

/** Without differences of case, width and white space. */
function plain(text: string): string {
  return text.normalize("NFKC").toLowerCase().replace(/\s+/g, " ");
}
