// The body of a request, line by line: it may be larger than memory.

import { withTimeout } from "../deadline.ts";
import { ServiceError } from "../errors.ts";

/** A text of 1 MiB may need six bytes for each character in JSON. */
const LINE_LENGTH_MAX = 7 * 1024 * 1024;

/**
 * The lines without their ends. Throws INVALID_REQUEST if the body is not UTF-8,
 * REQUEST_TIMEOUT if it pauses for longer, and PAYLOAD_TOO_LARGE for a line of more
 * than 7 MiB.
 */
export async function* bodyLines(request: Request, timeoutMs: number): AsyncGenerator<string> {
  const reader = (request.body as ReadableStream<Uint8Array> | null)?.getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let rest = "";
  try {
    for (;;) {
      const chunk = await withTimeout(
        timeoutMs,
        () => tooSlow(timeoutMs),
        async () =>
          reader === undefined ? { done: true as const, value: undefined } : reader.read(),
      );
      // Only the new text is searched: a long line is not read again with each of its pieces.
      const [more = "", ...lines] = decode(decoder, chunk.value).split("\n");
      rest += more;
      for (const line of lines) {
        yield rest;
        rest = line;
      }
      if (rest.length > LINE_LENGTH_MAX) throw tooLong();
      if (chunk.done) break;
    }
    if (rest !== "") yield rest;
  } finally {
    // The rest is not needed, so a failed cancel changes nothing.
    reader?.cancel().catch(() => {});
  }
}

/** @param value Undefined at the end of the body. */
function decode(decoder: TextDecoder, value: Uint8Array | undefined): string {
  try {
    return decoder.decode(value, { stream: value !== undefined });
  } catch (cause) {
    throw new ServiceError("INVALID_REQUEST", "The body must be UTF-8.", { cause });
  }
}

function tooSlow(timeoutMs: number): ServiceError {
  const message = `The body paused for longer than ${timeoutMs} ms. Send it again.`;
  return new ServiceError("REQUEST_TIMEOUT", message);
}

function tooLong(): ServiceError {
  const message = `A line may be at most ${LINE_LENGTH_MAX} characters long.`;
  return new ServiceError("PAYLOAD_TOO_LARGE", message);
}
