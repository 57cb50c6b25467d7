// The operators' report: what users could not be answered, in groups, what they
// rated down, what they ask most, and which documents answer them. It reads a
// bounded number of the newest queries, and asks no model. Reports of users come
// in between its parts.

import { reasonOf } from "../errors.ts";
import { type Counts, NOTHING, sumCounts } from "../report.ts";
import type {
  ShownCloseDocument,
  ShownComment,
  ShownCounts,
  ShownGroup,
  ShownQuestion,
  ShownReport,
} from "../shown.ts";
import { questionGroups } from "../text/question-groups.ts";
import {
  AskedQuestions,
  type AskedRow,
  examplesOf,
  mostAsked,
  type Question,
  withSameWords,
} from "./asked-questions.ts";
import type { Days } from "./days.ts";
import { KEYS_PER_MS } from "./directory-schema.ts";
import { shownCounts, timeOf } from "./listings.ts";

export interface ReportPage {
  /** UTC days, both included. */
  readonly since: string;
  readonly until: string;
  /** The length of each list. */
  readonly limit: number;
}

/** The ids of all stored documents, page by page. */
export type StoredDocuments = () => AsyncIterable<readonly string[]>;

/** The newest queries that are read: of each kind. */
const UNANSWERED_MAX = 10_000;
const NEWEST_MAX = 10_000;
const RATED_MAX = 10_000;
/** Stored documents that are looked at, and calls for them. */
const DOCUMENTS_MAX = 10_000;
const DOCUMENT_PAGES_MAX = 40;
/** Of a question or a comment, this much is read, in characters. */
const LENGTH_MAX = 500;
/** Of a group. */
const EXAMPLES_MAX = 3;
const CLOSEST_MAX = 3;
const DAY_MS = 86_400_000;
/** Which index finds the rows. Without it, SQLite may read every query. */
const UNANSWERED = "INDEXED BY unanswered_queries";
const ANY = "";

type Range = readonly [from: number, to: number];
type RatedRow = Pick<AskedRow, "key" | "rating" | "documents"> & { id: string };

export class OperatorsReport {
  readonly #sql: SqlStorage;
  readonly #days: Days;
  readonly #documents: StoredDocuments;

  constructor(sql: SqlStorage, days: Days, documents: StoredDocuments) {
    this.#sql = sql;
    this.#days = days;
    this.#documents = documents;
  }

  /** @param showWords False with SHARE_QUERIES=false: only numbers are read. */
  async of({ since, until, limit }: ReportPage, showWords: boolean): Promise<ShownReport> {
    const range = [keyOf(since), keyOf(until) + DAY_MS * KEYS_PER_MS] as const;
    // All rows are read at once: what is written meanwhile does not mix in.
    const totals = this.#totals(since, until);
    const unanswered = this.#rows(range, UNANSWERED, UNANSWERED_MAX, showWords);
    const newest = this.#rows(range, ANY, NEWEST_MAX, showWords);
    const feedback = this.#feedback(range, limit, showWords);
    const asked = new AskedQuestions();
    const answered = await asked.of(newest.rows.filter(({ found }) => found === 1));
    return {
      ...{ since, until, words: showWords, totals },
      unanswered: unansweredOf(unanswered, await asked.of(unanswered.rows), answered, limit),
      feedback,
      questions: {
        counted: newest.rows.length,
        more: newest.more,
        top: mostAsked(withSameWords(await asked.of(newest.rows)))
          .slice(0, limit)
          .map(shownQuestion),
      },
      documents: await this.#cited(newest.rows, limit),
    };
  }

  #totals(since: string, until: string): ShownCounts {
    const days = this.#days.between(since, until);
    return shownCounts(days.reduce<Counts>((all, day) => sumCounts(all, day), NOTHING));
  }

  /** The newest first. */
  #rows(range: Range, which: string, max: number, showWords: boolean) {
    const rows = this.#sql
      .exec<AskedRow>(
        `SELECT key, user, found, rating, documents, closest,
           iif(?3, substr(question, 1, ${LENGTH_MAX}), NULL) AS question
         FROM queries ${which} WHERE key >= ?1 AND key < ?2
           ${which === UNANSWERED ? "AND found = 0" : ""}
         ORDER BY key DESC LIMIT ${max + 1}`,
        ...[...range, showWords ? 1 : 0],
      )
      .toArray();
    return { rows: rows.slice(0, max), more: rows.length > max };
  }

  #feedback(range: Range, limit: number, showWords: boolean): ShownReport["feedback"] {
    const counted = { up: 0, down: 0 };
    const comments: ShownComment[] = [];
    const rows = this.#sql.exec<RatedRow>(
      `SELECT key, id, rating, documents FROM queries INDEXED BY rated_queries
       WHERE rating IS NOT NULL AND key >= ? AND key < ?
       ORDER BY key DESC LIMIT ${RATED_MAX + 1}`,
      ...range,
    );
    let read = 0;
    for (const row of rows) {
      if (read === RATED_MAX) return { ...counted, more: true, comments };
      read += 1;
      counted[row.rating === "up" ? "up" : "down"] += 1;
      if (row.rating !== "down" || !showWords || comments.length === limit) continue;
      comments.push(...this.#commentOf(row));
    }
    return { ...counted, more: false, comments };
  }

  /** None if there is no comment. */
  #commentOf({ key, id, documents }: RatedRow): ShownComment[] {
    return this.#sql
      .exec<{ name: string; question: string | null; comment: string }>(
        `SELECT name, substr(question, 1, ${LENGTH_MAX}) AS question, comment
         FROM queries CROSS JOIN users ON users.number = queries.user
         WHERE queries.key = ? AND comment IS NOT NULL`,
        key,
      )
      .toArray()
      .map(({ name, question, comment }) => ({
        ...{ queryId: id, user: name, askedAt: askedAt(key), question, comment },
        documents: JSON.parse(documents),
      }));
  }

  async #cited(rows: readonly AskedRow[], limit: number): Promise<ShownReport["documents"]> {
    const answers = new Map<string, number>();
    for (const { documents } of rows) {
      for (const id of JSON.parse(documents) as string[]) {
        answers.set(id, (answers.get(id) ?? 0) + 1);
      }
    }
    const cited = [...answers]
      .sort(([one, a], [other, b]) => b - a || order(one, other))
      .slice(0, limit)
      .map(([documentId, count]) => ({ documentId, answers: count }));
    try {
      return { cited, neverCited: await this.#neverCited(answers, limit) };
    } catch (thrown) {
      console.error("The report could not read the documents:", reasonOf(thrown));
      return { cited, neverCited: null };
    }
  }

  async #neverCited(cited: ReadonlyMap<string, number>, limit: number) {
    const documentIds: string[] = [];
    let [count, read, pages] = [0, 0, 0];
    for await (const ids of this.#documents()) {
      if (read >= DOCUMENTS_MAX || pages === DOCUMENT_PAGES_MAX) {
        return { count, documentIds, more: true };
      }
      pages += 1;
      read += ids.length;
      const never = ids.filter((id) => !cited.has(id));
      count += never.length;
      documentIds.push(...never.slice(0, limit - documentIds.length));
    }
    return { count, documentIds, more: false };
  }
}

function unansweredOf(
  { rows, more }: { readonly rows: readonly AskedRow[]; readonly more: boolean },
  questions: readonly Question[],
  answered: readonly Question[],
  limit: number,
): ShownReport["unanswered"] {
  const groups = questionGroups(questions, answered, limit);
  const isGrouped = new Set(groups.flatMap(({ members }) => members));
  const rest = questions.filter((_, i) => !isGrouped.has(i));
  // Small talk finds nothing, and nothing is missing.
  const withoutWords = rows.filter(({ question }) => question === null);
  const missing = [...questions.flatMap((question) => question.rows), ...withoutWords];
  return {
    asked: missing.length,
    withoutWords: withoutWords.length,
    more,
    closest: closestOf(missing),
    groups: groups.map(({ common, members }) =>
      shownGroup(
        common,
        members.flatMap((i) => questions[i] ?? []),
      ),
    ),
    ungrouped: {
      asked: rest.reduce((sum, { times }) => sum + times, 0),
      questions: mostAsked(rest)
        .slice(0, limit)
        .map(({ text }) => text),
    },
  };
}

function shownGroup(common: readonly string[], questions: readonly Question[]): ShownGroup {
  const rows = questions.flatMap((question) => question.rows);
  return {
    common,
    asked: rows.length,
    users: usersOf(rows),
    lastAskedAt: askedAt(rows.reduce((last, { key }) => Math.max(last, key), 0)),
    questions: examplesOf(questions, EXAMPLES_MAX).map(({ text }) => text),
    closest: closestOf(rows),
  };
}

function shownQuestion({ text, rows }: Question): ShownQuestion {
  const count = (is: (row: AskedRow) => boolean) => rows.filter(is).length;
  return {
    question: text,
    asked: rows.length,
    users: usersOf(rows),
    unanswered: count(({ found }) => found === 0),
    up: count(({ rating }) => rating === "up"),
    down: count(({ rating }) => rating === "down"),
  };
}

function usersOf(rows: readonly AskedRow[]): number {
  return new Set(rows.map(({ user }) => user)).size;
}

/** The documents that came near most often. */
function closestOf(rows: readonly AskedRow[]): ShownCloseDocument[] {
  const near = new Map<string, { score: number; asked: number }>();
  for (const { closest } of rows) {
    const best = new Map<string, number>();
    for (const [id, score] of JSON.parse(closest) as [string, number][]) {
      best.set(id, Math.max(score, best.get(id) ?? 0));
    }
    for (const [id, score] of best) {
      const known = near.get(id) ?? { score: 0, asked: 0 };
      near.set(id, { score: Math.max(score, known.score), asked: known.asked + 1 });
    }
  }
  return [...near]
    .map(([documentId, { score, asked }]) => ({ documentId, score, asked }))
    .sort((a, b) => b.asked - a.asked || b.score - a.score || order(a.documentId, b.documentId))
    .slice(0, CLOSEST_MAX);
}

function order(one: string, other: string): number {
  return one < other ? -1 : 1;
}

function keyOf(day: string): number {
  return Date.parse(day) * KEYS_PER_MS;
}

function askedAt(key: number): string {
  return timeOf(Math.floor(key / KEYS_PER_MS));
}
