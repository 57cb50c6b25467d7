// What is measured of a collection: how good the ranking is, how dear a search, how often an answer is
// right, and how often the answerer says rightly that there is none.

import { inParallel } from "../scripts/parallel.ts";
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
    /** Only where the collection has answers. */
    readonly gold: number | undefined;
    readonly firstCitation: number;
    readonly refused: number;
    /** Of those whose documents, and all others of the same title, were taken out. */
    readonly refusedWithoutDocuments: number;
    readonly refusedForeign: number | undefined;
  };
}

export interface SearchCost {
  /** Milliseconds, over HTTP, one after the other. */
  readonly p50: number;
  readonly p99: number;
  readonly rowsRead: { readonly mean: number; readonly max: number };
}

/** The most passages that an ask may want: what a search is measured with. */
export const TOP_K_MAX = 20;
/** What an ask wants if it does not say: what answers are drawn from. */
const TOP_K = 5;
/** Where 20 passages are of fewer than ten documents, so many are looked through to rank ten. */
const TOP_K_TO_RANK = 200;
const ASKS_AT_ONCE = 4;
export const PUTS_AT_ONCE = 16;

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

/** How many passages they were cut into. */
export async function ingest(collection: Collection, corpus: Corpus): Promise<number> {
  const { documents } = collection;
  const progress = new Progress(`${collection.name}: documents`, documents.size);
  let passages = 0;
  await inParallel(documents.values(), PUTS_AT_ONCE, async (document) => {
    const added = await corpus.put(document);
    passages += added;
    progress.advance();
  });
  progress.clear();
  return passages;
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

/** One search after the other, so that none waits for another. */
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
  const progress = new Progress("answers", questions.length);
  let gold = 0;
  let firstCitation = 0;
  let refused = 0;
  await inParallel(questions, ASKS_AT_ONCE, async (question) => {
    const answer = await corpus.answer(question.text, TOP_K);
    if (question.gold.some((right) => plain(answer.text).includes(plain(right)))) gold += 1;
    if (question.relevant.has(firstCited(answer) ?? "")) firstCitation += 1;
    if (isRefusal(answer)) refused += 1;
    progress.advance();
  });
  progress.clear();
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
  const progress = new Progress("foreign questions", questions.length);
  let refused = 0;
  await inParallel(questions, ASKS_AT_ONCE, async ({ text }) => {
    if (isRefusal(await corpus.answer(text, TOP_K))) refused += 1;
    progress.advance();
  });
  progress.clear();
  return refused / questions.length;
}

/** Takes the documents of a title out, asks what they answer, and puts them back, title by title. */
async function refusedWithoutDocuments(
  { documents, questions }: Collection,
  corpus: Corpus,
): Promise<number> {
  const progress = new Progress("questions without their documents", questions.length);
  // A document without a title stands for itself.
  const titleOf = (id: string) => documents.get(id)?.title.trim() || `without title: ${id}`;
  const byTitle = Map.groupBy(documents.values(), ({ id }) => titleOf(id));
  const titlesOf = ({ relevant }: JudgedQuestion) =>
    [...new Set(Array.from(relevant.keys(), titleOf))].sort();
  let refused = 0;
  for (const asked of Map.groupBy(questions, (q) => JSON.stringify(titlesOf(q))).values()) {
    const titles = asked[0] === undefined ? [] : titlesOf(asked[0]);
    const removed = titles.flatMap((title) => byTitle.get(title) ?? []);
    await inParallel(removed, PUTS_AT_ONCE, ({ id }) => corpus.delete(id));
    await inParallel(asked, ASKS_AT_ONCE, async ({ text }) => {
      if (isRefusal(await corpus.answer(text, TOP_K))) refused += 1;
      progress.advance();
    });
    await inParallel(removed, PUTS_AT_ONCE, async (document) => {
      await corpus.put(document);
    });
  }
  progress.clear();
  return refused / questions.length;
}

/** Whatever the extractive answerer has found it cites. */
function isRefusal(answer: Answer): boolean {
  return firstCited(answer) === undefined;
}

function firstCited({ text, documentIds }: Answer): string | undefined {
  const [, n] = /\[(\d{1,2})\](?:\n\n|$)/.exec(text) ?? [];
  return documentIds[Number(n) - 1];
}

/** Without what does not matter to a reader: case, width, white space. */
function plain(text: string): string {
  return text.normalize("NFKC").toLowerCase().replace(/\s+/g, " ");
}
