// A call to somebody else's model or index: given up as soon as the signal aborts, and its failure told
// without its words, which may repeat the text that it was sent.

import { ServiceError } from "../errors.ts";

/**
 * What the request is answered. Where it fails, or the answer cannot be used, it throws a ServiceError
 * RETRIEVAL_FAILED: `who`, a verb, and whatever is known of the reason.
 */
export async function call<T>(
  who: string,
  request: () => Promise<T>,
  reason: (thrown: unknown) => string,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  const left = Promise.withResolvers<never>();
  // Not every binding takes a signal: whatever comes after it is let go.
  const leave = () => left.reject(signal.reason);
  signal.addEventListener("abort", leave);
  try {
    return await Promise.race([request(), left.promise]);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ServiceError) throw error;
    throw failure(`${who} failed${reason(error)}.`, error);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

/** `what` is a sentence of our own. */
export function failure(what: string, cause?: unknown): ServiceError {
  return new ServiceError("RETRIEVAL_FAILED", what, { cause });
}
