// The reader's session: a cookie that this page cannot see, made before the first request and made
// anew when the service no longer takes it.

import { API_PREFIX } from "../protocol.ts";

/** The service lets in nobody without a bearer token. */
export class ClosedError extends Error {}

export class Session {
  #started: Promise<void> | undefined;

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
    const response = await fetch(url, init);
    if (response.status === 401) this.#started = undefined;
    return response;
  };
}

async function start(): Promise<void> {
  const response = await fetch(`${API_PREFIX}/session`, { method: "POST" });
  if (response.ok) return;
  if (response.status === 404) throw new ClosedError();
  throw new Error(`No session: ${response.status}`);
}
