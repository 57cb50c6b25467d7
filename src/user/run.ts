// A run: one generation, its listeners, its deadlines and its limits, from
// the ask until its query is resolved. It belongs to the object, not to a
// response. The table of its states, and what its ending costs, is in
// asks.ts.

import { withCitations } from "../answer/citations.ts";
import type { Meter } from "../answer/meter.ts";
import type { Progress } from "../answer/pipeline.ts";
import type { RewriteCost } from "../answer/rewriter.ts";
import { ServiceError, toServiceError } from "../errors.ts";
import type { Ask, Finish, OnDisconnect, Source } from "../protocol.ts";
import { byteLength, pieces, startOf } from "../text/pieces.ts";
import { TokenCount } from "../text/token-count.ts";
import type { Listener } from "./listener.ts";
import { FALLBACK, type Payment } from "./payment.ts";
import type { Spent } from "./queries.ts";
import type { Logged } from "./reservations.ts";
import { type Ending, Transcript } from "./transcript.ts";

export interface RunLimits {
  readonly firstTokenTimeoutMs: number;
  readonly thinkingTimeoutMs: number;
  readonly tokenGapTimeoutMs: number;
  readonly generationTimeoutMs: number;
  readonly answerBytesMax: number;
}

/**
 * The longest token in one event, in UTF-16 units: escaped, six bytes each at
 * most.
 */
const TOKEN_LENGTH_MAX = 8 * 1024;
/**
 * A server may split a token: at most this many events for each of
 * `maxTokens`.
 */
const EVENTS_PER_TOKEN_MAX = 16;

export class Run implements Progress {
  readonly queryId: string;
  readonly ask: Ask;
  /**
   * Which of the readers that share the object asked; null for one user's
   * own.
   */
  readonly identity: string | null;
  /** In milliseconds since the epoch. */
  readonly askedAt: number;
  /** From the request's arrival to the reservation, in milliseconds. */
  readonly admitMs: number;
  readonly transcript = new Transcript();
  readonly listeners = new Set<Listener>();
  /**
   * What happens when its last listener disconnects: as asked, or `continue`
   * once the refund allowance is used up.
   */
  onDisconnect: OnDisconnect;
  /** The window that was reserved from. */
  readonly window: string;
  /**
   * Settled once the query is not reserved any more, or is left to the sweep.
   */
  readonly resolved = Promise.withResolvers<void>();
  readonly #meter: Meter | undefined;
  readonly #isFallback: boolean;
  #wait: { readonly timer: ReturnType<typeof setTimeout>; readonly until: number } | undefined;
  readonly #limits: RunLimits;
  readonly #abort: AbortController;
  /** How it ended. The first ending counts. */
  readonly #ended = Promise.withResolvers<Ending>();
  /** Nothing more is added to the transcript. */
  #isOver = false;
  readonly #startedAt = performance.now();
  /** When the model's first sign of life and its first token came. */
  #firstSignAt: number | undefined;
  #firstTokenAt: number | undefined;
  #lastTokenAt = this.#startedAt;
  #lastSignAt = this.#startedAt;
  #endedAt: number | undefined;
  #bytes = 0;
  #events = 0;
  /** The model made at least this many tokens. */
  #tokens = 0;
  readonly #tokenCount = new TokenCount();
  #saysNothingFound = false;
  #rewrite: RewriteCost | undefined;
  #modelTokens: number | undefined;

  /** @param abort Its signal is the pipeline's. */
  constructor(
    query: Pick<Run, "queryId" | "window" | "ask" | "identity" | "askedAt" | "admitMs"> & {
      readonly payment: Payment;
    },
    limits: RunLimits,
    abort: AbortController,
  ) {
    this.queryId = query.queryId;
    this.window = query.window;
    this.ask = query.ask;
    this.identity = query.identity;
    this.askedAt = query.askedAt;
    this.admitMs = query.admitMs;
    this.onDisconnect = query.ask.onDisconnect;
    this.#meter = query.payment.meter;
    this.#isFallback = query.payment.budget === FALLBACK;
    this.#limits = limits;
    this.#abort = abort;
  }

  /**
   * Until when it waits for a listener, in milliseconds since the epoch, if
   * it does.
   */
  get waitsUntil(): number | undefined {
    return this.#wait?.until;
  }

  /** Waits for a listener to come back, and calls `end` if none does. */
  waitForListener(ms: number, end: () => void): void {
    this.#wait = { timer: setTimeout(end, ms), until: Date.now() + ms };
  }

  stopWaiting(): void {
    clearTimeout(this.#wait?.timer ?? null);
    this.#wait = undefined;
  }

  get firstTokenMs(): number | null {
    return this.#firstTokenAt === undefined ? null : this.#since(this.#firstTokenAt);
  }

  get totalMs(): number {
    return this.#since(this.#endedAt ?? performance.now());
  }

  get spent(): Spent & Logged {
    const { firstTokenMs, totalMs } = this;
    const { ms: rewriteMs, tokens: rewriteTokens } = this.#rewrite ?? {};
    const paid = { micros: this.#meter?.cost, fallback: this.#isFallback || undefined };
    return { ...this.#logged, firstTokenMs, totalMs, rewriteMs, rewriteTokens, ...paid };
  }

  get #logged(): Logged {
    const { collections, trace } = this.ask;
    const scores = this.transcript.sources.map(({ score }) => score);
    return {
      score: scores.length === 0 ? undefined : Math.max(...scores),
      collections,
      modelTokens: this.#modelTokens,
      traceId: trace?.split("-")[1],
    };
  }

  #since(time: number): number {
    return Math.round(time - this.#startedAt);
  }

  /**
   * Runs a pipeline, which tells this run what it makes, until it ends or one
   * of our limits ends it, and returns how. Never throws, and leaves nothing
   * running upstream.
   */
  async generate(pipeline: (progress: Progress) => Promise<Finish>): Promise<Ending> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const watch = () => {
      const late = this.#late();
      // After the first token the gap counts, so look again soon.
      if (typeof late === "number") {
        timer = setTimeout(watch, Math.min(late, this.#limits.tokenGapTimeoutMs));
      } else this.#ended.resolve(late);
    };
    watch();
    let hasEnded = false;
    const end = (ending: Ending) => {
      hasEnded = true;
      this.#ended.resolve(this.#isOver ? stopped() : ending);
    };
    pipeline(this).then(
      (finish) => end(this.#finished(finish)),
      (thrown) => end(failed(toServiceError(thrown))),
    );
    const ending = await this.#ended.promise;
    clearTimeout(timer ?? null);
    this.#endedAt = performance.now();
    // A pipeline that has ended leaves nothing to stop.
    if (hasEnded) this.#close();
    else this.abort();
    return ending;
  }

  onSources(sources: readonly Source[]): void {
    if (!this.#isOver) this.transcript.addSources(sources);
  }

  /** Cuts the rest off once the answer has reached a limit. */
  onToken(token: string): void {
    if (this.#isOver || this.#append(token)) return;
    this.#isOver = true;
    this.#ended.resolve(this.#finished("length"));
  }

  /** The model gave a sign of life: a thought, or anything else. */
  onSignOfLife(): void {
    this.#lastSignAt = performance.now();
    this.#firstSignAt ??= this.#lastSignAt;
  }

  onRewrite(cost: RewriteCost): void {
    this.#rewrite = cost;
  }

  onUsage(tokens: number): void {
    this.#modelTokens = tokens;
  }

  /** The answer says that nothing was found. */
  onNothingFound(): void {
    this.#saysNothingFound = true;
  }

  /** An answer that cites a passage found something, whatever it says. */
  #finished(finish: Finish): Ending {
    const { sources, tokens } = this.transcript;
    const cites = () => withCitations(sources, tokens.join("")).some(({ cited }) => cited);
    return { type: "finished", finish, found: !this.#saysNothingFound || cites() };
  }

  /** Stops the pipeline and the model. */
  abort(): void {
    this.#close();
    this.#abort.abort();
  }

  /** Nothing more is added. */
  #close(): void {
    this.#isOver = true;
    // A call that is cut off counts at the most that it may cost.
    this.#meter?.close();
  }

  /** False once the answer has reached a limit. */
  #append(token: string): boolean {
    const { maxTokens } = this.ask;
    this.#tokens += this.#tokenCount.add(token);
    this.#events += 1;
    if (this.#tokens > maxTokens || this.#events > maxTokens * EVENTS_PER_TOKEN_MAX) return false;
    this.onSignOfLife();
    this.#lastTokenAt = this.#lastSignAt;
    this.#firstTokenAt ??= this.#lastSignAt;
    // Half a character could be sent, but not stored: it would come back
    // longer.
    for (const piece of pieces(token.toWellFormed(), TOKEN_LENGTH_MAX)) {
      const bytes = byteLength(piece);
      const rest = this.#limits.answerBytesMax - this.#bytes;
      const kept = bytes <= rest ? piece : startOf(piece, rest);
      if (kept !== "") this.transcript.addToken(kept);
      if (kept !== piece) return false;
      this.#bytes += bytes;
    }
    return true;
  }

  /**
   * How the run ends by a deadline, or how many ms remain until one may pass.
   */
  #late(): Ending | number {
    const { firstTokenTimeoutMs, thinkingTimeoutMs, tokenGapTimeoutMs, generationTimeoutMs } =
      this.#limits;
    const now = performance.now();
    const firstTokenAt = this.#firstTokenAt;
    if (firstTokenAt === undefined) {
      // Thoughts do not shorten the answer: its time begins with its first
      // token.
      const left = Math.min(
        this.#lastSignAt + firstTokenTimeoutMs - now,
        (this.#firstSignAt ?? now) + thinkingTimeoutMs - now,
        this.#startedAt + generationTimeoutMs - now,
      );
      return left > 0 ? left : timedOut(this.#firstSignAt === undefined ? NOT_BEGUN : NO_WORD);
    }
    const whole = firstTokenAt + generationTimeoutMs - now;
    const next = this.#lastSignAt + tokenGapTimeoutMs - now;
    if (whole > 0 && next > 0) return Math.min(whole, next);
    // Only a flowing answer is cut. One that stalls has failed, even if the
    // model still thinks.
    const flows = this.#lastTokenAt + tokenGapTimeoutMs > now;
    return flows ? this.#finished("length") : timedOut(STALLED);
  }
}

const NOT_BEGUN = "The model did not begin its answer in time. You were not charged; ask again.";
const NO_WORD =
  "The model thought for too long and wrote no answer. You were not charged; ask again.";
const STALLED = "The model stopped in the middle of its answer. You were not charged; ask again.";

function failed(error: ServiceError): Ending {
  return { type: "failed", error };
}

function timedOut(message: string): Ending {
  return failed(new ServiceError("GENERATION_TIMEOUT", message));
}

/** The caller of `abort` says how the run ended. */
function stopped(): Ending {
  return failed(new ServiceError("CANCELLED", "The answer was stopped."));
}
