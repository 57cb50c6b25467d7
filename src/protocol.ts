// The wire for server and clients: the shapes of events
// and bodies. Imports nothing, so that a client can
// share it. errors.ts has the HTTP status of each code.

/** A passage shown with the answer that was drawn from it. */
export interface Source {
  /** Its number in this answer, from 1. The answer cites it as `[n]`. */
  readonly n: number;
  /** The document's id, `#`, and the passage's number in it. */
  readonly id: string;
  readonly documentId: string;
  /** That of the document; absent for `default`. */
  readonly collection?: string;
  readonly title: string;
  /** The headings above the passage, outermost first. */
  readonly heading: readonly string[];
  readonly url: string | null;
  /** Plain text, never HTML. */
  readonly snippet: string;
  /** How well the passage covers the query, in [0, 1]. */
  readonly score: number;
  /** Whether the answer cites it; absent until the answer is complete. */
  readonly cited?: boolean;
}

/** The generator finished, or a limit cut the answer. */
export type Finish = "stop" | "length";

/** What a run does when its last listener has disconnected. */
export type OnDisconnect = "cancel" | "wait" | "continue";

export interface Turn {
  readonly role: "user" | "assistant";
  readonly content: string;
}

/** A checked ask, of any surface. */
export interface Ask {
  readonly query: string;
  readonly topK: number;
  readonly maxTokens: number;
  readonly temperature: number | undefined;
  readonly history: readonly Turn[];
  readonly onDisconnect: OnDisconnect;
  /** Where to search: 1 to 16 that the caller may read, sorted, each once. */
  readonly collections: readonly string[];
  /** The application's own to the model. They come after ours. */
  readonly instructions?: string | undefined;
  /** The client's `traceparent`, which the model's endpoint gets too. */
  readonly trace?: string | undefined;
}

export type ErrorCode =
  | "INVALID_REQUEST"
  | "INVALID_IDEMPOTENCY_KEY"
  | "UNAUTHENTICATED"
  | "FORBIDDEN"
  | "BLOCKED"
  | "NOT_FOUND"
  | "METHOD_NOT_ALLOWED"
  | "REQUEST_TIMEOUT"
  | "CANCELLED"
  | "NOT_FINISHED"
  | "NOT_KEPT"
  | "PAYLOAD_TOO_LARGE"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "IDEMPOTENCY_KEY_REUSED"
  | "QUOTA_EXCEEDED"
  | "TOO_MANY_STREAMS"
  | "TOO_MANY_SESSIONS"
  | "INTERNAL"
  | "GENERATION_FAILED"
  | "RETRIEVAL_FAILED"
  | "UNAVAILABLE"
  | "BUDGET_EXCEEDED"
  | "GENERATION_TIMEOUT";

/** Every error: a JSON body, or the last event of an event stream. */
export interface ErrorBody {
  readonly type: "error";
  /** Tells the caller what to do. */
  readonly message: string;
  readonly code: ErrorCode;
  readonly queryId?: string;
  readonly quotaRemaining?: number;
  readonly resetsAt?: string | null;
}

export interface StartEvent {
  readonly type: "start";
  readonly queryId: string;
  readonly quotaRemaining: number;
}
export interface SourcesEvent {
  readonly type: "sources";
  readonly sources: readonly Source[];
}
export interface TokenEvent {
  readonly type: "token";
  readonly token: string;
}
export interface PingEvent {
  readonly type: "ping";
}
export interface DoneEvent {
  readonly type: "done";
  readonly queryId: string;
  readonly sources: readonly Source[];
  readonly finish: Finish;
  /** False if the answer says only that nothing was found. */
  readonly found: boolean;
  readonly quotaRemaining: number;
}
/** Clients skip unknown types. */
export type StreamEvent =
  | StartEvent
  | SourcesEvent
  | TokenEvent
  | PingEvent
  | DoneEvent
  | ErrorBody;

/** The body of an answer without `stream=true`. */
export interface AnswerBody {
  readonly queryId: string;
  readonly answer: string;
  readonly sources: readonly Source[];
  readonly finish: Finish;
  readonly found: boolean;
  readonly quotaRemaining: number;
}

export type QueryState = "reserved" | "charged" | "refunded";
export type RefundReason =
  | "disconnected"
  | "cancelled"
  | "nothing_found"
  | "failed"
  | "expired"
  | "operator";
export type Rating = "up" | "down";

/** What a user can see of their query. Times are ISO 8601 in UTC. */
export interface Receipt {
  readonly queryId: string;
  readonly state: QueryState;
  readonly reason: RefundReason | null;
  readonly window: string;
  readonly askedAt: string;
  readonly resolvedAt: string | null;
  readonly onDisconnect: OnDisconnect;
  /** Those that were searched. */
  readonly collections: readonly string[];
  /** `null` once pruned, or if operators may not see it. */
  readonly query: string | null;
  readonly answer: string | null;
  readonly sources: readonly Source[] | null;
  readonly finish: Finish | null;
  /** `null` without an answer, and for answers of older releases. */
  readonly found: boolean | null;
  /** Token events in the answer. */
  readonly tokens: number | null;
  /** From the reservation to the first token, and to the end, in ms. */
  readonly firstTokenMs: number | null;
  readonly totalMs: number | null;
  /** The rewrite of the question for the search; `null` without one. */
  readonly rewriteMs: number | null;
  /** `null` if the model did not count them. */
  readonly rewriteTokens: number | null;
  /** The budget was used up, so the passages were quoted without a model. */
  readonly fallback: boolean;
  readonly feedback: { readonly rating: Rating | null; readonly comment: string | null } | null;
}

export type QuotaPeriod = "day" | "month" | "total";

/** The body of `GET /ai/quota`. */
export interface Quota {
  readonly limit: number;
  readonly remaining: number;
  readonly reserved: number;
  readonly charged: number;
  readonly refunded: number;
  /** Refunds for leaving or stopping that this window still allows. */
  readonly refundsLeft: number;
  readonly period: QuotaPeriod;
  /** ISO 8601 in UTC; `null` if the period never ends. */
  readonly resetsAt: string | null;
}

/** The body of `GET /ai/examples`. */
export interface Examples {
  /** Whether there are no documents yet. */
  readonly empty: boolean;
  /** A few questions in the documents' own words. */
  readonly questions: readonly string[];
}

/** The body of `GET /page`: how pages of this deployment show themselves. */
export interface PageIdentity {
  readonly title: string | null;
  /** A colour: `#` and six digits. */
  readonly accent: string | null;
  readonly greeting: string | null;
  readonly signInUrl: string | null;
  /** Whether readers may ask without a bearer token. */
  readonly anonymous: boolean;
  /** Whether passages are quoted, or a model writes the answers. */
  readonly answers: "quotes" | "model";
}

export const API_PREFIX = "/api/v1";

/** The collection of a document for which none is named. */
export const DEFAULT_COLLECTION = "default";
/** The number of collections that an ask may search. */
export const COLLECTIONS_MAX = 16;
/** The number of passages that an ask may request. */
export const TOP_K = { byDefault: 5, min: 1, max: 20 };
/** Receipts listed on a page. */
export const RECEIPTS_LISTED = { byDefault: 20, min: 1, max: 100 };
/** Documents listed on a page. */
export const DOCUMENTS_LISTED = { byDefault: 50, min: 1, max: 200 };
/** Collections listed on a page. */
export const COLLECTIONS_LISTED = { byDefault: 50, min: 1, max: 200 };
/** Events that a client has when it resumes a stream. */
export const EVENTS_HAD = { byDefault: 0, min: 0, max: 999_999_999 };
/** In code points. */
export const QUERY_LENGTH_MAX = 4_000;
/** Words to look for among receipts, in code points. */
export const SEARCH_LENGTH_MAX = 200;
export const MAX_TOKENS = { byDefault: 1_024, min: 1, max: 4_096 };
export const TEMPERATURE = { min: 0, max: 2 };
export const HISTORY_TURNS_MAX = 20;

// JSON leaves these raw, and some clients break lines at them:
// C1 controls (such as U+0085) and the two Unicode separators.
const LINE_BREAKERS = /[\u0080-\u009f\u2028\u2029]/g;

/** JSON on one line for every reader of lines. */
export function encodeJson(value: unknown): string {
  return onOneLine(JSON.stringify(value));
}

/** JSON, with what breaks lines as escapes: such characters are in strings. */
export function onOneLine(json: string): string {
  return json.replace(
    LINE_BREAKERS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
