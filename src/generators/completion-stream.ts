// A model's body, read to the end of the completion in it: what the generators that ask a model share.
// It stops the model on every way out. What a body says is read in completion.ts.

import { type Details, ServiceError } from "../errors.ts";
import type { Finish } from "../protocol.ts";
import { Completion } from "./completion.ts";

export interface Question {
  readonly maxTokens: number;
  /** The model's name, and the address of its server. */
  readonly model: { readonly name: string; readonly address: string };
  /** Called with each part of the body, whatever is in it. */
  readonly onSignOfLife: (() => void) | undefined;
  /** The body of an answer that the model agreed to give. The signal aborts on every way out. */
  ask(signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** What was found wrong, as a cause: it may hold what the model said. */
  complaint(detail: string): unknown;
}

/**
 * How long a stream may be silent after a finish reason, in ms, before it is left: the text is whole.
 * Longer where text came with the reason, since some servers send one with every piece; those that do
 * are not left.
 */
const END_WAIT_MS = { surely: 1000, maybe: 10_000 };

/** Yields the pieces of the answer, and returns why it ended; as a Generator has to. */
export async function* complete(
  { maxTokens, model, onSignOfLife, ask, complaint }: Question,
  signal: AbortSignal,
): AsyncGenerator<string, Finish, void> {
  signal.throwIfAborted();
  // Aborted on every way out, since a model that is not stopped generates, and bills, to its end.
  // It is our own because a consumer that stops reading aborts no signal.
  const upstream = new AbortController();
  const abort = () => upstream.abort(signal.reason);
  signal.addEventListener("abort", abort);
  const completion = new Completion(maxTokens, model);
  // Bytes that are no UTF-8 are damaged text: replaced characters would be charged for.
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let broken: unknown;
  let endTimer: number | null = null;
  let texts = 0;
  try {
    const body = (await ask(upstream.signal)).getReader();
    // Not every body listens to the signal. That cancelling fails, as after an end, changes nothing.
    const cancel = () => {
      body.cancel().catch(() => {});
    };
    if (upstream.signal.aborted) cancel();
    else upstream.signal.addEventListener("abort", cancel);
    while (!completion.ended) {
      let text: string | undefined;
      try {
        const { value } = await body.read();
        text = value && decoder.decode(value, { stream: true });
        if (value === undefined) decoder.decode();
      } catch (error) {
        // Like an end: whether the text was whole by then is for the completion to say.
        broken = error;
      }
      // A body that was cancelled just ends.
      signal.throwIfAborted();
      onSignOfLife?.();
      if (text !== undefined) completion.feed(text);
      // A stream that was left after a finish reason ended well.
      else completion.end(broken === undefined || upstream.signal.aborted ? "ended" : "broken");
      for (const piece of completion.take()) yield piece;
      const { finishing } = completion;
      // Only silence ends a stream: any text begins the wait again.
      if (completion.texts > texts) {
        texts = completion.texts;
        clearTimeout(endTimer);
        endTimer = null;
      }
      if (finishing !== undefined && !completion.ended) {
        endTimer ??= setTimeout(() => upstream.abort(), END_WAIT_MS[finishing]);
      }
    }
  } finally {
    clearTimeout(endTimer);
    signal.removeEventListener("abort", abort);
    upstream.abort();
  }
  const outcome = completion.outcome();
  if ("finish" in outcome) return outcome.finish;
  throw failure(outcome.failure, {
    cause: broken ?? complaint(outcome.detail),
    diagnosis: completion.diagnosis,
  });
}

export function failure(message: string, details: Pick<Details, "cause" | "diagnosis">) {
  return new ServiceError("GENERATION_FAILED", message, details);
}
