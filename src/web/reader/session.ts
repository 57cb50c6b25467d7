// The reader's session: a cookie that this page cannot see, made before the first request and made
// anew when the service no longer takes it.

import { API_PREFIX, type ErrorBody } from "../../protocol.ts";

/** There is no session, and why, in words for the reader. */
export class SessionError extends Error {
  /** Whether trying again changes nothing. */
  readonly closed: boolean;

  constructor(message: string, closed = false) {
    super(message);
    this.closed = closed;
  }
}

export class Session {
  #started: Promise<void> | undefined;
  /** The one with which a request was let in. */
  #taken: Promise<void> | undefined;

  /** For the client, which asks before each request: resolves with no bearer token, once there is a cookie. */
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
    // Another request was told the same, and there is a new session already.
    else if (session !== this.#started) return response;
    else if (session === this.#taken) this.#started = undefined;
    else throw new SessionError("Asking here needs a cookie, and your browser keeps none.", true);
    return response;
  };
}

async function start(): Promise<void> {
  const response = await fetch(`${API_PREFIX}/session`, { method: "POST" }).catch(() => undefined);
  if (response?.ok) return;
  if (response?.status === 404) {
    throw new SessionError(
      "Asking without signing in is switched off here. Its operator can switch it on, with ANONYMOUS_LIMIT.",
      true,
    );
  }
  // What a proxy in between says is not for readers.
  const refusal: Partial<ErrorBody> | undefined = await response?.json().catch(() => undefined);
  throw new SessionError(
    refusal?.message ?? "The service could not be reached. Try again in a moment.",
  );
}
