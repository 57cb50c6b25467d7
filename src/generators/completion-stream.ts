// Reads a model's body to the end of its completion, for every
// generator that asks a model. It stops the model on every way out.
// completion.ts interprets the text.

import { type Details, ServiceError } from "../errors.ts";
import type { Finish } from "../protocol.ts";
import { Completion } from "./completion.ts";

export interface Question {
  readonly maxTokens: number;
  /** The model's name, and the address of its server. */
  readonly model: { readonly name: string; readonly address: string };
  /** Called for each part of the body, whatever its content. */
  readonly onSignOfLife: (() => void) | undefined;
  /** Called once the body was read, if the model counts its tokens. */
  readonly onUsage: ((tokens: number) => void) | undefined;
  /** The body of an accepted request. The signal aborts on every way out. */
  ask(signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** The cause of a failure. It may quote the model. */
  complaint(detail: string): unknown;
}

/**
 * How long to wait for more after a finish reason, in ms. Longer after
 * a reason with text: some servers send a reason with every piece.
 */
const END_WAIT_MS = { surely: 1000, maybe: 10_000 };

/** Yields the pieces of the answer, and returns why it ended. */
export async function* complete(
  { maxTokens, model, onSignOfLife, onUsage, ask, complaint }: Question,
  signal: AbortSignal,
): AsyncGenerator<string, Finish, void> {
  signal.throwIfAborted();
  // A model that is not stopped generates, and bills, to its end. We
  // need our own controller: a consumer that stops iterating never
  // aborts `signal`.
  const upstream = new AbortController();
  const abort = () => upstream.abort(signal.reason);
  signal.addEventListener("abort", abort);
  const completion = new Completion(maxTokens, model);
  // Invalid UTF-8 fails: no user pays for replacement characters.
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let broken: unknown;
  let endTimer: number | null = null;
  let texts = 0;
  try {
    const body = (await ask(upstream.signal)).getReader();
    // Not every body takes a signal. Cancelling may fail after an end: ignored.
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
        // The completion decides whether the text was whole by then.
        broken = error;
      }
      // A cancelled body simply ends.
      signal.throwIfAborted();
      onSignOfLife?.();
      if (text !== undefined) completion.feed(text);
      // A stream that we aborted after a finish reason ended well.
      else completion.end(broken === undefined || upstream.signal.aborted ? "ended" : "broken");
      for (const piece of completion.take()) yield piece;
      const { finishing } = completion;
      // Any text restarts the wait.
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
  if (completion.usage !== undefined) onUsage?.(completion.usage);
  const outcome = completion.outcome();
  if ("finish" in outcome) return outcome.finish;
  throw failure(outcome.failure, {
    cause: broken ?? complaint(outcome.detail),
    diagnosis: outcome.diagnosis,
  });
}

export function failure(message: string, details: Pick<Details, "cause" | "diagnosis">) {
  return new ServiceError("GENERATION_FAILED", message, details);
}
