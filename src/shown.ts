// What the directory shows operators (docs/protocol.md): types only. The
// console, commands and tests share them.

import type { QueryState, Rating, RefundReason } from "./protocol.ts";
import type { Histogram } from "./report.ts";

/** How many queries of each ending. */
export interface ShownCounts {
  readonly asked: number;
  readonly charged: number;
  readonly refunded: Readonly<Record<RefundReason, number>>;
  /** Refunded because the model or this service failed. */
  readonly failed: number;
  readonly tokens: number;
}

export interface ShownUser extends ShownCounts {
  readonly user: string;
  readonly firstSeen: string | null;
  readonly lastSeen: string | null;
  readonly blocked: boolean;
  readonly limit: number;
}

export interface ShownQuery {
  readonly queryId: string;
  readonly user: string;
  readonly askedAt: string;
  readonly state: QueryState;
  readonly reason: RefundReason | null;
  readonly found: boolean | null;
  readonly score: number | null;
  readonly cited: number;
  readonly documents: readonly string[];
  readonly closest: readonly { readonly documentId: string; readonly score: number }[];
  readonly tokens: number | null;
  readonly firstTokenMs: number | null;
  readonly totalMs: number | null;
  readonly rating: Rating | null;
  readonly collections: readonly string[];
  readonly question: string | null;
  readonly answer: string | null;
  readonly comment: string | null;
}

export interface ShownDay extends ShownCounts {
  readonly day: string;
  readonly firstTokenMs: Histogram;
  readonly totalMs: Histogram;
}

export interface ShownTotals {
  readonly days: readonly ShownDay[];
  readonly boundsMs: readonly number[];
}

/** What an operator changed. */
export interface ShownEntry {
  readonly at: string;
  readonly operator: string;
  readonly action: string;
  readonly target: string | null;
  readonly status: number;
  readonly change: unknown;
}

/** A document whose passages came near, though nothing was found. */
export interface ShownCloseDocument {
  readonly documentId: string;
  /** The best score of its passages. */
  readonly score: number;
  /** For how many of the queries it was among the nearest. */
  readonly asked: number;
}

/** Queries that found nothing and have words in common. */
export interface ShownGroup {
  readonly common: readonly string[];
  readonly asked: number;
  readonly users: number;
  readonly lastAskedAt: string;
  /** Examples, the most asked first. */
  readonly questions: readonly string[];
  readonly closest: readonly ShownCloseDocument[];
}

export interface ShownComment {
  readonly queryId: string;
  readonly user: string;
  readonly askedAt: string;
  readonly question: string | null;
  readonly comment: string;
  readonly documents: readonly string[];
}

/** A question, in whichever words it was asked. */
export interface ShownQuestion {
  readonly question: string;
  readonly asked: number;
  readonly users: number;
  /** How often nothing was found. */
  readonly unanswered: number;
  readonly up: number;
  readonly down: number;
}

export interface ShownReport {
  /** UTC days, both included. */
  readonly since: string;
  readonly until: string;
  /** False with SHARE_QUERIES=false: then there are numbers only. */
  readonly words: boolean;
  readonly totals: ShownCounts;
  readonly unanswered: {
    readonly asked: number;
    /** Of them, those whose words were deleted or are not shared. */
    readonly withoutWords: number;
    /** Whether older ones were left out. */
    readonly more: boolean;
    readonly closest: readonly ShownCloseDocument[];
    readonly groups: readonly ShownGroup[];
    /** Those with words that are in none of the groups. */
    readonly ungrouped: { readonly asked: number; readonly questions: readonly string[] };
  };
  readonly feedback: {
    readonly up: number;
    readonly down: number;
    readonly more: boolean;
    /** Of those rated down, the newest first. */
    readonly comments: readonly ShownComment[];
  };
  readonly questions: {
    /** How many of the newest queries were counted. */
    readonly counted: number;
    readonly more: boolean;
    readonly top: readonly ShownQuestion[];
  };
  readonly documents: {
    readonly cited: readonly { readonly documentId: string; readonly answers: number }[];
    /** Null if the documents could not be read. */
    readonly neverCited: {
      readonly count: number;
      readonly documentIds: readonly string[];
      /** Whether there are documents that were not looked at. */
      readonly more: boolean;
    } | null;
  };
}
