// The events of a response, as they arrive.

import { createParser } from "eventsource-parser";
import type { StreamEvent } from "../protocol.ts";

/** In characters; an event is never that long, so whoever sends it is not Belay. */
const EVENT_LENGTH_MAX = 4 * 1024 * 1024;

/**
 * Hands on each event until the body ends or `signal` aborts, and says whenever anything arrived.
 * An event that is cut off is none. Rejects if the body breaks, or holds what is no event.
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
  // Not every fetch passes an abort on to a body. Cancelling fails where the body is broken already.
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
