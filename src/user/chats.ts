// The AI SDK's chats of one user. The AI SDK looks for an answer by the chat's
// id alone. They are in memory, as runs are.

import type { IRequest } from "itty-router";
import { nothingToResume, UI_MESSAGE } from "../formats/ui-message.ts";
import type { Asks } from "./asks.ts";
import type { QueryRow } from "./queries.ts";
import { isReplayable } from "./receipt.ts";
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

  /** The answer of a chat, from its beginning. */
  async resume(request: IRequest): Promise<Response> {
    const row = this.#find(request);
    if (row === undefined) return nothingToResume();
    return this.#asks.resume(row.id, subscriberOf(request, UI_MESSAGE, 0));
  }

  head(request: IRequest): Response {
    const row = this.#find(request);
    if (row === undefined) return nothingToResume();
    return this.#asks.head(row, subscriberOf(request, UI_MESSAGE, 0));
  }

  /** The last query of the chat, if its answer is awaited. */
  #find(request: IRequest): QueryRow | undefined {
    const queryId = this.#queries.get(keyOf(idOf(request.params), identityOf(request)));
    const row = queryId === undefined ? undefined : this.#tables.query(queryId);
    return row !== undefined && this.#isAwaited(row) ? row : undefined;
  }

  /**
   * The answer is being written. Or it was to wait for its reader and became
   * whole just now: if the network broke, its end may not have arrived.
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
