// The keys that an identity provider publishes. All waiting requests share one
// fetch. Old keys are used for a day if the provider does not answer.

import { waitUntil } from "cloudflare:workers";
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from "jose";
import type { VariableName } from "../config.ts";
import { withTimeout } from "../deadline.ts";
import { ServiceError } from "../errors.ts";

/** How long a withdrawn key is accepted if the provider answers. */
const FRESH_MS = 10 * 60_000;
/** The same if it does not. */
const GOOD_MS = 24 * 60 * 60_000;
/** Pause before fetching for an unknown key id: anyone can invent one. */
const COOLDOWN_MS = 30_000;
/** Pause after failures: 1 s for each but the first, up to this. */
const RETRY_MS_MAX = 10_000;
/** An older failure says nothing about the provider now. */
const LATELY_MS = 60_000;
const TIMEOUT_MS = 5_000;
/** The largest sets in use have dozens of certificates in under 50 KB. */
const BYTES_MAX = 256 * 1024;

type Keys = ReturnType<typeof createRemoteJWKSet>;

export class KeySet {
  readonly #url: URL;
  readonly #variable: VariableName;
  #keys: Keys | undefined;
  /** When `#keys` were fetched and the last fetch began, in ms. */
  #fetchedAt = 0;
  #triedAt = 0;
  /** Failed fetches since the last success. */
  #failures = 0;
  #fetching: Promise<Keys> | undefined;

  /** @param variable Names the address in the log. */
  constructor(url: URL, variable: VariableName) {
    this.#url = url;
    this.#variable = variable;
  }

  /**
   * Finds a token's key, for `jwtVerify`. Throws JWKSNoMatchingKey and
   * JWKSMultipleMatchingKeys if the token is wrong, and UNAVAILABLE if there
   * are no keys.
   */
  readonly key: JWTVerifyGetKey = async (header, token) => {
    let keys = await this.#current();
    try {
      return await keys(header, token);
    } catch (thrown) {
      if (thrown instanceof errors.JWKSMultipleMatchingKeys) throw thrown;
      // The key may be new, or corrected in the meantime.
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
    // Requests do not wait for a provider that fails.
    return fails ? keys : fetched;
  }

  #mayFetch(): boolean {
    const retryMs = Math.min(1_000 * (this.#failures - 1), RETRY_MS_MAX);
    return Date.now() >= this.#triedAt + (this.#failures === 0 ? COOLDOWN_MS : retryMs);
  }

  /** The keys of the next or current fetch. Throws UNAVAILABLE. */
  async #fetched(): Promise<Keys> {
    this.#fetching ??= this.#begin();
    const fetching = this.#fetching;
    // The fetch never settles if the request that began it is gone. The race is
    // a promise of this request: code after another request's promise would run
    // in the context of that request.
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
    // Other requests wait for it, even if this client disconnects.
    waitUntil(fetching.catch(() => {}));
    return fetching;
  }

  async #fetch(): Promise<Keys> {
    // jose alone would fetch once for each request.
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

  /** The error for a token whose key the set does not have. */
  #judged(thrown: unknown): unknown {
    if (thrown instanceof errors.JWKSMultipleMatchingKeys) return thrown;
    // A failed fetch may have missed a new key.
    if (thrown instanceof errors.JWKSNoMatchingKey) {
      return this.#failures === 0 ? thrown : unavailable();
    }
    return this.#failed(thrown);
  }

  #failed(thrown: unknown): ServiceError {
    this.#failures += 1;
    console.error(`The keys of ${this.#variable} could not be read:`, thrown);
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

/** The response. Its body fails if it is too long. */
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
