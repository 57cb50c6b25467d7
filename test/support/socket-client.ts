// An HTTP/1.1 client over a raw socket, for what a client inside the runtime hides: when each byte
// came, how the connection ended, and every way of leaving it. It reads as strictly as the simplest
// client in use: each event must be exactly `data: <JSON>\n\n`. It follows nothing and retries nothing.

import { connect, type Socket } from "node:net";
import { SignJWT } from "jose";
import { API_PREFIX, type ErrorBody, type StreamEvent } from "../../src/protocol.ts";
import { eventOf } from "./event-stream.ts";

interface Options {
  readonly method?: string;
  /** A bearer token. */
  readonly token?: string;
  /** Sent as JSON; with `transfer-encoding: chunked` among the headers, as the first chunk. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An event, and when it came, in milliseconds since the epoch. */
export interface Arrival {
  readonly event: StreamEvent;
  readonly at: number;
}

/**
 * `complete`: the body ended as its headers promised. `cut`: the connection ended before that.
 * `left`: we ended it.
 */
export interface Ending {
  readonly how: "complete" | "cut" | "left";
  readonly at: number;
  /** What broke the connection, or what we could not read. */
  readonly error?: Error;
}

export interface Reply<Body> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
}

/** Asks, and returns at once: what comes back, and leaving, are for the caller. */
export function ask(
  url: string,
  { streaming = true, ...options }: Options & { readonly streaming?: boolean },
): Exchange {
  const query = streaming ? "?stream=true" : "";
  return new Exchange(`${url}${API_PREFIX}/ai/ask${query}`, { method: "POST", ...options });
}

/** A short call, to its end. The body is parsed where it is JSON. */
export async function request<Body = ErrorBody>(
  url: string,
  options: Options & { readonly timeoutMs?: number } = {},
): Promise<Reply<Body>> {
  const exchange = new Exchange(url, options);
  try {
    await exchange.untilEnd(options.timeoutMs);
    const { status, headers, text } = exchange;
    const isJson = headers["content-type"]?.startsWith("application/json");
    return { status: status ?? 0, headers, body: isJson ? JSON.parse(text) : text };
  } finally {
    exchange.close();
  }
}

/** A bearer token for a user, as the operator's own login would make it. */
export function bearer(
  secret: string,
  {
    user,
    operator = false,
    ttlSeconds = 3600,
  }: { user: string; operator?: boolean; ttlSeconds?: number },
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT(operator ? { scope: "operator" } : {})
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(user)
    .setIssuedAt(now)
    .setExpirationTime(now + ttlSeconds)
    .sign(new TextEncoder().encode(secret));
}

/** One request on a connection of its own, and what has come back so far. */
export class Exchange {
  readonly startedAt = Date.now();
  /** Undefined until the headers have come. */
  status: number | undefined;
  headers: Readonly<Record<string, string>> = {};
  /** The body's events so far, of an event stream. */
  readonly arrivals: Arrival[] = [];
  readonly ended: Promise<Ending>;

  readonly #socket: Socket;
  readonly #received: Buffer[] = [];
  /** Bytes of the head, or of the body's framing, that are not read yet. */
  #unread: Buffer = Buffer.alloc(0);
  readonly #body: Buffer[] = [];
  #framing: Framing | undefined;
  #unparsed: Buffer = Buffer.alloc(0);
  #ending: Ending | undefined;
  readonly #settleEnding: (ending: Ending) => void;
  readonly #watchers = new Set<() => void>();

  constructor(url: string, { method = "GET", token, body, headers = {} }: Options) {
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.ended = promise;
    this.#settleEnding = resolve;

    const { hostname, port, host, pathname, search } = new URL(url);
    const payload = body === undefined ? "" : JSON.stringify(body);
    const chunked = headers["transfer-encoding"] === "chunked";
    const lines = Object.entries({
      host,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(method !== "GET" && !chunked && { "content-length": String(Buffer.byteLength(payload)) }),
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);

    // Half open, so that the server's end of the connection is not taken for ours.
    this.#socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      allowHalfOpen: true,
    });
    const head = `${method} ${pathname}${search} HTTP/1.1\r\n${lines.join("")}\r\n`;
    this.#socket.write(head + (chunked ? chunk(payload) : payload));
    this.#socket.on("data", (bytes) => {
      try {
        this.#read(bytes);
      } catch (error) {
        this.#socket.destroy(error as Error);
      }
    });
    this.#socket.on("end", () => this.#end(this.#framing?.untilClose ? "complete" : "cut"));
    this.#socket.on("error", (error) => this.#end("cut", error));
    this.#socket.on("close", () => this.#end("cut"));
  }

  /** How it ended; undefined while it goes on. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  get events(): readonly StreamEvent[] {
    return this.arrivals.map(({ event }) => event);
  }

  /** The tokens so far, joined. */
  get answer(): string {
    return this.events.map((event) => (event.type === "token" ? event.token : "")).join("");
  }

  /** The body so far, with no framing. */
  get text(): string {
    return Buffer.concat(this.#body).toString("utf8");
  }

  /** All that came through the socket. */
  get raw(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** The first event of a type, or that a predicate likes, whether it has come or is still to come. */
  async until<T extends StreamEvent["type"]>(
    wanted: T,
    timeoutMs?: number,
  ): Promise<Arrival & { event: Extract<StreamEvent, { type: T }> }>;
  async until(wanted: (event: StreamEvent) => boolean, timeoutMs?: number): Promise<Arrival>;
  async until(
    wanted: StreamEvent["type"] | ((event: StreamEvent) => boolean),
    timeoutMs?: number,
  ): Promise<Arrival> {
    const fits = typeof wanted === "string" ? ({ type }: StreamEvent) => type === wanted : wanted;
    return this.#until(
      () => this.arrivals.find(({ event }) => fits(event)),
      `the event ${wanted}`,
      timeoutMs,
    );
  }

  async untilHeaders(timeoutMs?: number): Promise<number> {
    return this.#until(() => this.status, "headers", timeoutMs);
  }

  /** Until the body has grown to so many bytes. */
  async untilLength(length: number, timeoutMs?: number): Promise<void> {
    await this.#until(() => this.text.length >= length || undefined, `${length} bytes`, timeoutMs);
  }

  async untilEnd(timeoutMs?: number): Promise<Ending> {
    return this.#until(() => this.#ending, "the end", timeoutMs);
  }

  /** Until the request is in the kernel's hands. */
  async untilSent(timeoutMs?: number): Promise<void> {
    const sent = () => (!this.#socket.connecting && this.#socket.writableLength === 0) || undefined;
    this.#socket.once("connect", () => this.#changed()).once("drain", () => this.#changed());
    await this.#until(sent, "the request to be sent", timeoutMs);
  }

  /** Leaves as a closed tab does: FIN, or, where bytes lie unread, what the kernel makes of it. */
  close(): void {
    this.#end("left");
    this.#socket.destroy();
  }

  /** Leaves with a RST. */
  reset(): void {
    this.#end("left");
    this.#socket.resetAndDestroy();
  }

  /** Says that no more is coming from us, and reads on: no leaving. */
  halfClose(): void {
    this.#socket.end();
  }

  /** Sends bytes behind the request, as they are: the rest of a body that was announced. */
  send(text: string): void {
    this.#socket.write(text);
  }

  /** Sends another chunk of a chunked body. */
  sendChunk(text: string): void {
    this.send(chunk(text));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #read(bytes: Buffer): void {
    this.#received.push(bytes);
    this.#unread = Buffer.concat([this.#unread, bytes]);
    if (this.#framing === undefined) {
      const headLength = this.#unread.indexOf("\r\n\r\n");
      if (headLength === -1) return;
      const head = readHead(this.#unread.toString("latin1", 0, headLength));
      this.#unread = this.#unread.subarray(headLength + 4);
      this.status = head.status;
      this.headers = head.headers;
      this.#framing = new Framing(head.status, head.headers);
    }
    const { data, rest } = this.#framing.read(this.#unread);
    this.#unread = rest;
    this.#body.push(data);
    if (this.headers["content-type"]?.startsWith("text/event-stream")) this.#parse(data);
    if (this.#framing.complete) this.#end("complete");
    this.#changed();
  }

  #parse(data: Buffer): void {
    const at = Date.now();
    this.#unparsed = Buffer.concat([this.#unparsed, data]);
    for (;;) {
      const length = this.#unparsed.indexOf("\n\n");
      if (length === -1) return;
      const block = this.#unparsed.toString("utf8", 0, length);
      this.#unparsed = this.#unparsed.subarray(length + 2);
      this.arrivals.push({ event: eventOf(block), at });
    }
  }

  #end(how: Ending["how"], error?: Error): void {
    if (this.#ending !== undefined) return;
    this.#ending = { how, at: Date.now(), ...(error && { error }) };
    this.#settleEnding(this.#ending);
    this.#changed();
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** Polled at every change, so that nothing is missed and nothing waits longer than it must. */
  #until<T>(look: () => T | undefined, what: string, timeoutMs = 10_000): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void) => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        outcome();
      };
      const fail = (why: string) => {
        const message = `${why} while waiting for ${what}. So far:\n${this.raw}`;
        settle(() => reject(new Error(message, { cause: this.#ending?.error })));
      };
      const watcher = () => {
        const found = look();
        if (found !== undefined) settle(() => resolve(found));
        else if (this.#ending !== undefined) fail(`The exchange was ${this.#ending.how}`);
      };
      const timer = setTimeout(() => fail(`${timeoutMs} ms went by`), timeoutMs);
      this.#watchers.add(watcher);
      watcher();
    });
  }
}

/** How a body is delimited: by chunks, by its length, or by the end of the connection. */
class Framing {
  readonly untilClose: boolean;
  complete = false;
  readonly #chunked: boolean;
  /** Bytes of the body, or of the present chunk, that are still to come. */
  #left: number;

  constructor(status: number, headers: Readonly<Record<string, string>>) {
    const length = headers["content-length"];
    const hasNone = status === 204 || status === 304 || length === "0";
    this.#chunked = headers["transfer-encoding"] === "chunked";
    this.untilClose = !this.#chunked && length === undefined && !hasNone;
    this.#left = this.untilClose ? Infinity : Number(length ?? 0);
    this.complete = hasNone;
  }

  /** The body's own bytes among `bytes`, and those that cannot be read yet. */
  read(bytes: Buffer): { data: Buffer; rest: Buffer } {
    if (!this.#chunked) {
      const data = bytes.subarray(0, this.#left);
      this.#left -= data.length;
      this.complete ||= this.#left === 0;
      return { data, rest: Buffer.alloc(0) };
    }
    const parts: Buffer[] = [];
    let rest = bytes;
    while (!this.complete) {
      if (this.#left > 0) {
        // The chunk's own line end, its last two bytes, is no part of the body.
        const part = rest.subarray(0, this.#left);
        parts.push(part.subarray(0, Math.max(0, Math.min(part.length, this.#left - 2))));
        this.#left -= part.length;
        rest = rest.subarray(part.length);
        if (this.#left > 0) break;
      }
      const lineLength = rest.indexOf("\r\n");
      if (lineLength === -1) break;
      const size = Number.parseInt(rest.toString("latin1", 0, lineLength), 16);
      if (size === 0) {
        // No trailers are expected; the blank line that ends them must have come.
        if (rest.length < lineLength + 4) break;
        this.complete = true;
      }
      this.#left = size + 2;
      rest = rest.subarray(lineLength + 2);
    }
    return { data: Buffer.concat(parts), rest };
  }
}

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

function readHead(text: string): { status: number; headers: Record<string, string> } {
  const [statusLine = "", ...lines] = text.split("\r\n");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { status: Number(statusLine.split(" ")[1]), headers };
}
