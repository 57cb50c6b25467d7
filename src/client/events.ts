// Reads the events of a response as they arrive: the data of each is JSON.

import type { StreamEvent } from "../protocol.ts";

/** In characters. Belay sends no event that long. */
const EVENT_LENGTH_MAX = 4 * 1024 * 1024;
/** Other fields and comments are ignored. */
const DATA = /^data(?:: ?(.*))?$/s;

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
  let line = "";
  let data = "";
  const endLine = () => {
    const value = DATA.exec(line);
    if (value) data += `${value[1] ?? ""}\n`;
    if (line === "" && data) {
      const event = JSON.parse(data);
      data = "";
      onEvent(event);
    }
    line = "";
  };
  const decoder = new TextDecoder();
  const reader = body.getReader();
  // Not every fetch aborts the body too. Cancelling a broken body fails.
  signal.addEventListener("abort", () => {
    reader.cancel().catch(() => {});
  });
  for (let endsInCr = false; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    onBytes();
    const text = decoder.decode(value, { stream: true });
    if (!text) continue;
    // CR LF is one end of a line, even if they come in two chunks.
    const lines = text.slice(endsInCr && text.startsWith("\n") ? 1 : 0).split(/\r\n?|\n/);
    endsInCr = text.endsWith("\r");
    lines.forEach((part, i) => {
      if (i) endLine();
      line += part;
    });
    if (line.length + data.length > EVENT_LENGTH_MAX) throw new Error("The event is too long.");
  }
}
