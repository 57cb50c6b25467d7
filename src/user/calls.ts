// The calls of MCP clients that are being answered. An older client cancels a
// call by a message of its own, and leaves the stream open. They are in memory,
// as runs are.

import type { Asks } from "./asks.ts";
import { CALL_HEADER } from "./user-request.ts";

/** Cancels that came before their calls: the oldest are forgotten first. */
const EARLY_MAX = 64;
/** A call that comes later than this is answered, in milliseconds. */
const EARLY_MS = 60_000;

export class Calls {
  readonly #asks: Asks;
  /** Query ids by call. */
  readonly #queries = new Map<string, string>();
  /** When a call was cancelled that has not come yet. */
  readonly #early = new Map<string, number>();

  constructor(asks: Asks) {
    this.#asks = asks;
  }

  /** An ask, which may be a call, is being answered. */
  begin({ headers }: Request, response: Response): void {
    const call = headers.get(CALL_HEADER);
    const queryId = response.headers.get("x-query-id");
    if (call === null || queryId === null) return;
    const { runs } = this.#asks;
    for (const [other, id] of this.#queries) if (!runs.has(id)) this.#queries.delete(other);
    this.#queries.set(call, queryId);
    const cancelledAt = this.#early.get(call);
    this.#early.delete(call);
    if (cancelledAt === undefined || Date.now() - cancelledAt > EARLY_MS) return;
    // Not awaited: a whole answer waits for the reader of this response. If the
    // cancel fails, the answer goes on like one that was not cancelled.
    this.#asks.cancel(queryId).catch(() => {});
  }

  /** Cancels a call now, or when it comes. */
  async cancel(call: string): Promise<void> {
    const queryId = this.#queries.get(call);
    if (queryId !== undefined) return this.#asks.cancel(queryId);
    this.#early.delete(call);
    this.#early.set(call, Date.now());
    const [oldest = ""] = this.#early.keys();
    if (this.#early.size > EARLY_MAX) this.#early.delete(oldest);
  }

  clear(): void {
    this.#queries.clear();
    this.#early.clear();
  }
}
