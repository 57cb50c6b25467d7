// ServiceError, the only way to refuse: a code, and a message
// that says what to do. Anything else that is thrown is a bug:
// it is logged where it is caught, and the caller sees INTERNAL.

import type { ErrorBody, ErrorCode } from "./protocol.ts";

/** The HTTP status of each code. */
export const STATUS = {
  INVALID_REQUEST: 400,
  INVALID_IDEMPOTENCY_KEY: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  BLOCKED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  // Seen as a status in JSON mode only: a stream has begun before.
  CANCELLED: 409,
  NOT_FINISHED: 409,
  NOT_KEPT: 410,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  IDEMPOTENCY_KEY_REUSED: 422,
  QUOTA_EXCEEDED: 429,
  TOO_MANY_STREAMS: 429,
  TOO_MANY_SESSIONS: 429,
  INTERNAL: 500,
  GENERATION_FAILED: 502,
  RETRIEVAL_FAILED: 502,
  UNAVAILABLE: 503,
  BUDGET_EXCEEDED: 503,
  GENERATION_TIMEOUT: 504,
} as const satisfies Record<ErrorCode, number>;

export interface Details {
  /** Members of the body besides `type`, `message` and `code`. */
  readonly body?: Omit<ErrorBody, "type" | "message" | "code">;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the form of OpenAI's API says besides: see openai-error.ts. */
  readonly openai?: { readonly code?: string; readonly param?: string };
  /**
   * The underlying error, for debugging. Callers and the log never
   * get it unchanged: an upstream's message may repeat the query.
   */
  readonly cause?: unknown;
  /** A model refused the request, so it costs nothing. */
  readonly isUnbilled?: boolean;
  /** The cause in our own words and checked names, for the log. */
  readonly diagnosis?: string;
}

/** An expected refusal or failure, with a message that is safe to show. */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  readonly details: Details;

  constructor(code: ErrorCode, message: string, details: Details = {}) {
    super(message, { cause: details.cause });
    this.name = "ServiceError";
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return STATUS[this.code];
  }

  get body(): ErrorBody {
    return { type: "error", message: this.message, code: this.code, ...this.details.body };
  }
}

/** The error for the caller. Logs any error that is not a ServiceError. */
export function toServiceError(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) return thrown;
  console.error("Unexpected error:", thrown);
  return new ServiceError("INTERNAL", "Internal error.", { cause: thrown });
}

/**
 * The name and frames of an error, without its message: an upstream's
 * may repeat the query, in lines that look like frames. So only lines
 * after the message, with which the stack begins, count as frames.
 */
export function traceOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return "";
  const name = NAME.test(thrown.name) ? thrown.name : "Error";
  const stack = String(thrown.stack ?? "");
  const head = [thrown.constructor.name, thrown.name, "Error"]
    .flatMap((kind) => [`${kind}: ${thrown.message}`, `${kind}${thrown.message}`])
    .find((words) => stack.startsWith(`${words}\n`));
  const frames = head === undefined ? [] : stack.slice(head.length + 1).split("\n");
  return [name, ...frames.filter((line) => FRAME.test(line))].join("\n");
}

const NAME = /^\w{1,40}$/;
const FRAME = /^\s+at (?:[\w$.#<>[\] ]{1,100} \()?[^\s()]{1,300}:\d+(?::\d+)?\)?$/;

/**
 * For the log and operators: our message and
 * diagnosis, or else where the error came from.
 */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof ServiceError)) return traceOf(thrown);
  const { message, details } = thrown;
  return details.diagnosis === undefined ? message : `${message} (${details.diagnosis})`;
}
