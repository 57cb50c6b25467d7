// A model's body, read to the end of the completion in it: what the generators that ask a model share.
// It stops the model on every way out. What a body says is read in completion.ts.

import { ServiceError } from "../errors.ts";
import type { Finish } from "../protocol.ts";
import { Completion } from "./completion.ts";

export interface Question {
  readonly maxTokens: number;
  /** The body of an answer that the model agreed to give. The signal aborts on every way out. */
  ask(signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** What was found wrong, as the log may have it: it may hold what the model said. */
  complaint(detail: string): unknown;
}

/** The text is whole at its finish reason: a model that does not end its stream soon is left. */
const END_WAIT_MS = 1000;

/** Yields the pieces of the answer, and returns why it ended; as a Generator has to. */
export async function* complete(
  { maxTokens, ask, complaint }: Question,
  signal: AbortSignal,
): AsyncGenerator<string, Finish, void> {
  signal.throwIfAborted();
  // Aborted on every way out, since a model that nobody stops generates, and bills, to its end.
  // It is our own because who merely stops reading aborts no signal.
  const upstream = new AbortController();
  const abort = () => upstream.abort(signal.reason);
  signal.addEventListener("abort", abort);
  const completion = new Completion(maxTokens);
  const decoder = new TextDecoder();
  let broken: unknown;
  let endTimer: number | null = null;
  try {
    const body = (await ask(upstream.signal)).getReader();
    // Not every body listens to the signal. That cancelling fails, as after an end, changes nothing.
    const letGo = () => {
      body.cancel().catch(() => {});
    };
    if (upstream.signal.aborted) letGo();
    else upstream.signal.addEventListener("abort", letGo);
    while (!completion.ended) {
      let bytes: Uint8Array | undefined;
      try {
        bytes = (await body.read()).value;
      } catch (error) {
        // Like an end: whether the text was whole by then is for the completion to say.
        broken = error;
      }
      // A body that was cancelled just ends.
      signal.throwIfAborted();
      completion.feed(decoder.decode(bytes, { stream: bytes !== undefined }));
      if (bytes === undefined) completion.end();
      for (const piece of completion.take()) yield piece;
      if (completion.finish !== undefined) {
        endTimer ??= setTimeout(() => upstream.abort(), END_WAIT_MS);
      }
    }
  } finally {
    clearTimeout(endTimer);
    signal.removeEventListener("abort", abort);
    upstream.abort();
  }
  const outcome = completion.outcome();
  if ("finish" in outcome) return outcome.finish;
  throw failure(outcome.failure, broken ?? complaint(outcome.detail));
}

export function failure(message: string, cause: unknown): ServiceError {
  return new ServiceError("GENERATION_FAILED", message, { cause });
}
