// One user of a soak: takes steps, and enters what each client saw in a book.

import { setTimeout as delay } from "node:timers/promises";
import { type AskOptions, answerBody, Caller } from "../../conformance/caller.ts";
import type { Exchange } from "../../conformance/exchange.ts";
import { begun, judge } from "../../conformance/stream.ts";
import type { ErrorBody, Receipt, RefundReason, StreamEvent } from "../../src/protocol.ts";
import { Book, type Entry } from "./book.ts";
import type { Step } from "./plan.ts";
import { answer, question } from "./script.ts";

const PAGE = 100;

/** An answer that did not become whole, as its client was told. */
class FailedAnswer extends Error {
  readonly queryId: string;

  constructor(queryId: string, { code, message }: Pick<ErrorBody, "code" | "message">) {
    super(`${code}: ${message}`);
    this.queryId = queryId;
  }
}

export class User {
  readonly name: string;
  readonly book = new Book();
  /** Answers that failed though the model did not: the machine is too slow. */
  readonly failures: string[] = [];
  readonly #caller: Caller;

  constructor(name: string, origin: string, token: string) {
    this.name = name;
    this.#caller = new Caller(origin, token);
  }

  /** Never rejects: what goes wrong is a surprise in the book. */
  async take(step: Step): Promise<void> {
    try {
      await this.#take(step);
    } catch (error) {
      if (error instanceof FailedAnswer) {
        this.book.note(error.queryId, refunded(step, "failed"));
        this.failures.push(`${step.tag} (${step.action}): ${error.message}`);
        return;
      }
      const { message, cause } = error as Error;
      const why = cause instanceof Error ? `: ${cause.message}` : "";
      this.book.surprise(`${step.tag} (${step.action}): ${message}${why}`);
    }
  }

  /** All receipts, the newest first. */
  async receipts(): Promise<readonly Receipt[]> {
    const all: Receipt[] = [];
    let before: string | null = "";
    do {
      const path: string = `/ai/queries?limit=${PAGE}${before && `&before=${before}`}`;
      const page = (await this.#caller.json("GET", path)) as {
        readonly queries: readonly Receipt[];
        readonly before: string | null;
      };
      all.push(...page.queries);
      before = page.before;
    } while (before !== null);
    return all;
  }

  #take(step: Step): Promise<void> {
    switch (step.action) {
      case "reads":
        return this.#reads(step);
      case "asks for JSON":
        return this.#asksForJson(step);
      case "leaves":
        return this.#leaves(step, { onDisconnect: "cancel" }, refunded(step, "disconnected"));
      case "stays away":
        return this.#leaves(step, { onDisconnect: "wait" }, refunded(step, "disconnected"));
      case "leaves it running":
        return this.#leaves(step, { onDisconnect: "continue" }, charged(step));
      case "resumes":
        return this.#resumes(step);
      case "cancels":
        return this.#cancels(step);
      case "meets a failure":
        return this.#meetsAFailure(step);
      case "repeats":
        return this.#repeats(step);
      case "asks twice at once":
        return this.#asksTwiceAtOnce(step);
      case "is refused":
        return this.#isRefused();
    }
  }

  async #reads(step: Step): Promise<void> {
    await this.#whole(step, this.#ask(step));
  }

  async #asksForJson(step: Step): Promise<void> {
    const reply = await this.#caller.askForJson(question(step.script, step.tag)).reply();
    const failed = reply.headers["x-query-id"];
    if (reply.status >= 500 && typeof failed === "string") {
      throw new FailedAnswer(failed, JSON.parse(reply.text));
    }
    const { queryId, answer: text } = answerBody(reply);
    this.#read(step, queryId, text);
  }

  async #leaves(step: Step, options: AskOptions, entry: Entry): Promise<void> {
    const exchange = this.#ask(step, options);
    const queryId = await this.#until(step, exchange);
    this.book.note(queryId, entry);
    exchange.disconnect();
  }

  async #resumes(step: Step): Promise<void> {
    const first = this.#ask(step, { onDisconnect: "wait" });
    const queryId = await this.#until(step, first);
    const events = counted(first.events);
    first.disconnect();
    await delay(step.awayMs);
    const path = `/api/v1/ai/queries/${queryId}/events?after=${events.length}`;
    const second = this.#caller.exchange("GET", path);
    await second.untilEnd();
    // The rest of a stream begins in its middle.
    const rest = second.events;
    expectDone(queryId, rest);
    this.#read(step, queryId, textOf([...events, ...rest]));
  }

  async #cancels(step: Step): Promise<void> {
    const exchange = this.#ask(step);
    const queryId = await this.#until(step, exchange);
    this.book.note(queryId, refunded(step, "cancelled"));
    await this.#caller.json("POST", `/ai/queries/${queryId}/cancel`);
    await exchange.untilEnd();
    this.#ends(step, exchange, "CANCELLED");
  }

  async #meetsAFailure(step: Step): Promise<void> {
    const exchange = this.#ask(step);
    this.book.note(await begun(exchange), refunded(step, "failed"));
    await exchange.untilEnd();
    this.#ends(step, exchange, step.script.fault === "silent" ? "GENERATION_TIMEOUT" : undefined);
  }

  async #repeats(step: Step): Promise<void> {
    const first = await this.#whole(step, this.#ask(step, {}, step.tag));
    const again = this.#ask(step, {}, step.tag);
    const second = await this.#whole(step, again);
    if (first !== second) this.book.surprise(`${step.tag}: the same key is another question`);
    if (again.headers["idempotency-replayed"] !== "true") {
      this.book.surprise(`${step.tag}: the stored answer was not replayed`);
    }
  }

  async #asksTwiceAtOnce(step: Step): Promise<void> {
    const [first, second] = await Promise.all([
      this.#whole(step, this.#ask(step, {}, step.tag)),
      this.#whole(step, this.#ask(step, {}, step.tag)),
    ]);
    if (first !== second) this.book.surprise(`${step.tag}: the same key is another question`);
  }

  async #isRefused(): Promise<void> {
    const { status } = await this.#caller.call("POST", "/ai/ask", { body: { question: "?" } });
    if (status !== 400) this.book.surprise(`a wrong body is answered with ${status}`);
  }

  #ask({ script, tag }: Step, options: AskOptions = {}, key?: string): Exchange {
    return this.#caller.ask(question(script, tag), options, key);
  }

  /** Reads a stream that must become whole. Returns its query's id. */
  async #whole(step: Step, exchange: Exchange): Promise<string> {
    const queryId = await begun(exchange);
    await exchange.untilEnd();
    const events = judge(exchange.body);
    expectDone(queryId, events);
    this.#read(step, queryId, textOf(events));
    return queryId;
  }

  #read(step: Step, queryId: string, text: string): void {
    this.book.note(queryId, { ...charged(step), answer: text });
    if (text !== answer(step.script)) {
      this.book.surprise(`${queryId}: its client read another answer than the model sent`);
    }
  }

  /** Waits for the tokens after which the user acts. */
  async #until({ after }: Step, exchange: Exchange): Promise<string> {
    const queryId = await begun(exchange);
    const { events } = exchange;
    await exchange.untilEvent(({ type }) => type === "error" || tokens(events) >= after);
    const failed = events.find((event) => event.type === "error");
    if (failed !== undefined) throw new FailedAnswer(queryId, failed);
    return queryId;
  }

  #ends(step: Step, exchange: Exchange, code: string | undefined): void {
    const last = judge(exchange.body).at(-1);
    if (last?.type === "error" && (code === undefined || last.code === code)) return;
    const ended = last?.type === "error" ? last.code : last?.type;
    this.book.surprise(`${step.tag} (${step.action}): the stream ended with ${ended}`);
  }
}

function charged({ action, script }: Step): Entry {
  return { action, state: "charged", reason: null, answer: answer(script) };
}

function refunded({ action, script }: Step, reason: RefundReason): Entry {
  const what = script.fault === undefined ? action : `${action}: ${script.fault}`;
  return { action: what, state: "refunded", reason, answer: null };
}

/** The events that `after` counts. */
function counted(events: readonly StreamEvent[]): readonly StreamEvent[] {
  return events.filter(({ type }) => type !== "ping");
}

function tokens(events: readonly StreamEvent[]): number {
  return events.filter(({ type }) => type === "token").length;
}

function textOf(events: readonly StreamEvent[]): string {
  return events.map((event) => (event.type === "token" ? event.token : "")).join("");
}

function expectDone(queryId: string, events: readonly StreamEvent[]): void {
  const last = events.at(-1);
  if (last?.type === "error") throw new FailedAnswer(queryId, last);
  if (last?.type !== "done") throw new Error(`the stream ended with ${last?.type ?? "nothing"}`);
}
