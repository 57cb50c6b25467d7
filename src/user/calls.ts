// The calls of MCP clients that are being answered, by which an older client
// cancels: it sends a message of its own, and leaves the stream open. In
// memory, like the runs.

/** Calls that were cancelled before they came. */
const EARLY_MAX = 64;

export class Calls {
  /** Query ids by call. */
  readonly #queries = new Map<string, string>();
  readonly #early = new Set<string>();

  /**
   * A call is being answered. True if it was cancelled before it came.
   * @param isLive Whether a query has a run.
   */
  begin(call: string, queryId: string, isLive: (queryId: string) => boolean): boolean {
    for (const [other, id] of this.#queries) if (!isLive(id)) this.#queries.delete(other);
    this.#queries.set(call, queryId);
    return this.#early.delete(call);
  }

  /** The id of its query, if it has come. */
  cancel(call: string): string | undefined {
    const queryId = this.#queries.get(call);
    if (queryId !== undefined) return queryId;
    this.#early.add(call);
    const [oldest] = this.#early;
    if (this.#early.size > EARLY_MAX && oldest !== undefined) this.#early.delete(oldest);
    return undefined;
  }
}
