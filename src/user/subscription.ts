// A subscription: one connection that reads one answer, live or stored, in a
// format. Pure: what it costs is decided in asks.ts.

import { withCitations } from "../answer/citations.ts";
import type { AnswerHead, Format } from "../formats/format.ts";
import type { Ask, ErrorBody } from "../protocol.ts";
import type { QueryRow } from "./queries.ts";
import type { Run } from "./run.ts";
import { type Chunk, Transcript, type WholeEnding } from "./transcript.ts";

/** Who reads, and how: what a request says of it. */
export interface Subscriber {
  /**
   * Which of the readers that share the object; null where it is one user's
   * own.
   */
  readonly identity: string | null;
  readonly format: Format;
  /** How many events the reader has already. */
  readonly after: number;
  /** Aborts when the runtime sees that the client disconnected. */
  readonly signal: AbortSignal;
  /** In milliseconds; undefined where it is not known. */
  readonly roundTripMs: number | undefined;
}

/** An ask as its request says it. */
export interface AskRequest extends Subscriber {
  readonly userName: string;
  readonly ask: Ask;
  /** A stored answer is not wanted, except for the client's own key. */
  readonly again: boolean;
  /** The query whose turns come before. */
  readonly previous?: string | undefined;
  /** The client's own key for it. */
  readonly idempotencyKey: string | null;
  /** Whether the client may retry by itself whenever a stream ends. */
  readonly retriesByItself: boolean;
  /** When it arrived, by `performance.now()`. */
  readonly receivedAt: number;
}

export class Subscription {
  readonly head: AnswerHead;
  readonly transcript: Transcript;
  /** Undefined where the answer is stored: nothing is left to charge. */
  readonly run: Run | undefined;
  readonly format: Format;
  /** The index of the transcript's first event that the reader lacks. */
  readonly from: number;
  readonly #after: number;

  private constructor(
    head: AnswerHead,
    transcript: Transcript,
    run: Run | undefined,
    { format, after }: Pick<Subscriber, "format" | "after">,
  ) {
    this.head = head;
    this.transcript = transcript;
    this.run = run;
    this.format = format;
    this.#after = after;
    // The transcript begins with event 2: the opening is event 1.
    this.from = Math.max(0, after - 1);
  }

  static toRun(run: Run, subscriber: Pick<Subscriber, "format" | "after">): Subscription {
    return new Subscription(run, run.transcript, run, subscriber);
  }

  static toStored(row: QueryRow, subscriber: Pick<Subscriber, "format" | "after">): Subscription {
    const head = { queryId: row.id, askedAt: row.asked_at };
    return new Subscription(head, Transcript.of(row), undefined, subscriber);
  }

  get headers(): Record<string, string> {
    const { format, run } = this;
    return {
      ...format.headers,
      ...(run === undefined
        ? { "idempotency-replayed": "true" }
        : { "server-timing": timing(run, format) }),
    };
  }

  /** The first write; empty for a reader that has it already. */
  opening(quotaRemaining: number): string {
    return this.#after === 0 ? this.format.opening(this.head, quotaRemaining) : "";
  }

  /** The events from an index on that fit one write. */
  chunk(from: number): Chunk {
    return this.transcript.chunk(this.format, from, this.head);
  }

  get heartbeat(): string {
    return this.format.heartbeat(this.head);
  }

  closing(whole: WholeEnding, quotaRemaining: number): string {
    const { tokens, sources } = this.transcript;
    const cited = withCitations(sources, tokens.join(""));
    const { finish, found } = whole;
    const answer = { ...this.head, tokens, sources: cited, finish, found, quotaRemaining };
    return this.format.closing(answer);
  }

  /** Its number is the next after the transcript's last event. */
  error(body: ErrorBody): string {
    return this.format.error(body, { head: this.head, number: this.transcript.length + 2 });
  }
}

/**
 * What is known when the headers go out: admission alone, or all of an answer
 * in one body.
 */
function timing({ admitMs, firstTokenMs, totalMs }: Run, { streams }: Format): string {
  const admit = `admit;dur=${admitMs}`;
  return streams ? admit : `${admit}, first-token;dur=${firstTokenMs ?? 0}, total;dur=${totalMs}`;
}
