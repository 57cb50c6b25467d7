// The operator's session: a bearer token that this tab keeps until it is closed,
// or the token that Cloudflare Access adds to each request.

import { API_PREFIX } from "../../protocol.ts";
import { ApiError } from "./api-error.ts";

const KEY = "belay operator";
/** What a bearer token consists of. */
const TOKEN = /^[\w.~+/-]+=*$/;
const EXPIRED = "Your token has expired, or is not valid any more. Sign in again.";
const NO_OPERATOR = "This token is not an operator’s. It needs the scope or role operator.";
const UNREACHABLE = "Belay cannot be reached. Check your connection, and try again.";
const LATE = "Belay did not answer in time. Try again.";
const ACCESS_ENDED =
  "Cloudflare Access did not let this page in. Reload it to sign in there, or use a bearer token.";
/** Beside a bearer token. */
const ACCESS_STOPS = "Cloudflare Access did not let this page in. Reload it to sign in there.";

export class Session {
  /** Called when the service refuses the operator. */
  onRefused: () => void = () => {};
  #bearer = sessionStorage.getItem(KEY) ?? "";
  #access: boolean;
  #reason = "";

  /** @param access Whether this deployment admits operators by Access. */
  constructor(access: boolean) {
    this.#access = access;
  }

  get needsSignIn(): boolean {
    return this.#bearer === "" && !this.#access;
  }

  /** Whether Cloudflare Access signs the operator in, and out. */
  get usesAccess(): boolean {
    return this.#bearer === "" && this.#access;
  }

  /** Whose token it is, as it says itself; empty if it does not. */
  get operator(): string {
    return subjectOf(this.#bearer);
  }

  /** Why the operator has to sign in again; empty at first. */
  get reason(): string {
    return this.#reason;
  }

  async fetch(url: string, init: RequestInit): Promise<Response> {
    const bearer = this.#bearer;
    const response = await send(url, init, bearer);
    if (isRefusal(response) && bearer === this.#bearer) {
      this.#refuse(response);
      throw new ApiError(this.#reason, 401);
    }
    return response;
  }

  /** Undefined if the token is an operator's; it is then used. Else why not. */
  async signIn(pasted: string): Promise<string | undefined> {
    const token = pasted.trim().replace(/^Bearer\s+/i, "");
    if (!TOKEN.test(token)) return "This is not a bearer token. Paste all of it.";
    const response = await send(`${API_PREFIX}/admin/log?limit=1`, {}, token);
    if (isOfAccess(response)) return ACCESS_STOPS;
    if (response.status === 401) return "This token is not valid here, or has expired.";
    if (response.status === 403) return NO_OPERATOR;
    this.#bearer = token;
    this.#reason = "";
    sessionStorage.setItem(KEY, token);
    return undefined;
  }

  signOut(): void {
    this.#bearer = "";
    sessionStorage.removeItem(KEY);
  }

  #refuse(response: Response): void {
    if (this.#bearer === "") {
      this.#access = false;
      this.#reason = ACCESS_ENDED;
    } else if (isOfAccess(response)) {
      this.#reason = ACCESS_STOPS;
    } else {
      this.#reason = response.status === 403 ? NO_OPERATOR : EXPIRED;
    }
    this.signOut();
    this.onRefused();
  }
}

/** The server alone checks a token. This is for display. */
function subjectOf(token: string): string {
  try {
    const claims = token.split(".")[1]?.replaceAll("-", "+").replaceAll("_", "/") ?? "";
    const bytes = Uint8Array.from(atob(claims), (character) => character.charCodeAt(0));
    const { sub } = JSON.parse(new TextDecoder().decode(bytes));
    return typeof sub === "string" ? sub : "";
  } catch {
    return "";
  }
}

async function send(url: string, init: RequestInit, bearer: string): Promise<Response> {
  const headers = new Headers(init.headers);
  if (bearer !== "") headers.set("authorization", `Bearer ${bearer}`);
  try {
    // A redirect leads to another site: it must not get the token.
    return await fetch(url, { ...init, headers, redirect: "manual" });
  } catch (thrown) {
    if (init.signal?.aborted && (init.signal.reason as Error).name === "AbortError") throw thrown;
    const isLate = (thrown as Error).name === "TimeoutError";
    throw new ApiError(isLate ? LATE : UNREACHABLE);
  }
}

function isRefusal(response: Response): boolean {
  return isOfAccess(response) || response.status === 401 || response.status === 403;
}

/** Access redirects a request without a session to its own site. */
function isOfAccess({ type }: Response): boolean {
  return type === "opaqueredirect";
}
