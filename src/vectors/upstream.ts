// A call to somebody else's model or index: given up as soon as the signal aborts, and its failure told
// without its words, which may repeat the text that it was sent.

import { abortable } from "../deadline.ts";
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
  try {
    // Not every binding takes a signal.
    return await abortable(request(), signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ServiceError) throw error;
    throw failure(`${who} failed${reason(error)}.`, error);
  }
}

/** `what` is a sentence of our own. */
export function failure(what: string, cause?: unknown): ServiceError {
  return new ServiceError("RETRIEVAL_FAILED", what, { cause });
}
