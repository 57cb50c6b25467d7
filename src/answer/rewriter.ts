// The interface of a rewriter: it makes a follow-up a query
// of its own. The adapter is in generators/.

import type { Turn } from "../protocol.ts";

export interface Rewrite {
  /** Undefined if the rule of search-query.ts is to search. */
  readonly text: string | undefined;
  /** The tokens that it cost, if the model counts them. */
  readonly tokens: number | undefined;
}

export interface RewriteCost extends Pick<Rewrite, "tokens"> {
  readonly ms: number;
}

export interface Rewriter {
  /**
   * Undefined if the question needs no rewrite and none was tried.
   * Throws only if `signal` aborts, and then at once.
   * @param trace The header `traceparent`.
   */
  rewrite(
    query: string,
    history: readonly Turn[],
    signal: AbortSignal,
    trace?: string,
  ): Promise<Rewrite | undefined>;
}
