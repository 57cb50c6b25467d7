// One HTTP exchange with a deployment, on a connection of its own: what has come back so far, byte by
// byte, and leaving it in the middle. It judges nothing, follows nothing and retries nothing.

import { type IncomingHttpHeaders, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { StreamEvent } from "../src/protocol.ts";
import { Mismatch } from "./expectation.ts";

export interface Sending {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
}

/** A response to its end. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const START_TIMEOUT_MS = 30_000;
/** A generation may take two minutes, and a JSON answer begins when it is over. */
const END_TIMEOUT_MS = 180_000;

/** How it ended: as its headers promised, before that, or because we left. */
type Ending = "complete" | "cut" | "left";

export class Exchange {
  /** Undefined until the headers have come. */
  status: number | undefined;
  headers: IncomingHttpHeaders = {};
  /** What can be read as events so far, whatever else stands between them. */
  readonly events: StreamEvent[] = [];
  /** When the first event came, in milliseconds since the epoch. */
  firstEventAt = Number.NaN;

  readonly #parts: Buffer[] = [];
  readonly #decoder = new TextDecoder();
  #unread = "";
  #ending: Ending | undefined;
  #error: Error | undefined;
  readonly #watchers = new Set<() => void>();
  readonly #leave: () => void;

  constructor(method: string, url: string, { headers, body }: Sending) {
    const request = (url.startsWith("https:") ? requestHttps : requestHttp)(url, {
      method,
      headers: {
        ...headers,
        ...(body !== undefined && { "content-length": Buffer.byteLength(body) }),
      },
      agent: false,
    });
    this.#leave = () => request.destroy();
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
    // Once there is a response its own end counts: a refusal may come before the body was sent.
    request.on("error", (error) => this.status === undefined && this.#end("cut", error));
    request.end(body);
  }

  /** All of the body so far. */
  get body(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** Leaves as a closed tab does: the connection is closed, and nothing is said. */
  leave(): void {
    this.#end("left");
    this.#leave();
  }

  untilStatus(timeoutMs = START_TIMEOUT_MS): Promise<number> {
    return this.#until(() => this.status, "a status", timeoutMs);
  }

  /** The first event that fits, whether it has come or is still to come. */
  untilEvent(
    fits: (event: StreamEvent) => boolean,
    timeoutMs = END_TIMEOUT_MS,
  ): Promise<StreamEvent> {
    return this.#until(() => this.events.find(fits), "an event", timeoutMs);
  }

  /** Rejects unless it ends as its headers promised. */
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
        // It is for stream.ts to say what is wrong with it.
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

  /** Looks at every change, so that nothing is missed and nothing waits longer than it must. */
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
