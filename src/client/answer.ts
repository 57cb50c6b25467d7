// One answer, from its ask to its end: the events as they come, over as many connections as it takes,
// each token once, and one way to stop. What a request is and what an error is called is not decided
// here.

import type {
  DoneEvent,
  Finish,
  Receipt,
  Source,
  SourcesEvent,
  StartEvent,
  StreamEvent,
  TokenEvent,
} from "../protocol.ts";
import type { Connection } from "./connection.ts";
import {
  BelayError,
  CancelledError,
  ConnectionLostError,
  errorOf,
  isOfType,
  refusalOf,
} from "./errors.ts";
import { readEvents } from "./events.ts";

/** What iterating over an answer gives. */
export type AnswerEvent = StartEvent | SourcesEvent | TokenEvent | DoneEvent;

/** An answer that is whole. */
export interface Outcome {
  readonly queryId: string;
  readonly text: string;
  readonly sources: readonly Source[];
  readonly finish: Finish;
  readonly quotaRemaining: number;
}

/** The connection broke, and is made again. */
export interface Retry {
  /** From 1, and from 1 again once a token has come. */
  readonly attempt: number;
  readonly waitMs: number;
  readonly cause: unknown;
}

export interface AnswerOptions {
  /** Aborting it stops the answer. */
  readonly signal?: AbortSignal | undefined;
  readonly onSources?: ((sources: readonly Source[]) => void) | undefined;
  readonly onToken?: ((token: string) => void) | undefined;
  readonly onDone?: ((outcome: Outcome) => void) | undefined;
  readonly onError?: ((error: BelayError) => void) | undefined;
  readonly onRetry?: ((retry: Retry) => void) | undefined;
}

/** What to ask, and to ask again with if the query was never heard of. */
export interface Question {
  readonly body: string;
  readonly idempotencyKey: string;
}

/** A service that asks to wait longer than this is believed, and not tried again. */
const RETRY_AFTER_MS_MAX = 5_000;
/** What may be over at the next try. */
const PASSING = ["CONNECTION_LOST", "REQUEST_TIMEOUT", "UNAVAILABLE"];
/**
 * The same, once a connection has broken. Our own, which the service has not missed yet, may count among
 * its too many streams; and what gives bearer tokens (no status: not what refuses them) may be away too.
 */
const PASSING_LATER = ["TOO_MANY_STREAMS", "INTERNAL", "UNAUTHENTICATED"];

export class Answer implements AsyncIterable<AnswerEvent> {
  readonly #connection: Connection;
  readonly #options: AnswerOptions;
  /** Undefined where an answer is only read, which others have asked for. */
  readonly #question: Question | undefined;
  #queryId: string | undefined;
  #text = "";
  #sources: readonly Source[] = [];
  readonly #events: AnswerEvent[] = [];
  #iterated = false;
  /** The events of the present query that we have, but for pings: where to resume. */
  #count = 0;
  /** Connections that broke, or could not be made, since the last token. */
  #failures = 0;
  /** From when a request may go out until its body has ended. */
  #connecting = false;
  #error: BelayError | undefined;
  /** Aborted once the answer has ended, whichever way. */
  readonly #ended = new AbortController();
  /** Aborted once no connection is wanted any more, which may be a little later. */
  readonly #unwanted = new AbortController();
  readonly #done = Promise.withResolvers<Outcome>();
  readonly #running: Promise<void>;
  /** Set once the service is being told that nobody wants the answer. */
  #telling: Promise<Receipt | undefined> | undefined;
  /** Lets the iteration go on. */
  #wake: () => void = () => {};

  constructor(
    connection: Connection,
    options: AnswerOptions,
    question: Question | undefined,
    queryId: string | undefined,
  ) {
    this.#connection = connection;
    this.#options = options;
    this.#question = question;
    this.#queryId = queryId;
    // Who uses callbacks or iterates never looks at it: its rejection is not an unhandled one.
    this.done.catch(() => {});

    const { signal } = options;
    const leave = () => this.#leave(signal?.reason);
    signal?.addEventListener("abort", leave, { signal: this.#ended.signal });
    onPage("pagehide", leave, this.#ended.signal);
    this.#running = this.#run().catch((thrown) => this.#fail(thrown));
  }

  /** The answer when it is whole. Rejects with a BelayError; nothing happens if nobody looks. */
  get done(): Promise<Outcome> {
    return this.#done.promise;
  }

  /** Undefined until the service has named it; another one if it had to be asked again. */
  get queryId(): string | undefined {
    return this.#queryId;
  }

  /** The answer so far. */
  get text(): string {
    return this.#text;
  }

  /** Empty until they are found. */
  get sources(): readonly Source[] {
    return this.#sources;
  }

  /**
   * Stops the answer. Resolves with its receipt, which says whether it was charged, or with undefined
   * where there is none: it never rejects, and need not be awaited.
   */
  cancel(): Promise<Receipt | undefined> {
    this.#stop(true);
    return this.#running.then(() => this.#telling);
  }

  /**
   * The events as they come, from the first on, whenever the iteration begins; throws the error that
   * ends the answer. Breaking off stops the answer.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<AnswerEvent, void, undefined> {
    if (this.#iterated) {
      throw new TypeError("Iterate once; client.events() reads it again.");
    }
    this.#iterated = true;
    try {
      for (let next = 0; ; next += 1) {
        while (next === this.#events.length && !this.#ended.signal.aborted) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
        const event = this.#events[next];
        if (event) yield event;
        else if (this.#error) throw this.#error;
        else return;
      }
    } finally {
      this.#leave();
    }
  }

  /** Connects until the answer has ended. */
  async #run(): Promise<void> {
    // Nothing is called back before the caller has the answer in hand.
    await undefined;
    if (this.#options.signal?.aborted) this.#leave(this.#options.signal.reason);
    while (!this.#ended.signal.aborted) {
      try {
        await this.#connect();
      } catch (thrown) {
        if (this.#ended.signal.aborted) break;
        await this.#recover(thrown);
      }
    }
  }

  /** Reads one connection to its end. Throws unless the answer has ended by then. */
  async #connect(): Promise<void> {
    const { body, idempotencyKey } = this.#question ?? {};
    const connection = new AbortController();
    const { signal } = connection;
    const hangUp = () => connection.abort();
    this.#unwanted.signal.addEventListener("abort", hangUp, { signal });
    const { silenceMs } = this.#connection;
    let timer = setTimeout(hangUp, silenceMs);
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(hangUp, silenceMs);
    };
    this.#connecting = true;
    try {
      const sending = { signal, unless: this.#ended.signal };
      const response = await (!this.#queryId && body
        ? this.#connection.request("/ai/ask?stream=true", {
            ...sending,
            method: "POST",
            headers: { "idempotency-key": idempotencyKey ?? "" },
            body,
          })
        : this.#connection.request(`${this.#path()}/events?after=${this.#count}`, sending));
      if (!isOfType(response, "text/event-stream") || response.body === null) {
        throw await this.#tooLate(await refusalOf(response), signal);
      }
      this.#identify(response.headers.get("x-query-id"));
      await readEvents(response.body, signal, heard, (event) => this.#receive(event));
      if (!this.#ended.signal.aborted) throw new Error("The stream broke off.");
    } finally {
      this.#connecting = false;
      clearTimeout(timer);
      hangUp();
    }
  }

  #receive(event: StreamEvent): void {
    if (event.type === "start") this.#identify(event.queryId);
    if (this.#ended.signal.aborted || event.type === "ping") return;
    if (event.type === "error") {
      this.#fail(errorOf(event));
      return;
    }
    // An event that we do not know counts too.
    this.#count += 1;
    const { onSources, onToken, onDone } = this.#options;
    switch (event.type) {
      case "start":
        this.#push(event);
        break;
      case "sources":
        this.#sources = event.sources;
        this.#push(event);
        call(onSources, event.sources);
        break;
      case "token":
        this.#text += event.token;
        this.#failures = 0;
        this.#push(event);
        call(onToken, event.token);
        break;
      case "done": {
        const { type: _, ...rest } = event;
        const outcome = { ...rest, text: this.#text };
        this.#sources = event.sources;
        this.#push(event);
        this.#end();
        this.#done.resolve(outcome);
        call(onDone, outcome);
        break;
      }
    }
  }

  #push(event: AnswerEvent): void {
    this.#events.push(event);
    this.#wake();
  }

  /** Who the query is; one that was stopped before that is stopped now. */
  #identify(queryId: string | null): void {
    if (!queryId || queryId === this.#queryId) return;
    this.#queryId = queryId;
    if (this.#ended.signal.aborted) this.#telling = this.#tell();
  }

  #path(): string {
    return `/ai/queries/${encodeURIComponent(this.#queryId ?? "")}`;
  }

  /** What a refusal to resume means for the answer. */
  async #tooLate(refusal: BelayError, signal: AbortSignal): Promise<Error> {
    const queryId = this.#queryId;
    if (refusal.code !== "NOT_KEPT" || !this.#question || !queryId) return refusal;
    const { reason } = await this.#connection.json<Receipt>(this.#path(), { signal });
    const details = { status: refusal.status, queryId, cause: refusal };
    if (reason === "cancelled") {
      return new CancelledError("CANCELLED", "The answer was stopped elsewhere.", details);
    }
    if (this.#text === "") {
      // Nothing was shown that a new attempt could contradict, and the key sees to the charge.
      this.#queryId = undefined;
      this.#count = 0;
      return new Error("Given up.", { cause: refusal });
    }
    return new ConnectionLostError(
      "NOT_KEPT",
      "The connection was lost for too long. You were not charged; ask again.",
      details,
    );
  }

  /** Waits for the next try, or ends the answer where there is none. */
  async #recover(cause: unknown): Promise<void> {
    const attempt = this.#failures + 1;
    const backoffMs = this.#connection.backoff(attempt) ?? Infinity;
    const waitMs = Math.max(backoffMs, this.#retryAfterMs(cause));
    if (waitMs === Infinity) {
      this.#fail(cause);
      return;
    }
    this.#failures = attempt;
    call(this.#options.onRetry, { attempt, waitMs, cause });
    await pause(waitMs, this.#ended.signal);
  }

  /** After how long the same request might be answered, if ever. */
  #retryAfterMs(thrown: unknown): number {
    if (!(thrown instanceof BelayError)) return 0;
    const { code, status = 0, retryAfterMs = 0 } = thrown;
    const passes =
      code === "NOT_BELAY"
        ? // A proxy in between, which speaks for a service that is away.
          status >= 500 || status === 408 || status === 429
        : PASSING.includes(code) || (this.#failures > 0 && PASSING_LATER.includes(code));
    return passes && status !== 401 && retryAfterMs <= RETRY_AFTER_MS_MAX ? retryAfterMs : Infinity;
  }

  #fail(thrown: unknown): void {
    if (this.#ended.signal.aborted) return;
    const error =
      thrown instanceof BelayError && thrown.code !== "CONNECTION_LOST"
        ? thrown
        : new ConnectionLostError(
            "CONNECTION_LOST",
            "The connection was lost. The receipt says whether you were charged.",
            { queryId: this.#queryId, cause: thrown },
          );
    this.#error = error;
    this.#end();
    this.#done.reject(error);
    call(this.#options.onError, error);
  }

  #end(): void {
    this.#ended.abort();
    this.#wake();
  }

  /** Leaving an answer that is ours stops it; one that is only read goes on for whoever asked. */
  #leave(cause?: unknown): void {
    this.#stop(this.#question !== undefined, cause);
  }

  #stop(everywhere: boolean, cause?: unknown): void {
    if (this.#ended.signal.aborted) return;
    const queryId = this.#queryId;
    this.#fail(new CancelledError("CANCELLED", "You stopped the answer.", { queryId, cause }));
    if (everywhere && queryId) this.#telling = this.#tell();
    // An ask that is under way is let through to its query's id, without which it cannot be stopped.
    else if (!everywhere || !this.#connecting) this.#unwanted.abort();
  }

  /** Tells the service that nobody wants the answer. Sent before anything is awaited: the page may be closing. */
  async #tell(): Promise<Receipt | undefined> {
    try {
      const path = `${this.#path()}/cancel`;
      return await this.#connection.json<Receipt>(path, { method: "POST", keepalive: true });
    } catch {
      // The service cannot be told; it will notice by itself that nobody comes back.
      return undefined;
    } finally {
      this.#unwanted.abort();
    }
  }
}

/** What a callback throws is its own fault: it is reported as any uncaught error, and the answer goes on. */
function call<T>(callback: ((value: T) => void) | undefined, value: T): void {
  try {
    callback?.(value);
  } catch (thrown) {
    setTimeout(() => {
      throw thrown;
    });
  }
}

/** Waits; less long if the signal aborts, or if the page comes back online. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal.addEventListener("abort", wake);
    // Goes with the signal; until then, waking who is awake does nothing.
    onPage("online", wake, signal);
  });
}

/** Listens to the window until the signal aborts. Where there is no page, there is none, or it is no more than a name. */
function onPage(type: string, listener: () => void, signal: AbortSignal): void {
  const page = globalThis as { readonly window?: Partial<EventTarget> };
  page.window?.addEventListener?.(type, listener, { signal });
}
