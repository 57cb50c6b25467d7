// The next report of a user to the directory: what it lacks, as it is now.
// Nothing is written. outbox.ts says what has changed.

import { withCitations } from "../answer/citations.ts";
import type { Source } from "../protocol.ts";
import { dayOf, ORIGIN, type Position, type Report, type ReportedQuery } from "../report.ts";
import { endsInHalf } from "../text/pieces.ts";
import type { QueryRow } from "./queries.ts";
import { numberIn, numberOf } from "./query-id.ts";
import type { Tables } from "./tables.ts";

/** Queries in one report. */
const QUERIES_MAX = 100;
/** Words in one report, in UTF-16 units. One query may exceed it. */
const WORDS_MAX = 256 * 1024;
/** Of an answer, only the beginning is reported, in UTF-16 units. */
const ANSWER_MAX = 1_000;
/** The passages that came nearest where nothing was found. */
const CLOSEST_MAX = 3;

export interface ReportOptions {
  readonly shareQueries: boolean;
  /** Older queries are not reported: the directory would delete them. */
  readonly oldest: number;
}

/** What a directory at a position lacks; undefined if that is nothing. */
export function reportAfter(
  at: Position,
  tables: Tables,
  options: ReportOptions,
): Report | undefined {
  const { outbox, settings } = tables;
  const { log, name, blocked, quota_limit, claimed_limit } = settings.get();
  const restarts = at.log !== null && !continues(at, tables);
  const from = restarts ? { ...ORIGIN, log } : { ...at, log };
  const next = restarts || at.log === null ? from : at;
  const page = pageAfter(next, tables, options);
  const to = { log, ...page.to };
  const isNews = restarts || to.revision !== at.revision || to.last !== at.last;
  if (!isNews) return undefined;
  return {
    ...{ from: at, to, restarts, name },
    blocked: blocked === 1,
    limit: quota_limit,
    claimedLimit: claimed_limit,
    queries: page.queries,
    // The directory finds a user's queries by the user's days.
    days: outbox.daysOf(
      page.days,
      { after: next.revision, to: to.revision },
      { after: numberIn(next.last), to: numberIn(to.last) },
    ),
  };
}

/**
 * Whether what the directory has came from this log. It did not if the user
 * was erased in between, or restored from an older copy.
 */
function continues(at: Position, { outbox, settings }: Tables): boolean {
  if (at.log !== settings.get().log || !outbox.hasRevision(at.revision)) return false;
  if (at.last === null) return true;
  if (numberOf(at.last) > numberIn(outbox.endedTo)) return false;
  // A row that was deleted by now may have had this id.
  return (outbox.query(numberOf(at.last))?.id ?? at.last) === at.last;
}

interface Page {
  readonly queries: readonly ReportedQuery[];
  /** On which they were asked. */
  readonly days: ReadonlySet<string>;
  readonly to: { readonly revision: number; readonly last: string | null };
}

/** First the queries in the order of asking, then what changed since. */
function pageAfter({ revision, last }: Position, { outbox }: Tables, options: ReportOptions): Page {
  const reported: ReportedQuery[] = [];
  const days = new Set<string>();
  let words = 0;
  let to = last;
  for (const row of outbox.queriesBetween(numberIn(last), numberIn(outbox.endedTo))) {
    if (reported.length === QUERIES_MAX || words > WORDS_MAX) {
      return { queries: reported, days, to: { revision, last: to } };
    }
    to = row.id;
    if (row.asked_at < options.oldest) continue;
    const query = reportedQuery(row, options.shareQueries);
    words += length(query);
    days.add(dayOf(row.asked_at));
    reported.push(query);
  }
  const changes = outbox.changesAfter(revision, QUERIES_MAX);
  for (const number of changes.numbers) {
    const row = outbox.query(number);
    // It will be reported once it is resolved.
    if (row === undefined || number > numberIn(outbox.endedTo)) continue;
    days.add(dayOf(row.asked_at));
    if (row.asked_at < options.oldest) continue;
    reported.push(reportedQuery(row, options.shareQueries));
  }
  return { queries: reported, days, to: { revision: changes.to, last: outbox.endedTo } };
}

function length({ words }: ReportedQuery): number {
  return [words?.question, words?.answer, words?.comment].reduce<number>(
    (all, text) => all + (text?.length ?? 0),
    0,
  );
}

function reportedQuery(row: QueryRow, shareQueries: boolean): ReportedQuery {
  const stored: Source[] = row.sources === null ? [] : JSON.parse(row.sources);
  const sources = withCitations(stored, row.answer ?? "");
  const cited = sources.filter((source) => source.cited);
  const nearest = row.found === 0 ? sources.toSorted((a, b) => b.score - a.score) : [];
  return {
    id: row.id,
    askedAt: row.asked_at,
    state: row.state,
    reason: row.reason,
    found: row.found === null ? null : row.found === 1,
    score: sources.length === 0 ? null : Math.max(...sources.map(({ score }) => score)),
    cited: cited.length,
    tokens: row.token_lengths === null ? null : JSON.parse(row.token_lengths).length,
    firstTokenMs: row.first_token_ms,
    totalMs: row.total_ms,
    rating: row.rating,
    collections: row.collections,
    documents: [...new Set(cited.map(documentOf))],
    closest: nearest.slice(0, CLOSEST_MAX).map((source) => [documentOf(source), source.score]),
    words: shareQueries
      ? { question: row.query, answer: beginning(row.answer), comment: row.comment }
      : undefined,
  };
}

/** Its id, after the name of its collection if that is not `default`. */
function documentOf({ collection, documentId }: Source): string {
  return collection === undefined ? documentId : `${collection}/${documentId}`;
}

function beginning(answer: string | null): string | null {
  if (answer === null || answer.length <= ANSWER_MAX) return answer;
  const cut = answer.slice(0, ANSWER_MAX);
  return `${endsInHalf(cut) ? cut.slice(0, -1) : cut}…`;
}
