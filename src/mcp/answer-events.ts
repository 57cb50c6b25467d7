// Reads the event stream of an ask (docs/protocol.md): events as they come.

import type { StreamEvent } from "../protocol.ts";

const PREFIX = "data: ";

/**
 * The events of each read, which may be none. The stream is read to its end,
 * and cancelled if the caller stops before or the signal fires.
 */
export async function* eventsOf(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<readonly StreamEvent[]> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel);
  let rest = "";
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const frames = (rest + decoder.decode(read.value, { stream: true })).split("\n\n");
      rest = frames.pop() ?? "";
      yield frames.map((frame) => JSON.parse(frame.slice(PREFIX.length)));
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}
