// The connection of a call: the body of its response, and every way to notice
// that the client is gone. A closed connection shows only on a write, so a
// waiting call writes heartbeats.

import { onOneLine } from "../protocol.ts";

const encoder = new TextEncoder();
/** A comment of an event stream: it means nothing to the client. */
const HEARTBEAT = encoder.encode(":\n\n");

export class Connection {
  readonly body: ReadableStream;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #disconnected = new AbortController();

  constructor(signal: AbortSignal) {
    // A ReadableStream of our own, such as the package's, never notices a
    // disconnect.
    const { readable, writable } = new IdentityTransformStream();
    this.body = readable;
    this.#writer = writable.getWriter();
    this.#writer.closed.catch(() => this.#disconnect());
    if (signal.aborted) this.#disconnect();
    else signal.addEventListener("abort", () => this.#disconnect());
  }

  /** Fires when the client disconnects. */
  get signal(): AbortSignal {
    return this.#disconnected.signal;
  }

  /**
   * Resolves once the connection has taken it and all earlier writes. Throws if
   * the client is gone.
   */
  async heartbeat(): Promise<void> {
    await this.#writer.write(HEARTBEAT);
    this.signal.throwIfAborted();
  }

  /**
   * Passes a stream of messages on to its end. The package does not escape what
   * ends a line for some clients.
   */
  async pass(stream: ReadableStream<Uint8Array>): Promise<void> {
    const reader = stream.getReader();
    const decoder = new TextDecoder();
    this.signal.addEventListener("abort", () => reader.cancel().catch(() => {}));
    try {
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        const text = decoder.decode(read.value, { stream: true });
        await this.#writer.write(encoder.encode(onOneLine(text)));
      }
      await this.#writer.close();
    } catch {
      this.#disconnect();
    }
  }

  #disconnect(): void {
    if (this.signal.aborted) return;
    this.#disconnected.abort();
    // Fails if it has failed before.
    this.#writer.abort().catch(() => {});
  }
}
