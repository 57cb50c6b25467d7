// Reads the event stream of an ask (docs/protocol.md): events as they come.

import { ServiceError } from "../errors.ts";
import type { StreamEvent } from "../protocol.ts";

const PREFIX = "data: ";

/**
 * The events of each read, which may be none. The stream is cancelled if the
 * caller stops before its end or the signal fires. Throws UNAVAILABLE if it
 * breaks off.
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
    for (;;) {
      const { done, value } = await reader.read().catch(brokeOff);
      if (done) return;
      const frames = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = frames.pop() ?? "";
      yield frames.map((frame) => JSON.parse(frame.slice(PREFIX.length)));
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

/** The object was redeployed or reset. */
export function brokeOff(cause?: unknown): never {
  const message = "The answer broke off. The query log says whether it was charged. Ask again.";
  throw new ServiceError("UNAVAILABLE", message, { cause });
}
