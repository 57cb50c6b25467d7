// A call to an upstream model or index. It ends as soon
// as the signal aborts. Its errors never quote the
// upstream's: those may repeat the text that was sent.

import { abortable } from "../deadline.ts";
import { ServiceError } from "../errors.ts";

/**
 * Throws RETRIEVAL_FAILED if the request fails. The message
 * names `who` and adds what `reason` says of the error.
 */
export async function call<T>(
  who: string,
  request: () => Promise<T>,
  reason: (thrown: unknown) => string,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  try {
    // Some bindings take no signal.
    return await abortable(request(), signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ServiceError) throw error;
    throw failure(`${who} failed${reason(error)}.`, error);
  }
}

/** `what` is a sentence that quotes nothing from upstream. */
export function failure(what: string, cause?: unknown): ServiceError {
  return new ServiceError("RETRIEVAL_FAILED", what, { cause });
}
