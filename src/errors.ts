// ServiceError, the one way to refuse: a code, a message that tells the caller what to do, and the
// response that carries both. Whatever else is thrown is a bug: it is logged where it is caught, and
// the caller sees INTERNAL.

import type { ErrorBody, ErrorCode } from "./protocol.ts";

const STATUS = {
  INVALID_REQUEST: 400,
  INVALID_IDEMPOTENCY_KEY: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  BLOCKED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  // Only a JSON ask that another request stopped has a status to show; an event stream has begun.
  CANCELLED: 409,
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
  GENERATION_TIMEOUT: 504,
} as const satisfies Record<ErrorCode, number>;

export interface Details {
  /** Members of the body beside `type`, `message` and `code`. */
  readonly body?: Omit<ErrorBody, "type" | "message" | "code">;
  readonly headers?: Readonly<Record<string, string>>;
  /** What happened underneath: for who debugs, never for the caller, nor for the log as it is, since an
   * upstream's words may repeat the query's. */
  readonly cause?: unknown;
  /** The same in words of ours and names that were checked, for the log. */
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

/** What was thrown, as the caller may see it: anything but a ServiceError is logged here, once. */
export function toServiceError(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) return thrown;
  console.error("Unexpected error:", thrown);
  return new ServiceError("INTERNAL", "Internal error.", { cause: thrown });
}

/**
 * Where an error came from, without its words: an upstream's may repeat the query's, in lines that look
 * like frames. The stack begins with the words as they were when it was made, so frames are read only
 * where it does, after them.
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

/** Why something failed, for the log and for operators: our own words, or else where it came from. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof ServiceError ? thrown.message : traceOf(thrown);
}
