// Reports as user objects send them, made up: each of the next queries of one
// user, after the position that the report before has reached.

import { histogramOf, NOTHING, ORIGIN, type Position, type Report } from "../../src/report.ts";

const QUESTION = "How do I change the limit of one user without a new deployment? ".repeat(2);
const ANSWER = "An operator sets it, and it holds from the next ask on [1]. ".repeat(18);

export interface Reporting {
  readonly user: number;
  /** How many reports of this user came before. */
  readonly before: number;
  /** Queries in each report. */
  readonly queries: number;
  readonly hasWords: boolean;
}

/** What an object's id looks like. */
export function objectId(user: number): string {
  return user.toString(16).padStart(64, "0");
}

export function report({ user, before, queries, hasWords }: Reporting): Report {
  const log = user.toString(16).padStart(32, "0");
  const at = (reports: number): Position =>
    reports === 0 ? ORIGIN : { log, revision: reports, last: queryId(user, reports * queries) };
  const count = (before + 1) * queries;
  const now = Date.now();
  const first = queries * before + 1;
  return {
    ...{ from: at(before), to: at(before + 1), restarts: false, name: `user ${user}` },
    ...{ blocked: false, limit: null, claimedLimit: null },
    queries: Array.from({ length: queries }, (_, i) => ({
      ...{ id: queryId(user, first + i), askedAt: now + i, state: "charged", reason: null },
      ...{ found: true, score: 0.73, cited: 2, tokens: 180, firstTokenMs: 420, totalMs: 3_900 },
      ...{ rating: null, collections: null, documents: ["operating", "protocol"], closest: [] },
      words: hasWords
        ? { question: QUESTION, answer: ANSWER.slice(0, 1_000), comment: null }
        : undefined,
    })),
    days: [
      {
        ...{ ...NOTHING, day: new Date(now).toISOString().slice(0, 10), charged: count },
        ...{ first_at: now, last_at: now, tokens: 180 * count },
        first_token_ms: [...histogramOf(420).slice(0, -1), count],
        total_ms: [...histogramOf(3_900).slice(0, -1), count],
      },
    ],
  };
}

function queryId(user: number, number: number): string {
  return `${number.toString(36)}-${(user * 100_000 + number).toString(16).padStart(32, "0")}`;
}
