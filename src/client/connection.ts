// How the client reaches the service: every request with its bearer token, once more with a new one if
// that was refused, and what a failed one is called. It knows no route.

import { API_PREFIX } from "../protocol.ts";
import { BelayError, ConnectionLostError, isOfType, refusalOf } from "./errors.ts";

/** As much of `fetch` as the client needs. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A bearer token, or what makes one. */
export type TokenOption = string | (() => string | Promise<string>);

export interface ClientOptions {
  /** Where Belay is: `https://belay.example.com`, or empty for the page's own origin. */
  readonly url: string;
  /**
   * The user's bearer token, or a function that gives it: called before each request, and once more
   * when a request was refused as unauthenticated. Left out where something else says who is asking.
   */
  readonly token?: TokenOption | undefined;
  readonly fetch?: Fetch | undefined;
  /** How long to wait before a try to connect again, in milliseconds; undefined gives up. */
  readonly backoff?: ((attempt: number) => number | undefined) | undefined;
  /** A connection that says nothing for so long is taken for broken: more than two of the service's pings. */
  readonly silenceMs?: number | undefined;
}

export interface Sending {
  readonly method?: "GET" | "POST";
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Goes out before anything is awaited, and so with the latest bearer token, and outlives the page. */
  readonly keepalive?: boolean;
  /** Once it is aborted, nothing is sent any more; what has been sent goes on. */
  readonly unless?: AbortSignal;
}

export class Connection {
  readonly backoff: (attempt: number) => number | undefined;
  readonly silenceMs: number;
  readonly #base: string;
  readonly #token: TokenOption | undefined;
  readonly #fetch: Fetch;
  #bearer = "";

  constructor({ url, token, fetch, backoff = backoffMs, silenceMs = 30_000 }: ClientOptions) {
    this.backoff = backoff;
    this.silenceMs = silenceMs;
    // With the prefix or without: the documentation of the protocol has it in its URL.
    this.#base = url.replace(/\/+$/, "").replace(API_PREFIX, "") + API_PREFIX;
    this.#token = token;
    // Called as a method of anything but its global, a browser's own fetch throws.
    this.#fetch = fetch ?? ((input, init) => globalThis.fetch(input, init));
  }

  /** Resolves with the response, whatever its status. */
  async request(path: string, sending: Sending): Promise<Response> {
    if (!sending.keepalive) await this.#renew();
    const response = await this.#send(path, sending);
    if (response.status !== 401 || typeof this.#token !== "function") return response;
    // Nobody reads it; that it cannot be cancelled changes nothing.
    response.body?.cancel().catch(() => {});
    await this.#renew();
    return this.#send(path, sending);
  }

  /** Resolves with the body of a response that is no refusal. */
  async json<T>(path: string, sending: Sending): Promise<T> {
    const response = await this.request(path, sending);
    if (!isOfType(response, "application/json")) throw await refusalOf(response);
    return response.json() as Promise<T>;
  }

  async #renew(): Promise<void> {
    try {
      this.#bearer = typeof this.#token === "function" ? await this.#token() : (this.#token ?? "");
    } catch (cause) {
      throw new BelayError("UNAUTHENTICATED", "Your `token` function failed.", { cause });
    }
  }

  async #send(path: string, { unless, ...sending }: Sending): Promise<Response> {
    unless?.throwIfAborted();
    const headers = {
      ...sending.headers,
      // Without one, something else says who is asking: a cookie, or a fetch of the caller's own.
      ...(this.#bearer && { authorization: `Bearer ${this.#bearer}` }),
      ...(sending.body && { "content-type": "application/json" }),
    };
    const init = { ...sending, headers };
    try {
      return await this.#fetch(this.#base + path, init as RequestInit);
    } catch (cause) {
      // Whoever aborted the request knows why it failed.
      if (sending.signal?.aborted) throw cause;
      throw new ConnectionLostError("CONNECTION_LOST", "Belay could not be reached.", { cause });
    }
  }
}

/** Ten tries in about 20 seconds, which is longer than Belay waits for anybody to come back. */
function backoffMs(attempt: number): number | undefined {
  // The random part keeps those who were cut off together from coming back together.
  return attempt > 10 ? undefined : Math.min(4_000, 125 * 2 ** attempt) * (1 - Math.random() / 2);
}
