// The AI SDK's chats of one user: it looks for an answer
// by the chat's id alone. In memory, as runs are.

import type { IRequest } from "itty-router";
import { nothingToResume, UI_MESSAGE } from "../formats/ui-message.ts";
import type { Asks } from "./asks.ts";
import { isReplayable, type QueryRow } from "./queries.ts";
import type { Tables } from "./tables.ts";
import { identityOf, idOf, subscriberOf } from "./user-request.ts";

/** The oldest are forgotten first. */
const CHATS_MAX = 256;

export class Chats {
  readonly #asks: Asks;
  readonly #tables: Tables;
  readonly #config: () => { readonly resumeWaitMs: number };
  /** The last query of each chat. */
  readonly #queries = new Map<string, string>();

  constructor(asks: Asks, tables: Tables, config: () => { readonly resumeWaitMs: number }) {
    this.#asks = asks;
    this.#tables = tables;
    this.#config = config;
  }

  /** @param identity Another reader's chat is another chat. */
  add(chat: string, identity: string | null, queryId: string): void {
    const key = keyOf(chat, identity);
    this.#queries.delete(key);
    this.#queries.set(key, queryId);
    const [oldest = ""] = this.#queries.keys();
    if (this.#queries.size > CHATS_MAX) this.#queries.delete(oldest);
  }

  /** The answer of a chat, from its beginning. HEAD is no reader. */
  resume(request: IRequest): Promise<Response> | Response {
    const queryId = this.#queries.get(keyOf(idOf(request.params), identityOf(request)));
    const row = queryId === undefined ? undefined : this.#tables.query(queryId);
    if (row === undefined || !this.#isAwaited(row)) return nothingToResume();
    const subscriber = subscriberOf(request, UI_MESSAGE, 0);
    if (request.method !== "HEAD") return this.#asks.resume(row.id, subscriber);
    return new Response(null, { headers: this.#asks.peek(row, subscriber) });
  }

  /**
   * It is being written. Or it was to wait for its reader, and
   * became whole just now: where the network broke, its end
   * may not have arrived.
   */
  #isAwaited(row: QueryRow): boolean {
    if (this.#asks.runs.has(row.id)) return true;
    const endsAt = (row.resolved_at ?? 0) + this.#config().resumeWaitMs;
    return row.on_disconnect !== "cancel" && isReplayable(row) && Date.now() < endsAt;
  }

  clear(): void {
    this.#queries.clear();
  }
}

function keyOf(chat: string, identity: string | null): string {
  return JSON.stringify([identity, chat]);
}
