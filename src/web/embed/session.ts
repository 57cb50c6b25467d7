// A reader's session with one Belay: a token on another site's page, a cookie on
// Belay's own. All elements of a page share it.

import { API_PREFIX } from "../../protocol.ts";
import { Store } from "./store.ts";

/** A token is renewed this long before it expires, in ms. */
const MARGIN_MS = 60_000;

/** Why there is no session: codes of the wire, and one for the page's author. */
export type Refusal = "UNAVAILABLE" | "TOO_MANY_SESSIONS" | "UNAUTHENTICATED" | "ORIGIN_NOT_LISTED";

export class NoSession extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal);
    this.refusal = refusal;
  }
}

export class Session {
  readonly #url: string;
  readonly #store: Store;
  /** Whether the service refused the kept token. */
  #refused = false;
  #starting: Promise<string> | undefined;

  constructor(url: string) {
    this.#url = url;
    this.#store = new Store(`belay-ask session ${url}`);
  }

  /** Called before each request. Empty if a cookie holds the session. */
  readonly token = async (): Promise<string> => {
    const { token, renewAt = 0 } = this.#store.kept;
    if (token !== undefined && !this.#refused && renewAt > Date.now()) return token;
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  };

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const { token } = this.#store.kept;
    const response = await fetch(url, init);
    // Another request may have renewed the token meanwhile.
    if (response.status === 401 && token === this.#store.kept.token) this.#refused = true;
    return response;
  };

  async #start(): Promise<string> {
    const { token: old } = this.#store.kept;
    const response = await fetch(`${this.#url}${API_PREFIX}/session`, {
      method: "POST",
      // It keeps the reader's identity.
      headers: old ? { authorization: `Bearer ${old}` } : {},
    }).catch(() => undefined);
    if (response === undefined) throw new NoSession(await this.#whyUnreachable());
    if (!response.ok) throw new NoSession(refusalFor(response.status));
    let token = "";
    let renewAt = Number.MAX_VALUE;
    if (response.status !== 204) {
      const body: { readonly token: string; readonly expiresAt: string } = await response.json();
      token = body.token;
      // This machine's clock may be wrong. A token that expired gets a 401.
      renewAt = Math.max(Date.parse(body.expiresAt) - MARGIN_MS, Date.now() + MARGIN_MS);
    }
    this.#refused = false;
    this.#store.keep({ token, renewAt });
    return token;
  }

  /** A page of an unlisted origin may not read a response, but it gets one. */
  async #whyUnreachable(): Promise<Refusal> {
    try {
      await fetch(`${this.#url}${API_PREFIX}/healthz`, { mode: "no-cors" });
      return "ORIGIN_NOT_LISTED";
    } catch {
      return "UNAVAILABLE";
    }
  }
}

function refusalFor(status: number): Refusal {
  switch (status) {
    case 403:
      return "ORIGIN_NOT_LISTED";
    case 404:
      return "UNAUTHENTICATED";
    case 429:
      return "TOO_MANY_SESSIONS";
    default:
      return "UNAVAILABLE";
  }
}

const sessions = new Map<string, Session>();

export function sessionAt(url: string): Session {
  const session = sessions.get(url) ?? new Session(url);
  sessions.set(url, session);
  return session;
}
