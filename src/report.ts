// What user objects report to the directory, and how its numbers add up.
// Both sides import it. Nothing here is a word of a question or an answer,
// except `Words`, which are sent only if SHARE_QUERIES is true.

import type { QueryState, Rating, RefundReason } from "./protocol.ts";

/** What is counted for each user and day: the columns of both sides. */
export const COUNTERS = [
  "charged",
  "disconnected",
  "cancelled",
  "nothing_found",
  "failed",
  "expired",
  "operator",
  "tokens",
] as const;

export type Counter = (typeof COUNTERS)[number];
export type Counts = Record<Counter, number>;

/** How many durations are at most each bound, in ms, and above all others. */
export const BOUNDS_MS = [
  ...[25, 50, 75, 100, 150, 200, 300, 400, 600, 800, 1_200, 1_600, 2_400, 3_200],
  ...[4_800, 6_400, 9_600, 12_800, 19_200, 25_600, 51_200, 102_400, 204_800],
];

/** Without the zeros at its end. */
export type Histogram = readonly number[];

/** What one user, or all users, asked on one UTC day. */
export interface Totals extends Counts {
  readonly first_token_ms: Histogram;
  readonly total_ms: Histogram;
}

export const COUNTER_COLUMNS = COUNTERS.map((name) => `${name} INTEGER NOT NULL DEFAULT 0`).join(
  ", ",
);

/** The columns of a table of totals. */
export const TOTALS_COLUMNS = `${COUNTER_COLUMNS},
  first_token_ms TEXT NOT NULL DEFAULT '[]', total_ms TEXT NOT NULL DEFAULT '[]'`;

export type TotalsRow = Counts & { first_token_ms: string; total_ms: string };

export const NOTHING: Totals = {
  charged: 0,
  disconnected: 0,
  cancelled: 0,
  nothing_found: 0,
  failed: 0,
  expired: 0,
  operator: 0,
  tokens: 0,
  first_token_ms: [],
  total_ms: [],
};

/** @param sign -1 takes the second from the first. */
export function sum(first: Totals, second: Totals, sign: 1 | -1 = 1): Totals {
  return {
    ...sumCounts(first, second, sign),
    first_token_ms: sumHistograms(first.first_token_ms, second.first_token_ms, sign),
    total_ms: sumHistograms(first.total_ms, second.total_ms, sign),
  };
}

export function sumCounts(first: Counts, second: Counts, sign: 1 | -1 = 1): Counts {
  const counts = COUNTERS.map((name) => [name, first[name] + sign * second[name]] as const);
  return Object.fromEntries(counts) as Counts;
}

function sumHistograms(first: Histogram, second: Histogram, sign: 1 | -1): Histogram {
  const length = Math.max(first.length, second.length);
  const counts = Array.from({ length }, (_, i) => (first[i] ?? 0) + sign * (second[i] ?? 0));
  return counts.slice(0, counts.findLastIndex((count) => count !== 0) + 1);
}

/** One duration, or none. */
export function histogramOf(ms: number | null): Histogram {
  if (ms === null) return [];
  const place = BOUNDS_MS.findIndex((bound) => ms <= bound);
  const bucket = place === -1 ? BOUNDS_MS.length : place;
  return [...Array<number>(bucket).fill(0), 1];
}

/** Answers of any ending: every asked query has one. */
export function askedOf({ tokens: _, ...ended }: Counts): number {
  return COUNTERS.reduce((total, name) => total + (name === "tokens" ? 0 : ended[name]), 0);
}

export function totalsOf(row: TotalsRow): Totals {
  const counts = Object.fromEntries(COUNTERS.map((name) => [name, row[name]])) as Counts;
  return {
    ...counts,
    first_token_ms: JSON.parse(row.first_token_ms),
    total_ms: JSON.parse(row.total_ms),
  };
}

/** In the order of `TOTALS_NAMES`. */
export function totalsValues(totals: Totals): (number | string)[] {
  return [
    ...COUNTERS.map((name) => totals[name]),
    JSON.stringify(totals.first_token_ms),
    JSON.stringify(totals.total_ms),
  ];
}

export const TOTALS_NAMES = [...COUNTERS, "first_token_ms", "total_ms"] as const;

/** The UTC day of a time in milliseconds since the epoch. */
export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, "2026-11-22".length);
}

/** The words of one query, as far as they are still kept. */
export interface Words {
  readonly question: string | null;
  /** Its beginning. */
  readonly answer: string | null;
  readonly comment: string | null;
}

/** A query that is resolved. Times are in ms since the epoch. */
export interface ReportedQuery {
  readonly id: string;
  readonly askedAt: number;
  readonly state: QueryState;
  readonly reason: RefundReason | null;
  readonly found: boolean | null;
  /** The best score of its sources. */
  readonly score: number | null;
  /** How many sources the answer cites. */
  readonly cited: number;
  readonly tokens: number | null;
  readonly firstTokenMs: number | null;
  readonly totalMs: number | null;
  readonly rating: Rating | null;
  readonly collections: string | null;
  /** The ids of the documents that the answer cites. */
  readonly documents: readonly string[];
  /** Where nothing was found: the best passages' documents and scores. */
  readonly closest: readonly (readonly [documentId: string, score: number])[];
  /** Undefined if SHARE_QUERIES is false. */
  readonly words: Words | undefined;
}

export interface ReportedDay extends Totals {
  readonly day: string;
  /** When its first and last queries were asked. */
  readonly first_at: number;
  readonly last_at: number;
}

/**
 * How far the directory has come with a user's reports. A report applies only
 * where the one before it has ended, so each applies once, and in order.
 */
export interface Position {
  /** Random, made with the user's tables; null if the user is not known. */
  readonly log: string | null;
  /** It changes with each change of days, settings and reported queries. */
  readonly revision: number;
  /** The id of the last query in the order of asking. */
  readonly last: string | null;
}

export const ORIGIN: Position = { log: null, revision: 0, last: null };

export function isSamePosition(one: Position, other: Position): boolean {
  return one.log === other.log && one.revision === other.revision && one.last === other.last;
}

/** What has changed between two positions, as it is now. */
export interface Report {
  readonly from: Position;
  readonly to: Position;
  /** Whatever the directory has of the user is wrong, and is deleted first. */
  readonly restarts: boolean;
  readonly name: string;
  readonly blocked: boolean;
  /** An operator's override. */
  readonly limit: number | null;
  /** From the user's last bearer token. */
  readonly claimedLimit: number | null;
  readonly queries: readonly ReportedQuery[];
  /** Each replaces the day that the directory has. */
  readonly days: readonly ReportedDay[];
}

/** The directory, as a user object sees it. `user` is the object's id. */
export interface Directory {
  /**
   * Applies a report, or does nothing if it goes on after another position.
   * Returns where the directory is then.
   */
  report(user: string, report: Report): Promise<Position>;
  positionOf(user: string): Promise<Position>;
  /** Returns whether the directory knew the user. */
  erase(user: string): Promise<boolean>;
}
