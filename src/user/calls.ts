// The calls of MCP clients that are being answered, by which an older client
// cancels: it sends a message of its own, and leaves the stream open. In
// memory, like the runs.

import type { Asks } from "./asks.ts";
import { CALL_HEADER } from "./user-request.ts";

/** Calls that were cancelled before they came. */
const EARLY_MAX = 64;

export class Calls {
  readonly #asks: Asks;
  /** Query ids by call. */
  readonly #queries = new Map<string, string>();
  readonly #early = new Set<string>();

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
    // Not awaited: a whole answer waits for the reader of this response. If it
    // fails, the answer goes on like one that was not cancelled.
    if (this.#early.delete(call)) this.#asks.cancel(queryId).catch(() => {});
  }

  /** Cancels a call now, or when it comes. */
  async cancel(call: string): Promise<void> {
    const queryId = this.#queries.get(call);
    if (queryId !== undefined) await this.#asks.cancel(queryId);
    else this.#early.add(call);
    const [oldest] = this.#early;
    if (this.#early.size > EARLY_MAX && oldest !== undefined) this.#early.delete(oldest);
  }
}
