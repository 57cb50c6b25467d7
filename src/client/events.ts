// Reads the events of a response as they arrive.

import { createParser } from "eventsource-parser";
import type { StreamEvent } from "../protocol.ts";

/** In characters. Belay sends no event that long. */
const EVENT_LENGTH_MAX = 4 * 1024 * 1024;

/**
 * Calls `onEvent` until the body ends or `signal` aborts, and `onBytes` whenever
 * bytes arrive. Ignores an event that is cut off. Rejects if the body breaks or
 * is not an event stream.
 */
export async function readEvents(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  onBytes: () => void,
  onEvent: (event: StreamEvent) => void,
): Promise<void> {
  const parser = createParser({
    maxBufferSize: EVENT_LENGTH_MAX,
    onEvent: ({ data }) => onEvent(JSON.parse(data)),
  });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  // Not every fetch aborts the body too. Cancelling a broken body fails.
  signal.addEventListener("abort", () => {
    reader.cancel().catch(() => {});
  });
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onBytes();
    parser.feed(decoder.decode(value, { stream: true }));
  }
}
