// The reader's session: an HttpOnly cookie that is requested before the first request
// and again when the service refuses it, or a bearer token that the reader pasted.

import { API_PREFIX, type ErrorBody } from "../../protocol.ts";
import { SessionError } from "../session-error.ts";
import { store, stored, unstore } from "../tab.ts";
import type { PageWords } from "./words/page-words.ts";

const KEY = "belay token";
/** What a bearer token consists of. */
const TOKEN = /^[\w.~+/-]+=*$/;

export class Session {
  readonly #words: PageWords;
  #anonymous: boolean;
  #bearer = keptToken();
  #expired = false;
  #started: Promise<void> | undefined;
  /** The session that the service accepted. */
  #taken: Promise<void> | undefined;

  /** @param anonymous Whether readers may ask without a token. */
  constructor(words: PageWords, anonymous: boolean) {
    this.#words = words;
    this.#anonymous = anonymous;
  }

  get signedIn(): boolean {
    return this.#bearer !== "";
  }

  /** Whether the reader has to sign in before anything works. */
  get needsSignIn(): boolean {
    return !this.#anonymous && this.#bearer === "";
  }

  /** Why they have to. */
  get reason(): string {
    return this.#expired ? this.#words.expired : this.#words.signInFirst;
  }

  /** Called before each request. Returns the bearer token, or gets the cookie. */
  readonly token = async (): Promise<string> => {
    if (this.#bearer !== "") return this.#bearer;
    if (this.needsSignIn) throw new SessionError(this.reason, true);
    this.#started ??= this.#start();
    try {
      await this.#started;
    } catch (thrown) {
      this.#started = undefined;
      throw thrown;
    }
    return "";
  };

  readonly fetch = async (url: string, init?: RequestInit): Promise<Response> => {
    const bearer = this.#bearer;
    const session = this.#started;
    const response = await fetch(url, init);
    if (bearer !== "") {
      if (response.status === 401 && bearer === this.#bearer) this.#expire();
      return response;
    }
    if (response.status !== 401) this.#taken = session;
    // Another request got a 401 too and has a new session already.
    else if (session !== this.#started) return response;
    else if (session === this.#taken) this.#started = undefined;
    else throw new SessionError(this.#words.cookies, true);
    return response;
  };

  /** A body of the service as JSON; undefined if it refuses. */
  async json<T>(path: string): Promise<T | undefined> {
    const bearer = await this.token();
    const headers: HeadersInit = bearer === "" ? {} : { authorization: `Bearer ${bearer}` };
    const response = await this.fetch(`${API_PREFIX}${path}`, { headers });
    return response.ok ? response.json() : undefined;
  }

  /** Whether the service accepts the token. Then it is used from now on. */
  async signIn(pasted: string): Promise<boolean> {
    const token = pasted.trim().replace(/^Bearer\s+/i, "");
    if (!TOKEN.test(token)) return false;
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${API_PREFIX}/ai/quota`, { headers });
    if (response.status === 401) return false;
    this.#bearer = token;
    this.#expired = false;
    store(KEY, token);
    return true;
  }

  signOut(): void {
    this.#bearer = "";
    unstore(KEY);
  }

  #expire(): void {
    this.signOut();
    this.#expired = true;
  }

  async #start(): Promise<void> {
    const { failures, unreachable } = this.#words;
    const response = await fetch(`${API_PREFIX}/session`, { method: "POST" }).catch(
      () => undefined,
    );
    if (response?.ok) return;
    if (response?.status === 404) {
      this.#anonymous = false;
      throw new SessionError(this.reason, true);
    }
    // Only codes of Belay, not those of a proxy.
    const refusal: Partial<ErrorBody> | undefined = await response?.json().catch(() => undefined);
    throw new SessionError(failures[refusal?.code ?? ""] ?? unreachable);
  }
}

/** Empty if this tab keeps none that a request can carry. */
function keptToken(): string {
  const token = stored(KEY);
  return TOKEN.test(token) ? token : "";
}
