// The reader's session: an HttpOnly cookie. It is requested before the first
// request, and again when the service refuses it.

import { API_PREFIX, type ErrorBody } from "../../protocol.ts";

/** There is no session. The message tells the reader why. */
export class SessionError extends Error {
  /** Whether a retry is useless. */
  readonly closed: boolean;

  constructor(message: string, closed = false) {
    super(message);
    this.closed = closed;
  }
}

export class Session {
  #started: Promise<void> | undefined;
  /** The session that the service accepted. */
  #taken: Promise<void> | undefined;

  /** Called before each request. Gets the cookie; there is no bearer token. */
  readonly token = async (): Promise<string> => {
    this.#started ??= start();
    try {
      await this.#started;
    } catch (thrown) {
      this.#started = undefined;
      throw thrown;
    }
    return "";
  };

  readonly fetch = async (url: string, init?: RequestInit): Promise<Response> => {
    const session = this.#started;
    const response = await fetch(url, init);
    if (response.status !== 401) this.#taken = session;
    // Another request got a 401 too and has a new session already.
    else if (session !== this.#started) return response;
    else if (session === this.#taken) this.#started = undefined;
    else
      throw new SessionError(
        "Your browser blocks cookies. Allow them for this site to ask here.",
        true,
      );
    return response;
  };
}

async function start(): Promise<void> {
  const response = await fetch(`${API_PREFIX}/session`, { method: "POST" }).catch(() => undefined);
  if (response?.ok) return;
  if (response?.status === 404) {
    throw new SessionError(
      "You cannot ask here without signing in. The operator can allow it with ANONYMOUS_LIMIT.",
      true,
    );
  }
  // Only show messages of Belay, not those of a proxy.
  const refusal: Partial<ErrorBody> | undefined = await response?.json().catch(() => undefined);
  throw new SessionError(
    refusal?.message ?? "The service could not be reached. Try again in a moment.",
  );
}
