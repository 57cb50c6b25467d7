// What a row of the query log says: whether its answer arrived whole and is
// given again, and the receipt that its user reads.

import { withCitations } from "../answer/citations.ts";
import { DEFAULT_COLLECTION, type Receipt } from "../protocol.ts";
import type { AskKey } from "./keys.ts";
import { FALLBACK } from "./payment.ts";
import type { QueryRow } from "./queries.ts";
import { deletedAnswer } from "./refusals.ts";

type Outcome = Pick<QueryRow, "state" | "reason">;

/** Whether the answer arrived whole, even if its text is deleted by now. */
export function wasWhole({ state, reason }: Outcome): boolean {
  return state === "charged" || reason === "nothing_found" || reason === "operator";
}

/**
 * A stored answer that the same ask gets again. After an operator's refund, it
 * gets another.
 */
export function isReplayable(row: Outcome & Pick<QueryRow, "answer">): boolean {
  return row.answer !== null && wasWhole(row) && row.reason !== "operator";
}

/**
 * The answer that an ask gets again. Throws NOT_KEPT if its text is deleted and
 * the client chose the key: a key is charged once.
 */
export function storedAnswer(
  row: QueryRow | undefined,
  { chosen }: Pick<AskKey, "chosen">,
): QueryRow | undefined {
  if (row === undefined || isReplayable(row)) return row;
  const isDeleted = wasWhole(row) && row.answer === null;
  if (chosen && isDeleted && row.reason !== "operator") throw deletedAnswer();
  return undefined;
}

export function receipt(row: QueryRow): Receipt {
  return {
    queryId: row.id,
    state: row.state,
    reason: row.reason,
    window: row.window,
    askedAt: new Date(row.asked_at).toISOString(),
    resolvedAt: row.resolved_at === null ? null : new Date(row.resolved_at).toISOString(),
    onDisconnect: row.on_disconnect,
    collections: row.collections === null ? [DEFAULT_COLLECTION] : JSON.parse(row.collections),
    query: row.query,
    answer: row.answer,
    sources: row.sources === null ? null : withCitations(JSON.parse(row.sources), row.answer ?? ""),
    finish: row.finish,
    found: row.found === null ? null : row.found === 1,
    tokens: row.token_lengths === null ? null : JSON.parse(row.token_lengths).length,
    firstTokenMs: row.first_token_ms,
    totalMs: row.total_ms,
    rewriteMs: row.rewrite_ms,
    rewriteTokens: row.rewrite_tokens,
    fallback: row.budget === FALLBACK,
    feedback:
      row.rating === null && row.comment === null
        ? null
        : { rating: row.rating, comment: row.comment },
  };
}
