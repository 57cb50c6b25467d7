// A format: how an answer and its errors are written. Whether an answer is
// charged is decided in user/asks.ts. docs/map.md lists what a new surface
// needs.
//
// A format is pure. One made for a request may close over what that request
// chose, such as a model's name. An event has the same number for every
// listener and at every replay, so a format can derive ids and sequence
// numbers from it.

import type { ServiceError } from "../errors.ts";
import type { ErrorBody, Finish, Source, SourcesEvent, TokenEvent } from "../protocol.ts";

/** What is known of an answer before it begins. */
export interface AnswerHead {
  readonly queryId: string;
  /** In milliseconds since the epoch. */
  readonly askedAt: number;
}

/** An answer that arrived whole. */
export interface WholeAnswer extends AnswerHead {
  /** The text, in the pieces in which it was sent. */
  readonly tokens: readonly string[];
  /** Each says whether the text cites it. */
  readonly sources: readonly Source[];
  readonly finish: Finish;
  /** False if it says only that nothing was found. */
  readonly found: boolean;
  readonly quotaRemaining: number;
}

/** Where an answer breaks off. */
export interface Place {
  readonly head: AnswerHead;
  /** The number of the failure: the next after the answer's last event. */
  readonly number: number;
}

/** How an error is written that comes instead of an answer. */
export interface Refusal {
  readonly refusalHeaders: Readonly<Record<string, string>>;
  /** The body. */
  refusal(error: ServiceError): string;
}

export interface Format {
  /**
   * True: written while it is generated. False: one body at the end, under
   * the true status.
   */
  readonly streams: boolean;
  /** Headers of an answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** The first write of a stream: event 1. */
  opening(head: AnswerHead, quotaRemaining: number): string;
  /** One event of a stream; numbers begin with 2. */
  event(event: SourcesEvent | TokenEvent, number: number, head: AnswerHead): string;
  /**
   * A write without meaning to the client; only a write shows that a
   * connection is closed.
   */
  heartbeat(head: AnswerHead): string;
  /** The last write of a whole answer. */
  closing(answer: WholeAnswer): string;
  /** An error: the last write of an answer that began. */
  error(error: ErrorBody, place: Place): string;
}

/** An error that comes instead of an answer, under its own status. */
export function errorResponse(error: ServiceError, form: Refusal): Response {
  return new Response(form.refusal(error), {
    status: error.status,
    headers: { ...form.refusalHeaders, ...error.details.headers },
  });
}
