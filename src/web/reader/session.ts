// The reader's session: a cookie that this page cannot read. It is made
// before the first request, and again when the service refuses it.

import { API_PREFIX, type ErrorBody } from "../../protocol.ts";

/** There is no session. The message tells the reader why. */
export class SessionError extends Error {
  /** Whether trying again is useless. */
  readonly closed: boolean;

  constructor(message: string, closed = false) {
    super(message);
    this.closed = closed;
  }
}

export class Session {
  #started: Promise<void> | undefined;
  /** The session with which a request was accepted. */
  #taken: Promise<void> | undefined;

  /**
   * The client calls it before each request. Resolves with no bearer token
   * once there is a cookie.
   */
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
    // Another request was refused too, and there is a new session already.
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
  // A message of a proxy is not for readers.
  const refusal: Partial<ErrorBody> | undefined = await response?.json().catch(() => undefined);
  throw new SessionError(
    refusal?.message ?? "The service could not be reached. Try again in a moment.",
  );
}
