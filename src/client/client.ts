// belay/client: asks, reads and rates, in browsers, Workers, Node, Deno and Bun.
// This file is its whole public surface. answer.ts keeps the connection.

import type { Quota, Rating, Receipt, Turn } from "../protocol.ts";
import { Answer, type AnswerOptions } from "./answer.ts";
import { type ClientOptions, Connection } from "./connection.ts";

export type {
  DoneEvent,
  ErrorCode,
  Finish,
  OnDisconnect,
  QueryState,
  Quota,
  QuotaPeriod,
  Rating,
  Receipt,
  RefundReason,
  Source,
  SourcesEvent,
  StartEvent,
  TokenEvent,
  Turn,
} from "../protocol.ts";
export type { Answer, AnswerEvent, AnswerOptions, Outcome, Retry } from "./answer.ts";
export type { ClientOptions, Fetch, TokenOption } from "./connection.ts";
export {
  BelayError,
  CancelledError,
  type ClientErrorCode,
  ConnectionLostError,
  QuotaExceededError,
} from "./errors.ts";

export interface AskOptions extends AnswerOptions {
  readonly topK?: number | undefined;
  readonly maxTokens?: number | undefined;
  readonly temperature?: number | undefined;
  readonly history?: readonly Turn[] | undefined;
  /** Where to search. Default: in all collections that the user may read. */
  readonly collections?: readonly string[] | undefined;
  /** Default: a new one for each ask. Keep one to repeat an ask after a reload. */
  readonly idempotencyKey?: string | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface QueriesOptions extends CallOptions {
  readonly limit?: number | undefined;
  /** `before` of the last page. */
  readonly before?: string | undefined;
  /**
   * Only queries whose question or answer has all of these words. A page may be
   * empty and not the last: go on until `before` is null.
   */
  readonly search?: string | undefined;
}

/** A page of the user's receipts, newest first. */
export interface Queries {
  readonly queries: readonly Receipt[];
  /** Start of the next page; null if there is none. */
  readonly before: string | null;
}

export function createClient(options: ClientOptions): Client {
  return new Client(options);
}

export class Client {
  readonly #connection: Connection;

  constructor(options: ClientOptions) {
    this.#connection = new Connection(options);
  }

  /** Asks at once. The answer grows as events arrive. */
  ask(query: string, options: AskOptions = {}): Answer {
    const { topK, maxTokens, temperature, history, collections } = options;
    const { idempotencyKey = newKey() } = options;
    // One body for all tries: the key with another body is refused.
    const body = JSON.stringify({
      query,
      topK,
      maxTokens,
      temperature,
      history,
      collections,
      onDisconnect: "wait",
    });
    const question = { body, idempotencyKey };
    return new Answer(this.#connection, options, question, undefined);
  }

  /** Reads an answer from its first event, free; live if it is unfinished. */
  events(queryId: string, options: AnswerOptions = {}): Answer {
    return new Answer(this.#connection, options, undefined, queryId);
  }

  quota(options: CallOptions = {}): Promise<Quota> {
    return this.#connection.json("/ai/quota", options);
  }

  queries({ limit = 20, before, search, signal }: QueriesOptions = {}): Promise<Queries> {
    const from = before ? `&before=${encodeURIComponent(before)}` : "";
    const having = search ? `&search=${encodeURIComponent(search)}` : "";
    return this.#connection.json(`/ai/queries?limit=${limit}${from}${having}`, { signal });
  }

  /** The receipt of one query. */
  query(queryId: string, options: CallOptions = {}): Promise<Receipt> {
    return this.#connection.json(`/ai/queries/${encodeURIComponent(queryId)}`, options);
  }

  /**
   * Deletes the question and the answer of a query; its receipt stays, without
   * texts. The second time changes nothing. Rejects with NOT_FINISHED while the
   * answer is being written.
   */
  delete(queryId: string, options: CallOptions = {}): Promise<void> {
    return this.#connection.json(`/ai/queries/${encodeURIComponent(queryId)}`, {
      ...options,
      method: "DELETE",
    });
  }

  /**
   * Rates an answer. Rating null removes rating and comment; comment null removes
   * the comment. Without `comment` it stays.
   */
  async feedback(queryId: string, rating: Rating | null, comment?: string | null): Promise<void> {
    await this.#connection.json("/ai/feedback", {
      method: "POST",
      body: JSON.stringify({ queryId, rating, comment }),
    });
  }
}

/** Pages without HTTPS have no randomUUID. */
function newKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}
