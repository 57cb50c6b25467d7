// A call that is given up when it takes too long. It leaves no timer behind: one that waits would keep a
// Durable Object in memory, which is billed.

import { ServiceError } from "./errors.ts";

/**
 * What the call answers. Its signal aborts after so long, with a ServiceError RETRIEVAL_FAILED as the
 * reason, which begins with `who`, and together with `outer`; the call has to heed it.
 */
export async function within<T>(
  ms: number,
  who: string,
  call: (signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  const late = new AbortController();
  const message = `${who} gave no answer within ${ms} ms.`;
  const timer = setTimeout(() => late.abort(new ServiceError("RETRIEVAL_FAILED", message)), ms);
  try {
    return await call(outer === undefined ? late.signal : AbortSignal.any([outer, late.signal]));
  } finally {
    clearTimeout(timer);
  }
}
