// OpenAI's Responses for one user: made, read again, cancelled. Whether an
// answer is charged is decided in asks.ts.

import { ServiceError } from "../errors.ts";
import { json } from "../formats/json.ts";
import {
  eventsUpTo,
  isPruned,
  NOTHING_CHOSEN,
  queryIdOf,
  responseEvents,
  responseId,
  storedResponse,
} from "../formats/openai-responses.ts";
import type { Asked } from "../formats/surface.ts";
import { type Ask, HISTORY_TURNS_MAX, type Turn } from "../protocol.ts";
import { wholeParameter, wrongParameter } from "../request.ts";
import type { Asks } from "./asks.ts";
import { turnsUpTo } from "./conversation.ts";
import { type QueryRow, receipt } from "./queries.ts";
import type { Quota } from "./quota.ts";
import { noQuery, notKept } from "./refusals.ts";
import type { Subscriber } from "./subscription.ts";
import type { Tables } from "./tables.ts";
import { Transcript } from "./transcript.ts";

export class Responses {
  readonly #asks: Asks;
  readonly #tables: Tables;
  readonly #quota: Quota;

  constructor(asks: Asks, tables: Tables, quota: Quota) {
    this.#asks = asks;
    this.#tables = tables;
    this.#quota = quota;
  }

  /**
   * The response of an answer that goes on by itself, instead of its events:
   * its client does not wait for them.
   */
  async instead(events: Response, identity: string | null): Promise<Response> {
    await events.body?.cancel();
    return this.#now(this.#find(events.headers.get("x-query-id") ?? "", identity));
  }

  /** A response as it is now or, with `stream=true`, its events. */
  async retrieve(
    id: string,
    parameters: URLSearchParams,
    subscriber: Omit<Subscriber, "format" | "after">,
  ): Promise<Response> {
    const row = this.#find(id, subscriber.identity);
    switch (parameters.get("stream") ?? "false") {
      case "false":
        return this.#now(row);
      case "true":
        return this.#resume(row, startingAfter(parameters), subscriber);
      default:
        throw wrongParameter("stream", "true or false");
    }
  }

  #resume(
    row: QueryRow,
    startingAfter: number,
    subscriber: Omit<Subscriber, "format" | "after">,
  ): Promise<Response> {
    const previousResponseId = previousOf(row);
    const background = row.on_disconnect === "continue";
    const chosen = { ...NOTHING_CHOSEN, previousResponseId, background };
    const format = responseEvents(chosen, startingAfter);
    return this.#asks.resume(row.id, { ...subscriber, format, after: eventsUpTo(startingAfter) });
  }

  async cancel(id: string, identity: string | null): Promise<Response> {
    const row = this.#find(id, identity);
    await this.#asks.cancel(row.id);
    return this.#now(this.#find(row.id, identity));
  }

  /**
   * The ask with the turns of the query that it follows. Throws
   * INVALID_REQUEST if there is none, or its answer is still written.
   */
  follow({ ask, previous }: Asked, identity: string | null): Ask {
    if (previous === undefined) return ask;
    const turns = [...this.#turnsUpTo(previous, identity), ...ask.history];
    return { ...ask, history: turns.slice(-HISTORY_TURNS_MAX) };
  }

  #turnsUpTo(previous: string, identity: string | null): Turn[] {
    const row = this.#tables.query(previous);
    if (row === undefined || row.identity !== identity) {
      throw wrongPrevious(
        "There is no such previous response. Send the turns before in input instead.",
        "previous_response_not_found",
      );
    }
    if (row.state === "reserved") {
      throw wrongPrevious("The previous response is still written. Wait until it is complete.");
    }
    return turnsUpTo(row, this.#tables.queries, HISTORY_TURNS_MAX);
  }

  #now(row: QueryRow): Response {
    const shown = receipt(row);
    if (isPruned(shown)) throw notKept();
    const tokens = row.answer === null ? [] : Transcript.of(row).tokens;
    const remaining = this.#quota.remaining(Date.now());
    return json(storedResponse(shown, tokens, previousOf(row), remaining));
  }

  /** Throws NOT_FOUND, also for another identity's. */
  #find(id: string, identity: string | null): QueryRow {
    const row = this.#tables.query(queryIdOf(id));
    if (row === undefined || row.identity !== identity) throw noQuery();
    return row;
  }
}

function previousOf({ previous }: QueryRow): string | null {
  return previous === null ? null : responseId(previous);
}

function startingAfter(parameters: URLSearchParams): number {
  if (!parameters.has("starting_after")) return -1;
  return wholeParameter(parameters, "starting_after", { byDefault: 0, min: 0, max: 999_999_999 });
}

function wrongPrevious(message: string, code?: string): ServiceError {
  return new ServiceError("INVALID_REQUEST", message, {
    openai: { param: "previous_response_id", ...(code !== undefined && { code }) },
  });
}
