// A new user, as a client of one server.

import { expect, vi } from "vitest";
import { API_PREFIX, type OnDisconnect, type Quota, type Receipt } from "../../src/protocol.ts";
import { type Directive, scripted } from "./directive.ts";
import { ask, bearer, type Exchange, request } from "./socket-client.ts";

export class User {
  readonly token: string;
  readonly #url: string;

  private constructor(url: string, token: string) {
    this.#url = url;
    this.token = token;
  }

  static async on(url: string, secret: string, user: string = crypto.randomUUID()): Promise<User> {
    return new User(url, await bearer(secret, { user }));
  }

  /**
   * The model's record of this ask has this tag.
   * `through` is another url of the same server.
   */
  ask(
    script: Directive,
    {
      streaming = true,
      tag = crypto.randomUUID() as string,
      through = this.#url,
      onDisconnect = "cancel" as OnDisconnect,
      headers = {} as Record<string, string>,
      words = undefined as string | undefined,
    } = {},
  ): Exchange {
    const body = { query: scripted({ ...script, tag }, words), onDisconnect };
    return ask(through, { token: this.token, body, streaming, headers });
  }

  async quota(): Promise<Quota> {
    return (await this.get<Quota>("/ai/quota")).body;
  }

  /** Newest first. */
  async queries(): Promise<readonly Receipt[]> {
    return (await this.get<{ queries: Receipt[] }>("/ai/queries?limit=100")).body.queries;
  }

  /** The receipt of the latest ask, once it is resolved. */
  resolved(timeout = 20_000): Promise<Receipt> {
    return vi.waitFor(
      async () => {
        const [receipt] = await this.queries();
        expect(receipt?.state).toMatch(/charged|refunded/);
        return receipt as Receipt;
      },
      { timeout, interval: 50 },
    );
  }

  get<Body>(path: string) {
    return request<Body>(`${this.#url}${API_PREFIX}${path}`, { token: this.token });
  }

  post(path: string, body?: unknown) {
    const options = { method: "POST", token: this.token, body };
    return request(`${this.#url}${API_PREFIX}${path}`, options);
  }
}
