// A run: one live generation and who listens to it, from the ask until its query is resolved, with its
// deadlines and its limits. It belongs to the object, not to a response. What its ending costs is
// decided in user-object.ts.

import { ServiceError, toServiceError } from "../errors.ts";
import type { Ask, Finish, OnDisconnect, SourcesEvent, TokenEvent } from "../protocol.ts";
import type { Listener } from "./listener.ts";
import { type Ending, Transcript } from "./transcript.ts";

export interface RunLimits {
  readonly firstTokenTimeoutMs: number;
  readonly tokenGapTimeoutMs: number;
  readonly generationTimeoutMs: number;
  readonly answerBytesMax: number;
}

/** The longest piece of answer in one event, in UTF-16 units: six bytes each at worst, when escaped. */
const TOKEN_LENGTH_MAX = 8 * 1024;

export class Run {
  readonly queryId: string;
  readonly ask: Ask;
  /** Which of the readers that share the object has asked; null where it is one user's own. */
  readonly identity: string | null;
  /** From the request's arrival to the reservation, in milliseconds. */
  readonly admitMs: number;
  readonly transcript = new Transcript();
  readonly listeners = new Set<Listener>();
  /** What becomes of it when its last listener has left; as asked, until the refund allowance is used up. */
  onDisconnect: OnDisconnect;
  /** The window that was reserved from. */
  readonly window: string;
  /** Ends the wait for a listener to come back. */
  waitTimer: ReturnType<typeof setTimeout> | undefined;
  /** When that is, in milliseconds since the epoch; only of meaning while there is a timer. */
  waitsUntil = 0;
  /** Settled when the query is no longer reserved, or can no longer be resolved by this run. */
  readonly resolved = Promise.withResolvers<void>();
  readonly #limits: RunLimits;
  readonly #abort = new AbortController();
  readonly #startedAt = performance.now();
  #firstTokenAt: number | undefined;
  #lastEventAt = this.#startedAt;
  #endedAt: number | undefined;
  #bytes = 0;
  #tokens = 0;

  constructor(
    query: Pick<Run, "queryId" | "window" | "ask" | "identity" | "admitMs">,
    limits: RunLimits,
  ) {
    this.queryId = query.queryId;
    this.window = query.window;
    this.ask = query.ask;
    this.identity = query.identity;
    this.admitMs = query.admitMs;
    this.onDisconnect = query.ask.onDisconnect;
    this.#limits = limits;
  }

  /** Aborts when nobody wants the answer any more. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get firstTokenMs(): number | null {
    return this.#firstTokenAt === undefined ? null : this.#since(this.#firstTokenAt);
  }

  get totalMs(): number {
    return this.#since(this.#endedAt ?? performance.now());
  }

  #since(time: number): number {
    return Math.round(time - this.#startedAt);
  }

  /**
   * Puts a pipeline's events into the transcript until it ends or one of our limits ends it, and
   * returns how. Never throws, and lets nothing upstream go on behind it.
   */
  async generate(events: AsyncGenerator<SourcesEvent | TokenEvent, Finish, void>): Promise<Ending> {
    const deadline = Promise.withResolvers<Ending>();
    const watch = () => {
      const late = this.#late();
      // The first token may come meanwhile, and from then on the gap counts.
      if (typeof late === "number") {
        timer = setTimeout(watch, Math.min(late, this.#limits.tokenGapTimeoutMs));
      } else deadline.resolve(late);
    };
    let timer = setTimeout(watch, 0);
    try {
      return await Promise.race([this.#consume(events), deadline.promise]);
    } finally {
      clearTimeout(timer);
      this.#endedAt = performance.now();
      this.abort();
    }
  }

  /** Stops the pipeline and whatever it called upstream. */
  abort(): void {
    this.#abort.abort();
  }

  async #consume(events: AsyncGenerator<SourcesEvent | TokenEvent, Finish, void>): Promise<Ending> {
    try {
      for (;;) {
        const step = await events.next();
        if (this.signal.aborted) break;
        if (step.done) return { type: "finished", finish: step.value };
        this.#lastEventAt = performance.now();
        if (step.value.type === "sources") this.transcript.append(step.value);
        else if (!this.#append(step.value.token)) return { type: "finished", finish: "length" };
      }
    } catch (thrown) {
      if (!this.signal.aborted) return { type: "failed", error: toServiceError(thrown) };
    }
    // Whoever aborted has said how the run ended.
    return { type: "failed", error: new ServiceError("CANCELLED", "The answer was stopped.") };
  }

  /** False when the answer has reached a limit, and what went past it was cut off. */
  #append(token: string): boolean {
    if (this.#tokens === this.ask.maxTokens) return false;
    this.#tokens += 1;
    this.#firstTokenAt ??= this.#lastEventAt;
    // Half a character could be sent, but not stored: it would come back as another length.
    for (const piece of pieces(token.toWellFormed())) {
      const bytes = encoder.encode(piece).byteLength;
      const rest = this.#limits.answerBytesMax - this.#bytes;
      const kept = bytes <= rest ? piece : startOf(piece, rest);
      if (kept !== "") this.transcript.append({ type: "token", token: kept });
      if (kept !== piece) return false;
      this.#bytes += bytes;
    }
    return true;
  }

  /** How the run ends because a deadline has passed, or how many ms are left until one may. */
  #late(): Ending | number {
    const { firstTokenTimeoutMs, tokenGapTimeoutMs, generationTimeoutMs } = this.#limits;
    const now = performance.now();
    const flowing = this.#firstTokenAt !== undefined;
    const whole = this.#startedAt + generationTimeoutMs - now;
    const next = flowing
      ? this.#lastEventAt + tokenGapTimeoutMs - now
      : this.#startedAt + firstTokenTimeoutMs - now;
    if (whole > 0 && next > 0) return Math.min(whole, next);
    // Only an answer that flows is cut at its length; one that stalls has failed.
    if (flowing && next > 0) return { type: "finished", finish: "length" };
    const message = flowing
      ? "The model stopped in the middle of its answer. You were not charged; ask again."
      : "The model did not begin its answer in time. You were not charged; ask again.";
    return { type: "failed", error: new ServiceError("GENERATION_TIMEOUT", message) };
  }
}

/** A token in pieces that each fit one event, never cut inside a surrogate pair. */
function* pieces(token: string): Generator<string> {
  for (let start = 0; start < token.length; ) {
    let end = start + TOKEN_LENGTH_MAX;
    if (end < token.length && isHighSurrogate(token.charCodeAt(end - 1))) end -= 1;
    yield token.slice(start, end);
    start = end;
  }
}

/** As much of the text's start as fits into so many bytes of UTF-8. */
function startOf(text: string, bytesMax: number): string {
  const { read } = encoder.encodeInto(text, new Uint8Array(Math.max(0, bytesMax)));
  return text.slice(0, read);
}

const encoder = new TextEncoder();

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
