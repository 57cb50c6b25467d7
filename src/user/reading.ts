// A reading: what one listener is read, a live run's transcript or a stored one, and in which words
// it begins and ends. Pure: who is charged for it is decided in user-object.ts.

import { withCitations } from "../answer/citations.ts";
import {
  type AnswerBody,
  type ErrorBody,
  EVENT_STREAM,
  encodeEvent,
  encodeJson,
  type Finish,
} from "../protocol.ts";
import type { Run } from "./run.ts";
import type { Transcript } from "./transcript.ts";

export interface Reading {
  readonly queryId: string;
  readonly transcript: Transcript;
  /** Undefined where the transcript is stored: there is nothing to settle. */
  readonly run: Run | undefined;
  /** How many events the reader has already. */
  readonly after: number;
  readonly streaming: boolean;
}

/** How a reading is asked for. */
export type ReadingMode = Pick<Reading, "after" | "streaming">;

export function readingHeaders({ streaming, run }: Reading): Record<string, string> {
  return {
    "content-type": streaming ? EVENT_STREAM : "application/json",
    "cache-control": streaming ? "no-cache, no-transform" : "no-store, no-transform",
    "x-accel-buffering": "no",
    ...(run === undefined && { "idempotency-replayed": "true" }),
    ...(run !== undefined && { "server-timing": timing(run, streaming) }),
  };
}

/** What is known when the headers go out: for a stream how long admission took, for JSON the rest too. */
function timing({ admitMs, firstTokenMs, totalMs }: Run, streaming: boolean): string {
  const admit = `admit;dur=${admitMs}`;
  return streaming ? admit : `${admit}, first-token;dur=${firstTokenMs ?? 0}, total;dur=${totalMs}`;
}

/** What is written first: `start`, which is event 1, unless the reader has it. */
export function opening({ queryId, after }: Reading, quotaRemaining: number): string {
  return after === 0 ? encodeEvent({ type: "start", queryId, quotaRemaining }) : "";
}

/** Where to go on in the transcript, whose first event is number 2. */
export function cursorOf({ after }: Reading): number {
  return Math.max(0, after - 1);
}

/** What asks whether anybody is there, and means nothing: JSON allows white space before a value. */
export function beatOf({ streaming }: Reading): string {
  return streaming ? encodeEvent({ type: "ping" }) : " ";
}

/** The end of an answer that is not whole. JSON has begun by then, and its status cannot change. */
export function closingError({ streaming }: Reading, body: ErrorBody): string {
  return streaming ? encodeEvent(body) : encodeJson(body);
}

/** The end of an answer that is whole: `done`, or the JSON body. */
export function closing(reading: Reading, finish: Finish, quotaRemaining: number): string {
  const { queryId, transcript, streaming } = reading;
  const answer = transcript.tokens.join("");
  const sources = withCitations(transcript.sources, answer);
  if (streaming) return encodeEvent({ type: "done", queryId, sources, finish, quotaRemaining });
  return encodeJson({ queryId, answer, sources, finish, quotaRemaining } satisfies AnswerBody);
}
