// What the console calls reasons, states and changes.

import type { Receipt, RefundReason } from "../../protocol.ts";

/** In the order of the charts. */
export const REASONS: Readonly<Record<RefundReason, string>> = {
  nothing_found: "nothing found",
  disconnected: "disconnected",
  cancelled: "stopped",
  failed: "failed",
  expired: "server went down",
  operator: "by an operator",
};

export const REASON_NAMES = Object.keys(REASONS) as RefundReason[];

type Ended = Pick<Receipt, "state" | "reason">;

/** Such as "refunded: stopped". */
export function ending({ state, reason }: Ended): string {
  if (state === "reserved") return "being written";
  return reason === null ? state : `${state}: ${REASONS[reason]}`;
}

/** Which colour an ending has. */
export function stateKind({ state, reason }: Ended): "good" | "bad" | "even" {
  if (state === "charged") return "good";
  return reason === "failed" || reason === "expired" ? "bad" : "even";
}

const ACTIONS: Readonly<Record<string, string>> = {
  "PATCH /admin/budget": "Changed the budget",
  "PATCH /admin/users/:userId": "Changed a user",
  "DELETE /admin/users/:userId": "Erased a user",
  "POST /admin/users/limits": "Changed limits by a file",
  "POST /admin/users/:userId/queries/:id/refund": "Refunded an answer",
  "PUT /admin/documents/:id": "Saved a document",
  "DELETE /admin/documents/:id": "Deleted a document",
  "POST /admin/documents/:id/move": "Moved a document",
  "POST /admin/import": "Imported documents",
  "PATCH /admin/collections/:collection": "Renamed a collection",
  "DELETE /admin/collections/:collection": "Deleted a collection",
};

/** What an operator did, as the log has it: a method and a route. */
export function actionName(action: string): string {
  return ACTIONS[action.replace("/collections/:collection/documents", "/documents")] ?? action;
}

const CHANGES: Readonly<Record<string, (value: unknown) => string>> = {
  limit: (value) => (value === null ? "no own limit" : `limit ${value}`),
  anonymousLimit: (value) =>
    value === null ? "the variable's limit" : `limit without a token ${value}`,
  usd: (value) => (value === null ? "the variable's limit" : `$${value}`),
  refundLimit: (value) => (value === null ? "no own refund limit" : `refund limit ${value}`),
  blocked: (value) => (value === true ? "blocked" : "unblocked"),
  name: (value) => `now ${value}`,
  id: (value) => `query ${value}`,
};

/** What was set, as the log has it: an object. */
export function changeName(change: unknown): string {
  if (change === null || typeof change !== "object") return "";
  return Object.entries(change)
    .map(([name, value]) => CHANGES[name]?.(value) ?? `${name} ${JSON.stringify(value)}`)
    .join(", ");
}
