// A test collection on disk, in the layout of BEIR: documents, questions and
// judgements. Any wrong line is a Failure: no figure may omit lines.

import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { Failure } from "../scripts/command.ts";
import { printable } from "../scripts/printable.ts";

export interface Document {
  readonly id: string;
  /** May be empty. */
  readonly title: string;
  readonly text: string;
}

export interface Question {
  readonly id: string;
  readonly text: string;
}

export interface JudgedQuestion extends Question {
  /** The documents that answer it, with a grade of 1 or more. */
  readonly relevant: ReadonlyMap<string, number>;
  /** Right answers. Empty if the collection has none. */
  readonly gold: readonly string[];
}

export interface Collection {
  readonly name: string;
  readonly documents: ReadonlyMap<string, Document>;
  /** Without questions that no document answers, as usual with BEIR. */
  readonly questions: readonly JudgedQuestion[];
  readonly hasAnswers: boolean;
}

export async function readCollection(folder: string): Promise<Collection> {
  const documents = new Map<string, Document>();
  for (const { id, title, text } of await readLines(folder, "corpus.jsonl")) {
    if (documents.has(id))
      throw new Failure(`${folder}/corpus.jsonl has two documents "${printable(id)}".`);
    documents.set(id, { id, title, text });
  }
  const [questions, judgements, answers] = await Promise.all([
    readQuestions(folder),
    readJudgements(folder),
    readAnswers(folder),
  ]);
  const judged = questions.flatMap((question) => {
    const relevant = judgements.get(question.id);
    return relevant === undefined
      ? []
      : [{ ...question, relevant, gold: answers?.get(question.id) ?? [] }];
  });
  if (documents.size === 0) throw new Failure(`${folder}/corpus.jsonl has no documents.`);
  if (judged.length === 0) {
    throw new Failure(`No question of ${folder}/queries.jsonl has a document in qrels.tsv.`);
  }
  return {
    name: basename(resolve(folder)),
    documents,
    questions: judged,
    hasAnswers: answers !== undefined,
  };
}

export async function readQuestions(folder: string): Promise<Question[]> {
  const lines = await readLines(folder, "queries.jsonl");
  return lines.map(({ id, text }) => ({ id, text }));
}

/** The documents that answer each question. */
async function readJudgements(folder: string): Promise<Map<string, Map<string, number>>> {
  const judgements = new Map<string, Map<string, number>>();
  const content = await read(folder, "qrels.tsv");
  for (const [i, line] of (content ?? missing(folder, "qrels.tsv")).split("\n").entries()) {
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
  const entries = Object.entries(answers as Record<string, unknown>);
  const isGold = ([, gold]: [string, unknown]): boolean =>
    Array.isArray(gold) && gold.every((answer) => typeof answer === "string");
  if (typeof answers !== "object" || answers === null || !entries.every(isGold)) {
    throw new Failure(`${folder}/answers.json must be an object of lists of answers.`);
  }
  return new Map(entries as [string, string[]][]);
}

async function readLines(folder: string, file: string): Promise<Document[]> {
  const content = (await read(folder, file)) ?? missing(folder, file);
  return content.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    const place = `${folder}/${file}, line ${i + 1},`;
    const { _id, title = "", text } = (parse(line, place) ?? {}) as Record<string, unknown>;
    const isId = (typeof _id === "string" && _id !== "") || typeof _id === "number";
    if (!isId || typeof text !== "string" || typeof title !== "string") {
      throw new Failure(`${place} must have "_id" and "text", and may have "title".`);
    }
    return [{ id: String(_id), title, text }];
  });
}

async function read(folder: string, file: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, file), "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new Failure(`${folder}/${file} cannot be read: ${message}.`);
  }
}

function missing(folder: string, file: string): never {
  throw new Failure(`${folder} has no ${file}.`);
}

function parse(json: string, place: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new Failure(`${place} is not JSON: ${(error as Error).message}.`);
  }
}
