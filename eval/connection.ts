// HTTP to the corpus that is evaluated. A server may close an
// idle connection just when a request takes it, so a request
// without a response is sent again. That is safe: sent twice,
// each request of an evaluation has the same result.

import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../scripts/command.ts";

const TRIES = 5;
const PAUSE_MS = 50;

export class Connection {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** The response, parsed. A DELETE of what does not exist is no error. */
  async json<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const { ok, status, text } = await this.#send(method, path, body);
    if (ok || (method === "DELETE" && status === 404)) return JSON.parse(text) as Body;
    throw new Failure(`The corpus refuses ${method} ${path}: ${status} ${text}`);
  }

  async #send(method: string, path: string, body: unknown) {
    const headers = { "content-type": "application/json", authorization: `Bearer ${this.#token}` };
    for (let tries = 1; ; tries += 1) {
      try {
        const response = await fetch(this.#url + path, {
          method,
          headers,
          body: body === undefined ? null : JSON.stringify(body),
        });
        return { ok: response.ok, status: response.status, text: await response.text() };
      } catch (error) {
        if (tries === TRIES) throw new Failure(`The corpus does not respond: ${reason(error)}.`);
        await delay(PAUSE_MS * tries);
      }
    }
  }
}

/** The innermost message: the outer one only says "fetch failed". */
function reason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? reason(cause) : message;
}
