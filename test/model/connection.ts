// One connection of a history: an ask or a resume, read in the background to its end, or left. What it
// was sent is kept as it came; what may stand in it is decided in invariants.ts.

import type { AnswerBody, ErrorBody, StreamEvent } from "../../src/protocol.ts";
import { eventsIn } from "../support/event-stream.ts";

export interface ConnectionOptions {
  /** What was asked; undefined where a query's events are read by its id. */
  readonly question: string | undefined;
  readonly streaming: boolean;
  /** How many events the reader had already. */
  readonly after: number;
}

/** What the other end can notice: the request's signal, the closed body, or both. */
export const LEAVINGS = ["both", "signal", "close"] as const;
export type Leaving = (typeof LEAVINGS)[number];

export class Connection {
  readonly question: string | undefined;
  readonly streaming: boolean;
  readonly after: number;
  /** `broken`: the other end went away without an end. */
  state: "asking" | "open" | "ended" | "left" | "broken" = "asking";
  response: Response | undefined;
  text = "";
  /** Resolves when there are headers, or will never be any. */
  readonly answered: Promise<void>;
  readonly #leaver = new AbortController();
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  constructor(options: ConnectionOptions, send: (signal: AbortSignal) => Promise<Response>) {
    this.question = options.question;
    this.streaming = options.streaming;
    this.after = options.after;
    this.answered = this.#read(send(this.#leaver.signal));
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
    // Who has no response yet has nothing to close.
    if (how !== "close" || this.#reader === undefined) this.#leaver.abort();
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

  /** What is left of the quota, as the headers say. */
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

  /** The events of what was read so far; of a JSON answer, none. */
  get events(): StreamEvent[] {
    return this.isEventStream ? eventsIn(this.text) : [];
  }

  /** The last event, or what would have been the last event of a JSON answer. */
  get last(): StreamEvent | undefined {
    if (this.isEventStream) return this.events.at(-1);
    if (this.text.trim() === "") return undefined;
    const body: AnswerBody | ErrorBody = JSON.parse(this.text);
    return "answer" in body ? { ...body, type: "done" } : body;
  }
}
