// Bearer tokens whose signature was checked. To check it again at each request
// would cost more than all else that the edge does. They are kept in memory
// only, and never logged.

/** An isolate keeps this many tokens, the last ones that were checked. */
const TOKENS_MAX = 1_000;
/** A longer token is checked each time, in UTF-16 units. */
const LENGTH_MAX = 2_048;

/** The caller of a token, and when it is valid: in seconds since the epoch. */
interface Verified<Caller> {
  readonly caller: Caller;
  readonly notBefore: number;
  readonly expires: number;
}

export class VerifiedTokens<Caller> {
  /** The oldest first. */
  readonly #tokens = new Map<string, Verified<Caller>>();

  /** Undefined if the token has to be checked. */
  get(token: string, toleranceS: number): Caller | undefined {
    const verified = this.#tokens.get(token);
    if (verified === undefined) return undefined;
    const now = Math.floor(Date.now() / 1000);
    const { notBefore, expires } = verified;
    if (notBefore <= now + toleranceS && expires > now - toleranceS) return verified.caller;
    this.#tokens.delete(token);
    return undefined;
  }

  add(token: string, verified: Verified<Caller>): void {
    if (token.length > LENGTH_MAX) return;
    this.#tokens.set(token, verified);
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size > TOKENS_MAX && oldest !== undefined) this.#tokens.delete(oldest);
  }
}
