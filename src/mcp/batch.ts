// The messages of one body, before any of them is answered.

import { isJSONRPCNotification, isJSONRPCRequest } from "@modelcontextprotocol/server";
import { ServiceError } from "../errors.ts";

/** Messages in one body. Only older clients send more than one. */
const BATCH_MAX = 10;

/**
 * Throws INVALID_REQUEST if two calls have one id, since only one of their
 * answers would arrive, or if a call is cancelled by the body that makes it.
 */
export function checkBatch(body: unknown): void {
  if (!Array.isArray(body)) return;
  if (body.length > BATCH_MAX) {
    const message = `Send at most ${BATCH_MAX} messages in one body.`;
    throw new ServiceError("PAYLOAD_TOO_LARGE", message);
  }
  const ids = body.filter((message) => isJSONRPCRequest(message)).map(({ id }) => id);
  if (new Set(ids).size < ids.length) {
    throw new ServiceError("INVALID_REQUEST", "Give each request of a body an id of its own.");
  }
  if (cancelledIn(body).some((id) => ids.some((other) => other === id))) {
    throw new ServiceError("INVALID_REQUEST", "A body must not cancel a request of its own.");
  }
}

/** The ids of the calls that a client cancels. Only older ones send that. */
export function cancelledIn(body: unknown): unknown[] {
  return [body]
    .flat()
    .filter((message) => isJSONRPCNotification(message))
    .filter(({ method }) => method === "notifications/cancelled")
    .map(({ params }) => params?.requestId);
}
