// An HTTP/1.1 client on a raw socket, for what other clients hide:
// when each byte arrived, how the connection ended, and each way to close it.
// It is as strict as the simplest client in use:
// each event must be exactly `data: <JSON>\n\n`.
// It follows no redirect and retries nothing.

import { connect, type Socket } from "node:net";
import { connect as overTls } from "node:tls";
import { SignJWT } from "jose";
import { API_PREFIX, type ErrorBody, type StreamEvent } from "../../src/protocol.ts";
import { eventOf } from "./event-stream.ts";

interface Options {
  readonly method?: string;
  /** A bearer token. */
  readonly token?: string;
  /** Sent as JSON; as the first chunk with `transfer-encoding: chunked`. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The address of this machine that the request comes from. */
  readonly from?: string;
  /** Over TLS to this machine: the certificate that signs the server's. */
  readonly authority?: string;
}

/** An event and its arrival, in ms since the epoch. */
export interface Arrival {
  readonly event: StreamEvent;
  readonly at: number;
}

/**
 * `complete`: the body ended as its headers announced.
 * `cut`: the connection ended earlier.
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

/** Asks and returns at once. The caller reads and closes. */
export function ask(
  url: string,
  { streaming = true, ...options }: Options & { readonly streaming?: boolean },
): Exchange {
  const query = streaming ? "?stream=true" : "";
  return new Exchange(`${url}${API_PREFIX}/ai/ask${query}`, { method: "POST", ...options });
}

/** A short call, to its end. JSON bodies are parsed. */
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

/** A user's bearer token, as the operator's own login would make it. */
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

/** One request on its own connection, and the response so far. */
export class Exchange {
  readonly startedAt = Date.now();
  /** Undefined until the headers arrive. */
  status: number | undefined;
  headers: Readonly<Record<string, string>> = {};
  /** Events so far, if the body is an event stream. */
  readonly arrivals: Arrival[] = [];
  readonly ended: Promise<Ending>;

  readonly #socket: Socket;
  /** What the socket carries: TLS, or the same. */
  readonly #stream: Socket;
  readonly #received: Buffer[] = [];
  /** Bytes of the head, or of the framing, that are not read yet. */
  #unread: Buffer = Buffer.alloc(0);
  readonly #body: Buffer[] = [];
  #framing: Framing | undefined;
  #unparsed: Buffer = Buffer.alloc(0);
  #ending: Ending | undefined;
  readonly #settleEnding: (ending: Ending) => void;
  readonly #watchers = new Set<() => void>();

  constructor(url: string, options: Options) {
    const { method = "GET", token, body, headers = {}, from, authority } = options;
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

    // Half open, so that the server's FIN does not close our side.
    this.#socket = connect({
      host: authority === undefined ? hostname.replace(/^\[(.*)\]$/, "$1") : "127.0.0.1",
      port: Number(port),
      noDelay: true,
      allowHalfOpen: true,
      ...(from !== undefined && { localAddress: from }),
    });
    this.#stream =
      authority === undefined
        ? this.#socket
        : overTls({ socket: this.#socket, servername: hostname, ca: authority });
    const head = `${method} ${pathname}${search} HTTP/1.1\r\n${lines.join("")}\r\n`;
    this.#stream.write(head + (chunked ? chunk(payload) : payload));
    this.#stream.on("data", (bytes) => {
      try {
        this.#read(bytes);
      } catch (error) {
        this.#socket.destroy(error as Error);
      }
    });
    this.#stream.on("error", (error) => this.#end("cut", error));
    this.#stream.on("end", () => this.#end(this.#framing?.untilClose ? "complete" : "cut"));
    this.#socket.on("error", (error) => this.#end("cut", error));
    this.#socket.on("close", () => this.#end("cut"));
  }

  /** Undefined until it ends. */
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

  /** The body so far, without framing. */
  get text(): string {
    return Buffer.concat(this.#body).toString("utf8");
  }

  /** Everything that came through the socket. */
  get raw(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** The first event of this type, or that matches, past or future. */
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

  /** Resolves when the body has this many bytes. */
  async untilLength(length: number, timeoutMs?: number): Promise<void> {
    await this.#until(() => this.text.length >= length || undefined, `${length} bytes`, timeoutMs);
  }

  async untilEnd(timeoutMs?: number): Promise<Ending> {
    return this.#until(() => this.#ending, "the end", timeoutMs);
  }

  /** Resolves when the kernel has the request. */
  async untilSent(timeoutMs?: number): Promise<void> {
    const sent = () => (!this.#socket.connecting && this.#socket.writableLength === 0) || undefined;
    this.#socket.once("connect", () => this.#changed()).once("drain", () => this.#changed());
    await this.#until(sent, "the request to be sent", timeoutMs);
  }

  /**
   * Closes like a tab does: FIN, or, with unread bytes, the kernel's choice.
   */
  close(): void {
    this.#end("left");
    this.#socket.destroy();
  }

  /** Closes with a RST. */
  reset(): void {
    this.#end("left");
    this.#socket.resetAndDestroy();
  }

  /** Sends a FIN and reads on: not a disconnect. */
  halfClose(): void {
    this.#socket.end();
  }

  /** Sends raw bytes after the request: the rest of an announced body. */
  send(text: string): void {
    this.#stream.write(text);
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

  /** Checks at every change, so that nothing is missed or late. */
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

/** How a body is delimited: by chunks, its length, or the connection's end. */
class Framing {
  readonly untilClose: boolean;
  complete = false;
  readonly #chunked: boolean;
  /** Bytes of the body, or of this chunk, still to come. */
  #left: number;

  constructor(status: number, headers: Readonly<Record<string, string>>) {
    const length = headers["content-length"];
    const hasNone = status === 204 || status === 304 || length === "0";
    this.#chunked = headers["transfer-encoding"] === "chunked";
    this.untilClose = !this.#chunked && length === undefined && !hasNone;
    this.#left = this.untilClose ? Infinity : Number(length ?? 0);
    this.complete = hasNone;
  }

  /** The bytes of the body, and those that cannot be read yet. */
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
        // A chunk ends with two bytes that are not part of the body.
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
        // Trailers are not expected, but the blank line after them is.
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
