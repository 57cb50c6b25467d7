// Reads a model's body to the end of its completion, for every
// generator that asks a model. It stops the model on every way out.
// completion.ts interprets the text.

import type { OnText, Usage } from "../answer/generator.ts";
import { type Details, ServiceError } from "../errors.ts";
import type { Finish } from "../protocol.ts";
import { Completion } from "./completion.ts";

export interface Reading {
  readonly maxTokens: number;
  /** The model's name, and the address of its server. */
  readonly model: { readonly name: string; readonly address: string };
  readonly onText: OnText;
  /** Called for each part of the body without text. */
  readonly onSignOfLife: (() => void) | undefined;
  /** Called once the body was read, if the model counts its tokens. */
  readonly onUsage: ((usage: Usage) => void) | undefined;
  /** The cause of a failure. It may quote the model. */
  complaint(detail: string): unknown;
}

/**
 * How long to wait for more after a finish reason, in ms. Longer after
 * a reason with text: some servers send a reason with every piece.
 */
const END_WAIT_MS = { surely: 1000, maybe: 10_000 };

/** Reads the answer, and resolves with why it ended. */
export async function complete(
  stream: ReadableStream<Uint8Array>,
  { maxTokens, model, onText, onSignOfLife, onUsage, complaint }: Reading,
  signal: AbortSignal,
): Promise<Finish> {
  const completion = new Completion(maxTokens, model);
  // Invalid UTF-8 fails: no user pays for replacement characters.
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  const body = stream.getReader();
  let isStopped = false;
  // A model that is not stopped generates, and bills, to its end.
  // Cancelling may fail after an end: ignored.
  const stop = () => {
    isStopped = true;
    body.cancel().catch(() => {});
  };
  let broken: unknown;
  let endTimer: number | null = null;
  let texts = 0;
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop);
  try {
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
      if (isStopped) signal.throwIfAborted();
      if (text !== undefined) completion.feed(text);
      // A stream that we stopped after a finish reason ended well.
      else completion.end(broken === undefined || isStopped ? "ended" : "broken");
      const pieces = completion.take();
      if (pieces.length === 0) onSignOfLife?.();
      for (const piece of pieces) onText(piece);
      const { finishing } = completion;
      // Any text restarts the wait.
      if (completion.texts > texts) {
        texts = completion.texts;
        clearTimeout(endTimer);
        endTimer = null;
      }
      if (finishing !== undefined && !completion.ended) {
        endTimer ??= setTimeout(stop, END_WAIT_MS[finishing]);
      }
    }
  } finally {
    clearTimeout(endTimer);
    signal.removeEventListener("abort", stop);
    stop();
  }
  if (completion.usage !== undefined) onUsage?.(completion.usage);
  const outcome = completion.outcome();
  if ("finish" in outcome) return outcome.finish;
  throw failure(outcome.failure, {
    cause: broken ?? complaint(outcome.detail),
    diagnosis: outcome.diagnosis,
  });
}

export function failure(
  message: string,
  details: Pick<Details, "cause" | "diagnosis" | "isUnbilled">,
) {
  return new ServiceError("GENERATION_FAILED", message, details);
}
