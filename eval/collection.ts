// A test collection on disk: documents, questions, and which
// documents answer them. The questions are in the layout of
// BEIR, or in one file with a style, the turns before and the
// right answers of each.

import { basename, resolve } from "node:path";
import * as v from "valibot";
import { Failure } from "../scripts/command.ts";
import { printable } from "../scripts/printable.ts";
import { checkFolder, parse, read, readLines, readRequired } from "./lines.ts";

export interface Document {
  readonly id: string;
  /** May be empty. */
  readonly title: string;
  readonly text: string;
}

export interface Turn {
  readonly role: "user" | "assistant";
  readonly content: string;
}

export interface Question {
  readonly id: string;
  /** Empty if the collection has no styles. */
  readonly style: string;
  readonly text: string;
  /** The turns before it. */
  readonly history: readonly Turn[];
}

export interface JudgedQuestion extends Question {
  /**
   * The documents that answer it, with a grade above 0. Empty if
   * none does: then "nothing found" is right.
   */
  readonly relevant: ReadonlyMap<string, number>;
  /** Of one of these lists, all strings must be in the answer. */
  readonly gold: readonly (readonly string[])[];
}

export interface Collection {
  readonly name: string;
  readonly documents: ReadonlyMap<string, Document>;
  readonly questions: readonly JudgedQuestion[];
  readonly hasAnswers: boolean;
}

const QUESTIONS = "questions.jsonl";
const QUERIES = "queries.jsonl";

const StyledQuestion = v.object({
  id: v.pipe(v.string(), v.nonEmpty()),
  style: v.pipe(v.string(), v.nonEmpty()),
  text: v.pipe(v.string(), v.nonEmpty()),
  history: v.optional(
    v.array(v.object({ role: v.picklist(["user", "assistant"]), content: v.string() })),
    [],
  ),
  documents: v.array(v.string()),
  answers: v.array(v.pipe(v.array(v.pipe(v.string(), v.nonEmpty())), v.nonEmpty())),
});

export async function readCollection(folder: string): Promise<Collection> {
  await checkFolder(folder);
  const documents = await readDocuments(folder);
  const styled = await readStyledQuestions(folder);
  if (styled === undefined) {
    const { questions, hasAnswers } = await readBeir(folder);
    return { name: basename(resolve(folder)), documents, questions, hasAnswers };
  }
  return collectionOf(basename(resolve(folder)), folder, documents, styled);
}

/** Refuses questions about documents that do not exist. */
export function collectionOf(
  name: string,
  folder: string,
  documents: ReadonlyMap<string, Document>,
  questions: readonly JudgedQuestion[],
): Collection {
  for (const { id, relevant } of questions) {
    const unknown = [...relevant.keys()].find((document) => !documents.has(document));
    if (unknown === undefined) continue;
    throw new Failure(
      `${folder}/${QUESTIONS}: "${printable(id)}" names the document "${printable(unknown)}", which does not exist.`,
    );
  }
  return { name, documents, questions, hasAnswers: true };
}

/** For "nothing found": those that need no turns before them. */
export async function readForeignQuestions(folder: string): Promise<readonly Question[]> {
  await checkFolder(folder);
  const styled = await readStyledQuestions(folder);
  return styled?.filter(({ history }) => history.length === 0) ?? (await readQueries(folder));
}

/** Undefined if the folder has another layout. */
export async function readStyledQuestions(folder: string): Promise<JudgedQuestion[] | undefined> {
  if ((await read(folder, QUESTIONS)) === undefined) return undefined;
  const ids = new Set<string>();
  const questions = (await readLines(folder, QUESTIONS)).map(({ value, place }) => {
    const parsed = v.safeParse(StyledQuestion, value);
    if (!parsed.success) {
      throw new Failure(
        `${place} must have "id", "style", "text", "documents" and "answers" (lists of strings), and may have "history".`,
      );
    }
    const { documents, answers, ...question } = parsed.output;
    if ((documents.length === 0) !== (answers.length === 0)) {
      throw new Failure(`${place} must have both documents and answers, or neither.`);
    }
    if (ids.has(question.id)) throw new Failure(`${place} has an "id" that another line has.`);
    ids.add(question.id);
    return { ...question, relevant: new Map(documents.map((id) => [id, 1])), gold: answers };
  });
  if (questions.length === 0) throw new Failure(`${folder}/${QUESTIONS} has no questions.`);
  return questions;
}

async function readDocuments(folder: string): Promise<Map<string, Document>> {
  const documents = new Map<string, Document>();
  for (const { id, title, text } of await readTexts(folder, "corpus.jsonl")) {
    if (documents.has(id))
      throw new Failure(`${folder}/corpus.jsonl has two documents "${printable(id)}".`);
    documents.set(id, { id, title, text });
  }
  if (documents.size === 0) throw new Failure(`${folder}/corpus.jsonl has no documents.`);
  return documents;
}

/** Without questions that no document answers, as usual with BEIR. */
async function readBeir(folder: string) {
  const [queries, judgements, answers] = await Promise.all([
    readQueries(folder),
    readJudgements(folder),
    readAnswers(folder),
  ]);
  const questions = queries.flatMap((question) => {
    const relevant = judgements.get(question.id);
    if (relevant === undefined) return [];
    const gold = answers?.get(question.id) ?? [];
    return [{ ...question, relevant, gold: gold.map((answer) => [answer]) }];
  });
  if (questions.length === 0) {
    throw new Failure(`No question of ${folder}/${QUERIES} has a document in qrels.tsv.`);
  }
  return { questions, hasAnswers: answers !== undefined };
}

async function readQueries(folder: string): Promise<Question[]> {
  if ((await read(folder, QUERIES)) === undefined) {
    throw new Failure(`${folder} has neither ${QUESTIONS} nor ${QUERIES}.`);
  }
  const queries = await readTexts(folder, QUERIES);
  if (queries.length === 0) throw new Failure(`${folder}/${QUERIES} has no questions.`);
  return queries.map(({ id, text }) => ({ id, style: "", text, history: [] }));
}

/** The documents that answer each question. */
async function readJudgements(folder: string): Promise<Map<string, Map<string, number>>> {
  const judgements = new Map<string, Map<string, number>>();
  const content = await readRequired(folder, "qrels.tsv");
  for (const [i, line] of content.split("\n").entries()) {
    const [question = "", document = "", score = ""] = line.trimEnd().split("\t");
    if (line.trim() === "" || (i === 0 && score === "score")) continue;
    if (!/^-?\d+(?:\.\d+)?$/.test(score)) {
      const form = "a question's id, a document's id and a number, with tabs between them";
      throw new Failure(`${folder}/qrels.tsv, line ${i + 1}, is not ${form}.`);
    }
    if (Number(score) <= 0) continue;
    const relevant = judgements.get(question) ?? new Map<string, number>();
    judgements.set(question, relevant.set(document, Number(score)));
  }
  return judgements;
}

async function readAnswers(folder: string): Promise<Map<string, string[]> | undefined> {
  const content = await read(folder, "answers.json");
  if (content === undefined) return undefined;
  const answers = parse(content, `${folder}/answers.json`);
  const parsed = v.safeParse(v.record(v.string(), v.array(v.string())), answers);
  if (parsed.success && !Array.isArray(answers)) return new Map(Object.entries(parsed.output));
  throw new Failure(`${folder}/answers.json must be an object of lists of answers.`);
}

async function readTexts(folder: string, file: string): Promise<Document[]> {
  return (await readLines(folder, file)).map(({ value, place }) => {
    const { _id, title = "", text } = value;
    const isId = (typeof _id === "string" && _id !== "") || typeof _id === "number";
    if (!isId || typeof text !== "string" || typeof title !== "string") {
      throw new Failure(`${place} must have "_id" and "text", and may have "title".`);
    }
    return { id: String(_id), title, text };
  });
}
