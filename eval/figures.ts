// The figures of a collection: quality of the ranking, cost of
// a search, share of right answers, and share of right "nothing
// found". Plain searches are measured beside Belay.

import pMap from "p-map";
import { Progress } from "../scripts/progress.ts";
import { TOP_K } from "../src/protocol.ts";
import { BASELINES, type BaselineName, makeBaseline, sectionAnswer } from "./baselines.ts";
import type { Collection, JudgedQuestion, Question } from "./collection.ts";
import type { Corpus } from "./corpus.ts";
import { DEPTH, mean, percentile, type Ranking, ranking } from "./measures.ts";
import { type Answer, type Shares, share, shares, type Verdict, verdict } from "./verdicts.ts";

export interface Figures {
  readonly collection: string;
  readonly documents: number;
  readonly passages: number;
  readonly questions: number;
  readonly search: SearchCost;
  readonly belay: ContenderFigures;
  readonly baselines: Readonly<Record<BaselineName, ContenderFigures>>;
  /** Of Belay's answers. Empty if the collection has no styles. */
  readonly styles: Readonly<Record<string, Shares>>;
  /**
   * The share of "nothing found" while a question's documents,
   * and all others of the same title, are deleted. Undefined if
   * the collection has unanswerable questions, which measure the
   * same.
   */
  readonly refusedWithoutDocuments: number | undefined;
}

export interface ContenderFigures {
  /** Undefined if no question can be ranked. */
  readonly ranking: Ranking | undefined;
  readonly answers: Shares;
  readonly refusedForeign: number | undefined;
}

export interface SearchCost {
  /** Milliseconds, over HTTP, one search after the other. */
  readonly p50: number;
  readonly p99: number;
  readonly rowsRead: { readonly mean: number; readonly max: number };
}

/** To rank ten documents if 20 passages are of fewer. */
const TOP_K_TO_RANK = 200;
const ASKS = { concurrency: 4 };
export const PUTS = { concurrency: 16 };

/** @returns The figures, and what they count: Belay's answers with their verdicts. */
export async function figures(
  collection: Collection,
  foreign: readonly Question[],
  corpus: Corpus,
): Promise<{ readonly figures: Figures; readonly verdicts: readonly Verdict[] }> {
  const { documents, questions, hasAnswers } = collection;
  const passages = await ingest(collection, corpus);
  const { rankings, search } = await searchAll(rankable(questions), corpus);
  const verdicts = await answerAll(questions, corpus);
  const refusedForeign = await shareRefused("foreign questions", foreign, (question) =>
    corpus.answer(question, TOP_K.byDefault),
  );
  const isAlwaysAnswerable = questions.every(({ relevant }) => relevant.size > 0);
  const refusedWithout = isAlwaysAnswerable
    ? await refusedWithoutDocuments(collection, corpus)
    : undefined;
  // Last: they keep this thread busy, and idle connections close meanwhile.
  const baselines = await measureBaselines(collection, foreign);
  return {
    figures: {
      collection: collection.name,
      documents: documents.size,
      passages,
      questions: questions.length,
      search,
      belay: {
        ranking: rankingOf(questions, rankings),
        answers: shares(verdicts, hasAnswers),
        refusedForeign,
      },
      baselines,
      styles: sharesByStyle(verdicts, hasAnswers),
      refusedWithoutDocuments: refusedWithout,
    },
    verdicts,
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

export async function answerAll(
  questions: readonly JudgedQuestion[],
  corpus: Corpus,
): Promise<Verdict[]> {
  const ask = async (question: JudgedQuestion) =>
    verdict(question, await corpus.answer(question, TOP_K.byDefault));
  return underBar("answers", questions, ASKS, ask);
}

/** Does the work for each item while a bar shows how many are done. */
async function underBar<T, Result>(
  label: string,
  items: readonly T[],
  options: { readonly concurrency: number },
  work: (item: T) => Result | Promise<Result>,
): Promise<Result[]> {
  const progress = new Progress(label, items.length);
  const results = await pMap(
    items,
    async (item) => {
      const result = await work(item);
      progress.advance();
      return result;
    },
    options,
  );
  progress.clear();
  return results;
}

/** The answerable ones that are understood without the turns before them. */
function rankable(questions: readonly JudgedQuestion[]): JudgedQuestion[] {
  return questions.filter(({ relevant, history }) => relevant.size > 0 && history.length === 0);
}

/** @param rankings Of the rankable questions. */
function rankingOf(
  questions: readonly JudgedQuestion[],
  rankings: readonly (readonly string[])[],
): Ranking | undefined {
  const ranked = rankable(questions);
  return ranked.length === 0 ? undefined : ranking(ranked, rankings);
}

async function searchAll(questions: readonly JudgedQuestion[], corpus: Corpus) {
  const rankings: string[][] = [];
  const search = await searchCost(
    questions.map(({ text }) => text),
    corpus,
    async (question, documentIds) => {
      let ids = [...new Set(documentIds)];
      if (ids.length < DEPTH && documentIds.length === TOP_K.max) {
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
    const { documentIds, rowsRead } = await corpus.search(question, TOP_K.max);
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

async function measureBaselines(collection: Collection, foreign: readonly Question[]) {
  const measured: [string, ContenderFigures][] = [];
  for (const [key, { label }] of Object.entries(BASELINES)) {
    measured.push([key, await measureBaseline(key as BaselineName, label, collection, foreign)]);
  }
  return Object.fromEntries(measured) as Record<BaselineName, ContenderFigures>;
}

async function measureBaseline(
  baseline: BaselineName,
  label: string,
  { documents, questions, hasAnswers }: Collection,
  foreign: readonly Question[],
): Promise<ContenderFigures> {
  const search = makeBaseline(baseline, documents.values());
  const found = await underBar(label, questions, { concurrency: 1 }, ({ text }) => search(text));
  const verdicts = questions.map((question, i) =>
    verdict(question, sectionAnswer(found[i] ?? [], TOP_K.byDefault)),
  );
  const rankings = new Map(
    questions.map(({ id }, i) => [id, [...new Set(found[i]?.map(({ documentId }) => documentId))]]),
  );
  return {
    ranking: rankingOf(
      questions,
      rankable(questions).map(({ id }) => rankings.get(id) ?? []),
    ),
    answers: shares(verdicts, hasAnswers),
    refusedForeign: await shareRefused(`${label}, foreign questions`, foreign, ({ text }) =>
      sectionAnswer(search(text), TOP_K.byDefault),
    ),
  };
}

function sharesByStyle(
  verdicts: readonly Verdict[],
  hasAnswers: boolean,
): Readonly<Record<string, Shares>> {
  const byStyle = Map.groupBy(verdicts, ({ question }) => question.style);
  byStyle.delete("");
  return Object.fromEntries(
    Array.from(byStyle, ([style, some]) => [style, shares(some, hasAnswers)]),
  );
}

async function shareRefused(
  label: string,
  questions: readonly Question[],
  ask: (question: Question) => Answer | Promise<Answer>,
): Promise<number | undefined> {
  return share(await underBar(label, questions, ASKS, ask), ({ isRefusal }) => isRefusal);
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
    const answers = await pMap(asked, (question) => corpus.answer(question, TOP_K.byDefault), ASKS);
    refused += answers.filter(({ isRefusal }) => isRefusal).length;
    progress.advance(asked.length);
    await pMap(removed, (document) => corpus.put(document), PUTS);
  }
  progress.clear();
  return refused / questions.length;
}
