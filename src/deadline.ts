// Calls with a timeout, and promises that a signal
// can abandon. No timer is left behind: a pending one
// keeps a Durable Object in memory, which is billed.

/**
 * Runs `call` with a timeout. After `ms`, or when `outer`
 * aborts, it rejects at once, and the call's signal aborts
 * with the same reason: `error()`, or that of `outer`.
 */
export async function withTimeout<T>(
  ms: number,
  error: () => Error,
  call: (signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(error()), ms);
  const signal = outer === undefined ? late.signal : AbortSignal.any([outer, late.signal]);
  try {
    return await abortable(call(signal), signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs `call`, and rejects if it has not settled after `ms`. */
export function answeredIn<T>(ms: number, call: () => Promise<T>): Promise<T> {
  return withTimeout(ms, () => new Error(`no answer in ${ms} ms`), call);
}

/**
 * Settles as `promise` does, but rejects with the signal's
 * reason as soon as it aborts. The promise itself goes on:
 * not everything that runs takes a signal.
 */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
