// The calls of MCP clients that are being answered, by which an older client
// cancels: it sends a message of its own, and leaves the stream open. In
// memory, like the runs.

import type { Asks } from "./asks.ts";

/** Calls that were cancelled before they came. */
const EARLY_MAX = 64;

export class Calls {
  readonly #asks: Pick<Asks, "runs" | "cancel">;
  /** Query ids by call. */
  readonly #queries = new Map<string, string>();
  readonly #early = new Set<string>();

  constructor(asks: Pick<Asks, "runs" | "cancel">) {
    this.#asks = asks;
  }

  /** A call is being answered. Cancels it if it was cancelled before it came. */
  async begin(call: string, { headers }: Response): Promise<void> {
    const queryId = headers.get("x-query-id");
    if (queryId === null) return;
    for (const [other, id] of this.#queries) {
      if (!this.#asks.runs.has(id)) this.#queries.delete(other);
    }
    this.#queries.set(call, queryId);
    if (this.#early.delete(call)) await this.#asks.cancel(queryId);
  }

  async cancel(call: string): Promise<Response> {
    const queryId = this.#queries.get(call);
    if (queryId === undefined) this.#remember(call);
    else await this.#asks.cancel(queryId);
    return new Response(null, { status: 204 });
  }

  #remember(call: string): void {
    this.#early.add(call);
    const [oldest] = this.#early;
    if (this.#early.size > EARLY_MAX && oldest !== undefined) this.#early.delete(oldest);
  }
}
