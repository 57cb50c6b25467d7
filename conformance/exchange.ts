// One HTTP exchange on a connection of its own: all bytes so far, and a way to
// disconnect. No redirects, no retries, no checks.

import { type IncomingHttpHeaders, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { StreamEvent } from "../src/protocol.ts";
import { Mismatch } from "./expectation.ts";

export interface Sending {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
}

/** A whole response. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const START_TIMEOUT_MS = 30_000;
/** An answer may take two minutes, and JSON begins at its end. */
const END_TIMEOUT_MS = 180_000;

/** Ended as its headers say, too early, or by our disconnect. */
type Ending = "complete" | "cut" | "disconnected";

export class Exchange {
  /** Undefined before the headers. */
  status: number | undefined;
  headers: IncomingHttpHeaders = {};
  /** All that can be read as events so far. */
  readonly events: StreamEvent[] = [];
  /** The time of the first event, in milliseconds since the epoch. */
  firstEventAt = Number.NaN;

  readonly #parts: Buffer[] = [];
  readonly #decoder = new TextDecoder();
  #unread = "";
  #ending: Ending | undefined;
  #error: Error | undefined;
  readonly #watchers = new Set<() => void>();
  readonly #destroy: () => void;

  constructor(method: string, url: string, { headers, body }: Sending) {
    const request = (url.startsWith("https:") ? requestHttps : requestHttp)(url, {
      method,
      headers: {
        ...headers,
        ...(body !== undefined && { "content-length": Buffer.byteLength(body) }),
      },
      agent: false,
    });
    this.#destroy = () => request.destroy();
    request.on("response", (response) => {
      this.status = response.statusCode;
      this.headers = response.headers;
      const streaming = response.headers["content-type"]?.startsWith("text/event-stream");
      response.on("data", (bytes: Buffer) => {
        this.#parts.push(bytes);
        if (streaming) this.#read(bytes);
        this.#changed();
      });
      response.on("end", () => this.#end("complete"));
      response.on("error", (error) => this.#end("cut", error));
      response.on("close", () => this.#end("cut"));
      this.#changed();
    });
    // After the headers the end of the response counts: a refusal may come early.
    request.on("error", (error) => this.status === undefined && this.#end("cut", error));
    request.end(body);
  }

  /** The body so far. */
  get body(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** Closes the connection, as a closed tab does. */
  disconnect(): void {
    this.#end("disconnected");
    this.#destroy();
  }

  untilStatus(timeoutMs = START_TIMEOUT_MS): Promise<number> {
    return this.#until(() => this.status, "a status", timeoutMs);
  }

  /** The first event that fits, of those so far and those to come. */
  untilEvent(
    fits: (event: StreamEvent) => boolean,
    timeoutMs = END_TIMEOUT_MS,
  ): Promise<StreamEvent> {
    return this.#until(() => this.events.find(fits), "an event", timeoutMs);
  }

  /** Rejects unless it ends as its headers say. */
  async untilEnd(timeoutMs = END_TIMEOUT_MS): Promise<void> {
    await this.#until(() => (this.#ending === "complete" ? true : undefined), "its end", timeoutMs);
  }

  async reply(timeoutMs = END_TIMEOUT_MS): Promise<Reply> {
    const status = await this.untilStatus(timeoutMs);
    await this.untilEnd(timeoutMs);
    return { status, headers: this.headers, text: this.body.toString("utf8") };
  }

  #read(bytes: Buffer): void {
    const blocks = (this.#unread + this.#decoder.decode(bytes, { stream: true })).split(
      /\r?\n\r?\n/,
    );
    this.#unread = blocks.pop() ?? "";
    for (const block of blocks) {
      const [, json] = /^data: ?(.*)$/m.exec(block) ?? [];
      if (json === undefined) continue;
      try {
        this.events.push(JSON.parse(json));
      } catch {
        // stream.ts reports it.
        continue;
      }
      if (this.events.length === 1) this.firstEventAt = Date.now();
    }
  }

  #end(ending: Ending, error?: Error): void {
    this.#ending ??= ending;
    this.#error ??= error;
    this.#changed();
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** Looks after every change. */
  #until<T>(look: () => T | undefined, what: string, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void) => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        outcome();
      };
      const fail = (why: string) => settle(() => reject(new Mismatch(why, { cause: this.#error })));
      const watcher = () => {
        const found = look();
        if (found !== undefined) settle(() => resolve(found));
        else if (this.#ending === "complete") fail(`a response ended before ${what} came`);
        else if (this.#ending !== undefined) {
          const { code, message } = (this.#error ?? {}) as NodeJS.ErrnoException;
          fail(`a connection broke before ${what} came: ${code ?? message ?? this.#ending}`);
        }
      };
      const timer = setTimeout(
        () => fail(`${what} had not come after ${timeoutMs / 1000} s`),
        timeoutMs,
      );
      this.#watchers.add(watcher);
      watcher();
    });
  }
}
