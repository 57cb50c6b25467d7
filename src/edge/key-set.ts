// The keys that an identity provider publishes. They are fetched once for all requests that wait for
// them, and stay good for a day while the provider does not answer.

import { waitUntil } from "cloudflare:workers";
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from "jose";
import { withTimeout } from "../deadline.ts";
import { ServiceError } from "../errors.ts";

/** A key that was withdrawn is accepted for this long at most, while the provider answers. */
const FRESH_MS = 10 * 60_000;
/** The same, while it does not. */
const GOOD_MS = 24 * 60 * 60_000;
/** After a success, a fetch for an unknown key id waits this long: anybody can make one up. */
const COOLDOWN_MS = 30_000;
/** After failures, the next fetch waits a second for each of them except the first, up to this. */
const RETRY_MS_MAX = 10_000;
/** A failure longer ago than this says nothing about the provider as it is now. */
const LATELY_MS = 60_000;
const TIMEOUT_MS = 5_000;
/** The largest sets in use have some dozens of keys with certificates, together below 50 KB. */
const BYTES_MAX = 256 * 1024;

type Keys = ReturnType<typeof createRemoteJWKSet>;

export class KeySet {
  readonly #url: URL;
  #keys: Keys | undefined;
  /** When `#keys` were fetched and when a fetch last began, in ms since the epoch. */
  #fetchedAt = 0;
  #triedAt = 0;
  /** Fetches that failed since the last that did not. */
  #failures = 0;
  #fetching: Promise<Keys> | undefined;

  constructor(url: URL) {
    this.#url = url;
  }

  /**
   * The key of a token, for `jwtVerify`. Throws JWKSNoMatchingKey and JWKSMultipleMatchingKeys, which
   * are the token's fault, and UNAVAILABLE where the keys cannot be had.
   */
  readonly key: JWTVerifyGetKey = async (header, token) => {
    let keys = await this.#current();
    try {
      return await keys(header, token);
    } catch (thrown) {
      if (thrown instanceof errors.JWKSMultipleMatchingKeys) throw thrown;
      // The key may be new, or mended since.
      if (this.#fetching === undefined && !this.#mayFetch()) throw this.#judged(thrown);
      keys = await this.#fetched();
    }
    return keys(header, token).catch((thrown: unknown) => {
      throw this.#judged(thrown);
    });
  };

  async #current(): Promise<Keys> {
    const keys = this.#keys;
    const ageMs = Date.now() - this.#fetchedAt;
    if (keys === undefined || ageMs > GOOD_MS) {
      if (this.#fetching === undefined && !this.#mayFetch()) throw unavailable();
      return this.#fetched();
    }
    if (ageMs <= FRESH_MS || this.#fetching !== undefined || !this.#mayFetch()) return keys;
    const fails = this.#failures > 0 && Date.now() - this.#triedAt < LATELY_MS;
    const fetched = this.#fetched().catch(() => keys);
    // While the provider fails, requests do not wait for it.
    return fails ? keys : fetched;
  }

  #mayFetch(): boolean {
    const retryMs = Math.min(1_000 * (this.#failures - 1), RETRY_MS_MAX);
    return Date.now() >= this.#triedAt + (this.#failures === 0 ? COOLDOWN_MS : retryMs);
  }

  /** The keys after the next fetch, which may be under way already. Throws UNAVAILABLE. */
  async #fetched(): Promise<Keys> {
    this.#fetching ??= this.#begin();
    const fetching = this.#fetching;
    // The request that began it may be gone, and then it never settles.
    try {
      return await withTimeout(TIMEOUT_MS + 1_000, unavailable, () => fetching);
    } finally {
      if (this.#fetching === fetching) this.#fetching = undefined;
    }
  }

  #begin(): Promise<Keys> {
    this.#triedAt = Date.now();
    const fetching = this.#fetch().finally(() => {
      if (this.#fetching === fetching) this.#fetching = undefined;
    });
    // Others wait for it too, even if the client of this request goes away.
    waitUntil(fetching.catch(() => {}));
    return fetching;
  }

  async #fetch(): Promise<Keys> {
    // It would fetch again by itself, once for each request.
    const keys = createRemoteJWKSet(this.#url, {
      timeoutDuration: TIMEOUT_MS,
      cacheMaxAge: Number.POSITIVE_INFINITY,
      cooldownDuration: Number.POSITIVE_INFINITY,
      [customFetch]: fetchBounded,
    });
    try {
      await keys.reload();
    } catch (thrown) {
      throw this.#failed(thrown);
    }
    this.#failures = 0;
    this.#fetchedAt = Date.now();
    this.#keys = keys;
    return keys;
  }

  /** What it means that a token has no key in the set as it is. */
  #judged(thrown: unknown): unknown {
    if (thrown instanceof errors.JWKSMultipleMatchingKeys) return thrown;
    // After a failed fetch the key may have been published and not been seen.
    if (thrown instanceof errors.JWKSNoMatchingKey) {
      return this.#failures === 0 ? thrown : unavailable();
    }
    return this.#failed(thrown);
  }

  #failed(thrown: unknown): ServiceError {
    this.#failures += 1;
    console.error("The keys of AUTH_JWKS_URL could not be read:", thrown);
    return unavailable();
  }
}

function unavailable(): ServiceError {
  return new ServiceError(
    "UNAVAILABLE",
    "Bearer tokens cannot be verified just now. Try again in a moment.",
    { headers: { "retry-after": "10" } },
  );
}

/** The response, whose body fails when it grows too long. */
async function fetchBounded(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  let left = BYTES_MAX;
  const bound = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      left -= chunk.byteLength;
      if (left < 0) throw new Error(`The key set is longer than ${BYTES_MAX} bytes.`);
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body?.pipeThrough(bound), response);
}
