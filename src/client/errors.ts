// What an ask or a call can end with, as errors that a program can tell apart: those of the wire, read
// from a response, and the few of the client's own.

import type { ErrorBody, ErrorCode } from "../protocol.ts";

/** Codes of the client's own, beside those of the wire. */
export type ClientErrorCode = "CONNECTION_LOST" | "TOLD_TO_STOP" | "NOT_BELAY";

export interface ErrorDetails {
  readonly status?: number | undefined;
  readonly queryId?: string | undefined;
  readonly quotaRemaining?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly resetsAt?: string | null | undefined;
  readonly cause?: unknown;
}

/** Every error of the client. Programs look at `code`; the message is for people. */
export class BelayError extends Error {
  // Written out, because bundlers shorten the names of classes.
  override readonly name: string = "BelayError";
  readonly code: ErrorCode | ClientErrorCode;
  /** The status of the response that refused; undefined for what came within a stream, or from no response. */
  readonly status: number | undefined;
  readonly queryId: string | undefined;
  readonly quotaRemaining: number | undefined;
  /** How long the service asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode | ClientErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.queryId = details.queryId;
    this.quotaRemaining = details.quotaRemaining;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** `QUOTA_EXCEEDED`: the limit of this window is used up. */
export class QuotaExceededError extends BelayError {
  override readonly name = "QuotaExceededError";
  /** ISO 8601 in UTC; null where the quota never renews. */
  readonly resetsAt: string | null;

  constructor(code: "QUOTA_EXCEEDED", message: string, details: ErrorDetails) {
    super(code, message, details);
    this.resetsAt = details.resetsAt ?? null;
  }
}

/** `CANCELLED`: the answer was stopped, by you, by your leaving or from elsewhere. */
export class CancelledError extends BelayError {
  override readonly name = "CancelledError";
}

/**
 * The connection broke in the middle of the answer: `CONNECTION_LOST` if it did not come back, and
 * `NOT_KEPT` if it came back too late, when the answer had been given up and refunded.
 */
export class ConnectionLostError extends BelayError {
  override readonly name = "ConnectionLostError";
}

/** The error of a body of the wire, or of an event. */
export function errorOf(body: ErrorBody, details: ErrorDetails = {}): BelayError {
  const { code, message } = body;
  const all = { ...body, ...details };
  if (code === "QUOTA_EXCEEDED") return new QuotaExceededError(code, message, all);
  return new (code === "CANCELLED" ? CancelledError : BelayError)(code, message, all);
}

/** Whether a response is an answer of the type that was asked for; if not, it is a refusal. */
export function isOfType(response: Response, type: string): boolean {
  return response.ok && response.headers.get("content-type")?.startsWith(type) === true;
}

/** The error that a response carries instead of an answer, as JSON or as the only event of a stream. */
export async function refusalOf(response: Response): Promise<BelayError> {
  const { status } = response;
  // Its other form, a date, is no number, and counts as none.
  const retryAfterMs = Number(response.headers.get("retry-after")) * 1000 || undefined;
  const details = { status, retryAfterMs };
  const text = await response.text();
  try {
    const body = JSON.parse(text.replace(/^data: /, ""));
    if (body.type === "error") return errorOf(body, details);
  } catch {
    // What is no JSON was not written by Belay, and is named below.
  }
  return status === 204
    ? new BelayError("TOLD_TO_STOP", "Asked too often in a row. Wait a little.", details)
    : new BelayError("NOT_BELAY", `No answer of Belay's (${status}). Check the url.`, details);
}
