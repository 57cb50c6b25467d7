// The errors of asks and calls: those of the wire, and a few of the client's
// own.

import type { ErrorBody, ErrorCode } from "../protocol.ts";

/** The client's own codes, besides those of the wire. */
export type ClientErrorCode = "CONNECTION_LOST" | "TOLD_TO_STOP" | "NOT_BELAY";

export interface ErrorDetails {
  readonly status?: number | undefined;
  readonly queryId?: string | undefined;
  readonly quotaRemaining?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly resetsAt?: string | null | undefined;
  readonly cause?: unknown;
}

/** Every error of the client. Programs read `code`, people `message`. */
export class BelayError extends Error {
  // A literal, because bundlers shorten class names.
  override readonly name: string = "BelayError";
  readonly code: ErrorCode | ClientErrorCode;
  /** Status of the refusal. Undefined for errors in a stream or without one. */
  readonly status: number | undefined;
  readonly queryId: string | undefined;
  readonly quotaRemaining: number | undefined;
  /** Retry-After, in ms. */
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

/** `QUOTA_EXCEEDED`: this window's limit is used up. */
export class QuotaExceededError extends BelayError {
  override readonly name = "QuotaExceededError";
  /** ISO 8601 in UTC; null if the quota never renews. */
  readonly resetsAt: string | null;

  constructor(code: "QUOTA_EXCEEDED", message: string, details: ErrorDetails) {
    super(code, message, details);
    this.resetsAt = details.resetsAt ?? null;
  }
}

/** `CANCELLED`: you stopped the answer or left, or another client stopped it. */
export class CancelledError extends BelayError {
  override readonly name = "CancelledError";
}

/**
 * The connection broke. `CONNECTION_LOST`: it did not come back. `NOT_KEPT`: it
 * came back after the service had dropped and refunded the answer.
 */
export class ConnectionLostError extends BelayError {
  override readonly name = "ConnectionLostError";
}

/** From the body of a refusal, or from an event. */
export function errorOf(body: ErrorBody, details: ErrorDetails = {}): BelayError {
  const { code, message } = body;
  const all = { ...body, ...details };
  if (code === "QUOTA_EXCEEDED") return new QuotaExceededError(code, message, all);
  return new (code === "CANCELLED" ? CancelledError : BelayError)(code, message, all);
}

/** Whether a response has the type that was asked for. Others are refusals. */
export function isOfType(response: Response, type: string): boolean {
  return response.ok && response.headers.get("content-type")?.startsWith(type) === true;
}

/** The error of a refusal: JSON, or the only event of a stream. */
export async function refusalOf(response: Response): Promise<BelayError> {
  const { status } = response;
  // A date is ignored.
  const retryAfterMs = Number(response.headers.get("retry-after")) * 1000 || undefined;
  const details = { status, retryAfterMs };
  const text = await response.text();
  try {
    const body = JSON.parse(text.replace(/^data: /, ""));
    if (body.type === "error") return errorOf(body, details);
  } catch {
    // Not JSON, so not from Belay: see below.
  }
  return status === 204
    ? new BelayError("TOLD_TO_STOP", "Too many requests. Wait.", details)
    : new BelayError("NOT_BELAY", `Not a response of Belay (${status}). Check the url.`, details);
}
