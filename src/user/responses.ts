// OpenAI's Responses for one user: made, read again, cancelled. Whether an
// answer is charged is decided in asks.ts.

import type { IRequest } from "itty-router";
import { ServiceError } from "../errors.ts";
import { json } from "../formats/json.ts";
import {
  type Chosen,
  eventsUpTo,
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
import type { QueryRow } from "./queries.ts";
import type { QueryLog } from "./query-log.ts";
import type { Quota } from "./quota.ts";
import { receipt, wasWhole } from "./receipt.ts";
import { notKept } from "./refusals.ts";
import type { Subscriber } from "./subscription.ts";
import type { Tables } from "./tables.ts";
import { Transcript } from "./transcript.ts";
import { identityOf, idOf, subscriberOf } from "./user-request.ts";

export class Responses {
  readonly #asks: Asks;
  readonly #log: QueryLog;
  readonly #tables: Tables;
  readonly #quota: Quota;

  constructor(asks: Asks, log: QueryLog, tables: Tables, quota: Quota) {
    this.#asks = asks;
    this.#log = log;
    this.#tables = tables;
    this.#quota = quota;
  }

  /**
   * The response of an answer that goes on without its client, as JSON instead
   * of its events.
   */
  async asJson(events: Response, identity: string | null): Promise<Response> {
    await events.body?.cancel();
    return this.#current(this.#log.find(events.headers.get("x-query-id") ?? "", identity));
  }

  /** A response as it is now or, with `stream=true`, its events. */
  async retrieve(request: IRequest): Promise<Response> {
    const row = this.#findOwn(request);
    const reader = readerOfEvents(request, row);
    return reader === undefined ? this.#current(row) : this.#asks.resume(row.id, reader);
  }

  /** The response to a HEAD: it is no reader of the events. */
  head(request: IRequest): Response {
    const row = this.#findOwn(request);
    const reader = readerOfEvents(request, row);
    if (reader !== undefined) return this.#asks.head(row, reader);
    return new Response(null, this.#current(row));
  }

  async cancel(request: IRequest): Promise<Response> {
    const { id } = this.#findOwn(request);
    await this.#asks.cancel(id);
    return this.#current(this.#findOwn(request));
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

  /** A response as it is now. */
  #current(row: QueryRow): Response {
    if (wasWhole(row) && row.answer === null) throw notKept();
    const tokens = row.answer === null ? [] : Transcript.of(row).tokens;
    const remaining = this.#quota.remaining(Date.now());
    return json(storedResponse(receipt(row), tokens, chosenBy(row), remaining));
  }

  #findOwn(request: IRequest): QueryRow {
    return this.#log.find(queryIdOf(idOf(request.params)), identityOf(request));
  }
}

/** Undefined for a request without `stream=true`. */
function readerOfEvents(request: IRequest, row: QueryRow): Subscriber | undefined {
  const { searchParams } = new URL(request.url);
  const stream = searchParams.get("stream") ?? "false";
  if (stream === "false") return undefined;
  if (stream !== "true") throw wrongParameter("stream", "true or false");
  const last = startingAfter(searchParams);
  return subscriberOf(request, responseEvents(chosenBy(row), last), eventsUpTo(last));
}

/** What is stored of what the request chose. */
function chosenBy({ on_disconnect, previous }: QueryRow): Chosen {
  return {
    ...NOTHING_CHOSEN,
    background: on_disconnect === "continue",
    previousResponseId: previous === null ? null : responseId(previous),
  };
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
