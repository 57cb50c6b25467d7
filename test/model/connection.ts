// One connection of a history: an ask or a resume,
// read in the background until it ends or is closed.
// It keeps what it received; invariants.ts decides what is right.

import type { AnswerBody, ErrorBody, StreamEvent } from "../../src/protocol.ts";
import { eventsIn } from "../support/event-stream.ts";

export interface ConnectionOptions {
  /** The question; undefined when events are read by query id. */
  readonly question: string | undefined;
  readonly streaming: boolean;
  /** How many events the client already has. */
  readonly after: number;
}

/** What a server can notice: the request's signal, the closed body, or both. */
export const LEAVINGS = ["both", "signal", "close"] as const;
export type Leaving = (typeof LEAVINGS)[number];

export class Connection {
  readonly question: string | undefined;
  readonly streaming: boolean;
  readonly after: number;
  /** `broken`: the server closed it without an end. */
  state: "asking" | "open" | "ended" | "left" | "broken" = "asking";
  response: Response | undefined;
  text = "";
  /** Resolves when headers arrive, or never will. */
  readonly answered: Promise<void>;
  readonly #controller = new AbortController();
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  constructor(options: ConnectionOptions, send: (signal: AbortSignal) => Promise<Response>) {
    this.question = options.question;
    this.streaming = options.streaming;
    this.after = options.after;
    this.answered = this.#read(send(this.#controller.signal));
  }

  async #read(response: Promise<Response>): Promise<void> {
    try {
      this.response = await response;
    } catch {
      if (this.state === "asking") this.state = "broken";
      return;
    }
    if (this.state !== "asking") return;
    this.state = "open";
    this.#reader = this.response.body?.getReader();
    this.#readBody(this.#reader).then(
      () => this.#end("ended"),
      () => this.#end("broken"),
    );
  }

  async #readBody(reader: ReadableStreamDefaultReader<Uint8Array> | undefined): Promise<void> {
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done) return;
      this.text += decoder.decode(value, { stream: true });
    }
  }

  #end(state: "ended" | "broken"): void {
    if (this.state === "open") this.state = state;
  }

  leave(how: Leaving): void {
    if (!this.isOpen) return;
    this.state = "left";
    if (how !== "signal") this.#reader?.cancel().catch(() => {});
    // Without a response there is nothing to close.
    if (how !== "close" || this.#reader === undefined) this.#controller.abort();
  }

  get isOpen(): boolean {
    return this.state === "asking" || this.state === "open";
  }

  get status(): number {
    return this.response?.status ?? 0;
  }

  get queryId(): string | undefined {
    return this.response?.headers.get("x-query-id") ?? undefined;
  }

  /** The remaining quota, from the headers. */
  get remaining(): number | undefined {
    const said = /;r=(\d+)/.exec(this.response?.headers.get("ratelimit") ?? "")?.[1];
    return said === undefined ? undefined : Number(said);
  }

  get isReplay(): boolean {
    return this.response?.headers.get("idempotency-replayed") === "true";
  }

  get isEventStream(): boolean {
    return this.response?.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  }

  /** The events so far; none for JSON. */
  get events(): StreamEvent[] {
    return this.isEventStream ? eventsIn(this.text) : [];
  }

  /** The last event, or what it would be for a JSON answer. */
  get last(): StreamEvent | undefined {
    if (this.isEventStream) return this.events.at(-1);
    if (this.text.trim() === "") return undefined;
    const body: AnswerBody | ErrorBody = JSON.parse(this.text);
    return "answer" in body ? { ...body, type: "done" } : body;
  }
}
