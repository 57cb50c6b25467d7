// The tool `ask`: one ask over the route that every ask takes. After each read
// of its events it writes to the client. So a disconnect shows, the stream of
// the ask is cancelled, and the user is refunded.

import type { CallToolResult } from "@modelcontextprotocol/server";
import type { AnswerBody, ErrorBody, StreamEvent } from "../protocol.ts";
import { brokeOff, eventsOf } from "./answer-events.ts";
import { askBody } from "./arguments.ts";
import type { Connection } from "./connection.ts";
import { answerResult, errorResult } from "./results.ts";

/** The least time between two notifications, in milliseconds. */
const PROGRESS_GAP_MS = 100;

export interface AskCall {
  readonly args: unknown;
  readonly connection: Connection;
  readonly signal: AbortSignal;
  /** Sends a body to `POST /ai/ask?stream=true` as the caller. */
  ask(body: unknown, signal: AbortSignal): Promise<Response>;
  /** Undefined if the client did not ask for progress. */
  readonly notify: ((progress: number, message: string | undefined) => Promise<void>) | undefined;
}

export async function callAsk({
  args,
  connection,
  signal,
  ask,
  notify,
}: AskCall): Promise<CallToolResult> {
  const response = await ask(askBody(args), signal);
  const answer = new Answer();
  const progress = new Progress(notify);
  for await (const events of eventsOf(response.body ?? brokeOff(), signal)) {
    for (const event of events) answer.add(event);
    await progress.add(events);
    // After the last event there is the result.
    if (!answer.isEnded) await connection.heartbeat();
  }
  await progress.send();
  return answer.result();
}

/** What the events of an answer add up to. */
class Answer {
  #text = "";
  #ending: AnswerBody | ErrorBody | undefined;

  get isEnded(): boolean {
    return this.#ending !== undefined;
  }

  add(event: StreamEvent): void {
    if (event.type === "token") this.#text += event.token;
    else if (event.type === "error") this.#ending = event;
    else if (event.type === "done") {
      const { type, queryId, ...rest } = event;
      this.#ending = { queryId, answer: this.#text, ...rest };
    }
  }

  result(): CallToolResult {
    if (this.#ending === undefined) return brokeOff();
    return "code" in this.#ending ? errorResult(this.#ending) : answerResult(this.#ending);
  }
}

/** Notifications: the number of events so far, and the new text. */
class Progress {
  readonly #notify: AskCall["notify"];
  #events = 0;
  #text = "";
  #sentAt = 0;

  constructor(notify: AskCall["notify"]) {
    this.#notify = notify;
  }

  async add(events: readonly StreamEvent[]): Promise<void> {
    this.#events += events.length;
    for (const event of events) if (event.type === "token") this.#text += event.token;
    const now = performance.now();
    if (now - this.#sentAt < PROGRESS_GAP_MS) return;
    this.#sentAt = now;
    await this.#notify?.(this.#events, this.#text || undefined);
    this.#text = "";
  }

  /** What has not been sent yet. */
  async send(): Promise<void> {
    if (this.#text !== "") await this.#notify?.(this.#events + 1, this.#text);
  }
}
