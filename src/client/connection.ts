// Sends requests with the bearer token. After a 401 it gets a new token and
// sends once more. It knows no route.

import { API_PREFIX } from "../protocol.ts";
import { BelayError, ConnectionLostError, isOfType, refusalOf } from "./errors.ts";

/** What the client needs of `fetch`. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A bearer token, or a function that returns one. */
export type TokenOption = string | (() => string | Promise<string>);

export interface ClientOptions {
  /** `https://belay.example.com`, or empty for the page's own origin. */
  readonly url: string;
  /**
   * The user's bearer token. A function is called before each request, and again
   * after a 401. Leave it out if a cookie or your `fetch` authenticates.
   */
  readonly token?: TokenOption | undefined;
  readonly fetch?: Fetch | undefined;
  /** Wait before a retry, in ms; undefined gives up. */
  readonly backoff?: ((attempt: number) => number | undefined) | undefined;
  /** Silence that counts as a broken connection, in ms: over two pings. */
  readonly silenceMs?: number | undefined;
}

export interface Sending {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Sent at once, with the latest bearer token. It outlives the page. */
  readonly keepalive?: boolean;
  /** Aborting it prevents sending. A request that is out goes on. */
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
    // docs/protocol.md has URLs with the prefix, so accept both.
    this.#base = url.replace(/\/+$/, "").replace(API_PREFIX, "") + API_PREFIX;
    this.#token = token;
    // A browser's fetch throws as a method of another object.
    this.#fetch = fetch ?? ((input, init) => globalThis.fetch(input, init));
  }

  /** Resolves with any response, also a refusal. */
  async request(path: string, sending: Sending): Promise<Response> {
    if (!sending.keepalive) await this.#renew();
    const response = await this.#send(path, sending);
    if (response.status !== 401 || typeof this.#token !== "function") return response;
    // Not read. A failed cancel does not matter.
    response.body?.cancel().catch(() => {});
    await this.#renew();
    return this.#send(path, sending);
  }

  /** Resolves with the body, or without one; rejects if it is a refusal. */
  async json<T>(path: string, sending: Sending): Promise<T> {
    const response = await this.request(path, sending);
    if (response.status === 204) return undefined as T;
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
      // Without a token, a cookie or the caller's fetch authenticates.
      ...(this.#bearer && { authorization: `Bearer ${this.#bearer}` }),
      ...(sending.body && { "content-type": "application/json" }),
    };
    const init = { ...sending, headers };
    try {
      return await this.#fetch(this.#base + path, init as RequestInit);
    } catch (cause) {
      // The caller aborted it.
      if (sending.signal?.aborted) throw cause;
      throw new ConnectionLostError("CONNECTION_LOST", "Belay could not be reached.", { cause });
    }
  }
}

/** Ten tries in about 20 s, longer than Belay waits for a reader. */
export function backoffMs(attempt: number): number | undefined {
  // Random, so that clients that were cut off together spread out.
  return attempt > 10 ? undefined : Math.min(4_000, 125 * 2 ** attempt) * (1 - Math.random() / 2);
}
