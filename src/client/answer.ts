// One answer, from its ask to its end. It gives each token once, over as many
// connections as it takes. connection.ts sends requests, errors.ts names errors.
//
// | state   | what happens                               | next          |
// |---------|--------------------------------------------|---------------|
// | waiting | no request is out                          | any other     |
// | reading | a request is out, or its events come       | any other     |
// | stopped | the caller has the error; the service is   | -             |
// |         | told to stop, once the query's id is known |               |
// | ended   | the caller has the outcome or the error    | -             |
//
// - waiting: before the first request, and after a connection broke. Ends after
//   the backoff, or when the page comes online.
// - stopped: only if the service can be told. Without an id, and without a
//   request that will bring one, a stop leads to `ended`.

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
  /** False if the answer says only that nothing was found. */
  readonly found: boolean;
  readonly quotaRemaining: number;
}

/** The connection broke; the client connects again. */
export interface Retry {
  /** Counts from 1; a token resets it. */
  readonly attempt: number;
  readonly waitMs: number;
  readonly cause: unknown;
}

export interface AnswerOptions {
  /** Aborting it stops the answer. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether leaving or reloading the page stops the answer; default true. If not,
   * Belay waits for `events()` of its query, and refunds an answer without a reader.
   */
  readonly stopsOnLeave?: boolean | undefined;
  readonly onSources?: ((sources: readonly Source[]) => void) | undefined;
  readonly onToken?: ((token: string) => void) | undefined;
  readonly onDone?: ((outcome: Outcome) => void) | undefined;
  readonly onError?: ((error: BelayError) => void) | undefined;
  readonly onRetry?: ((retry: Retry) => void) | undefined;
}

/** What to ask, and to ask again if the service never got it. */
export interface Question {
  readonly body: string;
  readonly idempotencyKey: string;
}

/** If the service asks to wait longer, the client does not retry. */
const RETRY_AFTER_MS_MAX = 5_000;
/** Errors worth a retry. */
const PASSING = ["CONNECTION_LOST", "REQUEST_TIMEOUT", "UNAVAILABLE"];
/**
 * Errors worth a retry after a connection broke. TOO_MANY_STREAMS may count our
 * own broken stream. UNAUTHENTICATED without a status is a `token` function that
 * failed, which may need the network too.
 */
const PASSING_LATER = ["TOO_MANY_STREAMS", "INTERNAL", "UNAUTHENTICATED"];

/** See the table above. */
type State = "waiting" | "reading" | "stopped" | "ended";

export class Answer implements AsyncIterable<AnswerEvent> {
  readonly #connection: Connection;
  readonly #options: AnswerOptions;
  /** Undefined when an answer is only read. */
  readonly #question: Question | undefined;
  #state: State = "waiting";
  /** Aborting it closes the latest connection. */
  #stream = new AbortController();
  #error: BelayError | undefined;
  #queryId: string | undefined;
  #text = "";
  #sources: readonly Source[] = [];
  readonly #events: AnswerEvent[] = [];
  #iterated = false;
  /** Events of this query so far, without pings: where to resume. */
  #count = 0;
  /** Failed connections since the last token. */
  #failures = 0;
  /** Aborts when `stopped` or `ended` begins. */
  readonly #over = new AbortController();
  readonly #done = Promise.withResolvers<Outcome>();
  readonly #running: Promise<void>;
  /** Set once the service is being told to stop. */
  #receipt: Promise<Receipt | undefined> | undefined;
  /** Resumes the iteration. */
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
    // With callbacks or iteration it is never awaited: no unhandled rejection.
    this.done.catch(() => {});

    const { signal } = options;
    const leave = () => this.#leave(signal?.reason);
    signal?.addEventListener("abort", leave, { signal: this.#over.signal });
    if (options.stopsOnLeave ?? true) onPage("pagehide", leave, this.#over.signal);
    this.#running = this.#run().catch((thrown) => this.#fail(thrown));
  }

  /** The whole answer. Rejects with a BelayError; it need not be awaited. */
  get done(): Promise<Outcome> {
    return this.#done.promise;
  }

  /** Undefined until the service sends it. Changes if the client asks again. */
  get queryId(): string | undefined {
    return this.#queryId;
  }

  /** The answer so far. */
  get text(): string {
    return this.#text;
  }

  /** Empty until the `sources` event. */
  get sources(): readonly Source[] {
    return this.#sources;
  }

  /**
   * Stops the answer. Resolves with its receipt, which says whether it was
   * charged, or with undefined if there is none. It never rejects, and need not
   * be awaited.
   */
  cancel(): Promise<Receipt | undefined> {
    this.#stop(true);
    return this.#running.then(() => this.#receipt);
  }

  /**
   * All events from the first, whenever the iteration begins. Throws the error
   * that ends the answer. Leaving the loop stops the answer.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<AnswerEvent, void, undefined> {
    if (this.#iterated) {
      throw new TypeError("Iterate once; client.events() reads it again.");
    }
    this.#iterated = true;
    try {
      for (let next = 0; ; next += 1) {
        while (next === this.#events.length && !this.#isOver) {
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

  /** Whether the caller has the outcome or the error. */
  get #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** Connects until the answer is over. */
  async #run(): Promise<void> {
    // The caller gets the answer before the first callback.
    await undefined;
    if (this.#options.signal?.aborted) this.#leave(this.#options.signal.reason);
    while (!this.#isOver) {
      try {
        await this.#connect();
      } catch (thrown) {
        if (this.#isOver) break;
        await this.#recover(thrown);
      }
    }
  }

  /** Reads one connection to its end. Throws unless the answer is over then. */
  async #connect(): Promise<void> {
    const { body, idempotencyKey } = this.#question ?? {};
    this.#stream = new AbortController();
    const { signal } = this.#stream;
    const hangUp = () => this.#stream.abort();
    const { silenceMs } = this.#connection;
    let timer = setTimeout(hangUp, silenceMs);
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(hangUp, silenceMs);
    };
    this.#state = "reading";
    try {
      const sending = { signal, unless: this.#over.signal };
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
      if (!this.#isOver) throw new Error("The stream broke.");
    } finally {
      clearTimeout(timer);
      hangUp();
    }
  }

  #receive(event: StreamEvent): void {
    if (event.type === "start") this.#identify(event.queryId);
    if (this.#isOver || event.type === "ping") return;
    if (event.type === "error") {
      this.#fail(errorOf(event));
      return;
    }
    // Unknown events count too.
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
        this.#finish("ended");
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

  /** Takes the query's id. A stop that waited for it goes out now. */
  #identify(queryId: string | null): void {
    if (!queryId || queryId === this.#queryId) return;
    this.#queryId = queryId;
    if (this.#state === "stopped") this.#receipt = this.#tell();
  }

  #path(): string {
    return `/ai/queries/${encodeURIComponent(this.#queryId ?? "")}`;
  }

  /** What a refusal to resume means for the answer. */
  async #tooLate(refusal: BelayError, signal: AbortSignal): Promise<Error> {
    const queryId = this.#queryId;
    if (refusal.code !== "NOT_KEPT" || !this.#question || !queryId) return refusal;
    const { reason, state } = await this.#connection.json<Receipt>(this.#path(), { signal });
    // It was deleted meanwhile.
    if (state === "charged") return refusal;
    const details = { status: refusal.status, queryId, cause: refusal };
    if (reason === "cancelled") {
      return new CancelledError("CANCELLED", "The answer was stopped elsewhere.", details);
    }
    if (this.#text === "") {
      // Ask again: the caller saw no token, and the key prevents a second charge.
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

  /** Waits for the next try, or ends the answer if there is none. */
  async #recover(cause: unknown): Promise<void> {
    const attempt = this.#failures + 1;
    const backoffMs = this.#connection.backoff(attempt) ?? Infinity;
    const waitMs = Math.max(backoffMs, this.#retryAfterMs(cause));
    if (waitMs === Infinity) {
      this.#fail(cause);
      return;
    }
    this.#failures = attempt;
    this.#state = "waiting";
    call(this.#options.onRetry, { attempt, waitMs, cause });
    await pause(waitMs, this.#over.signal);
  }

  /** Wait before a retry; Infinity if a retry is useless. */
  #retryAfterMs(thrown: unknown): number {
    if (!(thrown instanceof BelayError)) return 0;
    const { code, status = 0, retryAfterMs = 0 } = thrown;
    const passes =
      code === "NOT_BELAY"
        ? // A proxy answers while the service is away.
          status >= 500 || status === 408 || status === 429
        : PASSING.includes(code) || (this.#failures > 0 && PASSING_LATER.includes(code));
    return passes && status !== 401 && retryAfterMs <= RETRY_AFTER_MS_MAX ? retryAfterMs : Infinity;
  }

  #fail(thrown: unknown, state: State = "ended"): void {
    if (this.#isOver) return;
    const error =
      thrown instanceof BelayError && thrown.code !== "CONNECTION_LOST"
        ? thrown
        : new ConnectionLostError(
            "CONNECTION_LOST",
            "The connection was lost. The receipt says whether you were charged.",
            { queryId: this.#queryId, cause: thrown },
          );
    this.#error = error;
    this.#finish(state);
    this.#done.reject(error);
    call(this.#options.onError, error);
  }

  /** Enters `stopped` or `ended`. */
  #finish(state: State): void {
    this.#state = state;
    this.#over.abort();
    this.#wake();
  }

  /** Leaving stops our own answer. An answer that is only read goes on. */
  #leave(cause?: unknown): void {
    this.#stop(this.#question !== undefined, cause);
  }

  /** Stops reading, and with `everywhere` the answer itself. */
  #stop(everywhere: boolean, cause?: unknown): void {
    if (this.#isOver) return;
    const queryId = this.#queryId;
    // Without an id, the request that is out goes on until it brings one.
    const tells = everywhere && (queryId || this.#state === "reading");
    const error = new CancelledError("CANCELLED", "You stopped the answer.", { queryId, cause });
    this.#fail(error, tells ? "stopped" : "ended");
    if (!tells) this.#stream.abort();
    else if (queryId) this.#receipt = this.#tell();
  }

  /** Tells the service to stop. Awaits nothing first: the page may be closing. */
  async #tell(): Promise<Receipt | undefined> {
    try {
      const path = `${this.#path()}/cancel`;
      return await this.#connection.json<Receipt>(path, { method: "POST", keepalive: true });
    } catch {
      // The service will notice the closed connection.
      return undefined;
    } finally {
      this.#stream.abort();
    }
  }
}

/** Reports what a callback throws as an uncaught error; the answer goes on. */
function call<T>(callback: ((value: T) => void) | undefined, value: T): void {
  try {
    callback?.(value);
  } catch (thrown) {
    setTimeout(() => {
      throw thrown;
    });
  }
}

/** Waits. Ends early if the signal aborts or the page comes back online. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal.addEventListener("abort", wake);
    // The signal removes it; until then a second wake does nothing.
    onPage("online", wake, signal);
  });
}

/**
 * Listens to the window until the signal aborts. Outside of pages `window` is
 * missing, or has no listeners.
 */
function onPage(type: string, listener: () => void, signal: AbortSignal): void {
  const page = globalThis as { readonly window?: Partial<EventTarget> };
  page.window?.addEventListener?.(type, listener, { signal });
}
