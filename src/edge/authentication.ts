// Who is asking: the bearer token of a request, verified. What they may do is decided by the route.

import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { AuthenticationConfig } from "../config.ts";
import { ServiceError } from "../errors.ts";
import { isName } from "../request.ts";
import { ANONYMOUS } from "../user/settings.ts";

export interface Caller {
  readonly userId: string;
  readonly operator: boolean;
  /** Which of the readers that share this user object; undefined for who has a bearer token. */
  readonly identity?: string;
}

const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;
/** Clocks of issuers may differ from ours by this many seconds. */
const CLOCK_TOLERANCE_S = 5;

/** Throws UNAUTHENTICATED, with a WWW-Authenticate that says why (RFC 6750). */
export async function authenticate(
  request: Request,
  { key, algorithm, issuer, audience }: AuthenticationConfig,
): Promise<Caller> {
  const header = request.headers.get("authorization");
  if (header === null) {
    throw refused("Send a bearer token: Authorization: Bearer <JWT>.", "Bearer");
  }
  const [, token] = BEARER.exec(header) ?? [];
  if (token === undefined) {
    throw refused("Send exactly one bearer token, a JWT: Authorization: Bearer <JWT>.");
  }
  let claims: JWTPayload;
  try {
    // One algorithm, or an attacker chooses it. jose by itself accepts a missing exp.
    const options = {
      algorithms: [algorithm],
      requiredClaims: ["sub", "exp"],
      clockTolerance: CLOCK_TOLERANCE_S,
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audience }),
    };
    const verified =
      key instanceof URL
        ? await jwtVerify(token, publishedKeys(key), options)
        : await jwtVerify(token, key, options);
    claims = verified.payload;
  } catch (cause) {
    if (cause instanceof ServiceError) throw cause;
    throw refused(
      cause instanceof errors.JWTExpired
        ? "The bearer token has expired. Get a new one."
        : "The bearer token is not valid here. Get a new one.",
    );
  }
  if (!isUserId(claims.sub)) {
    throw refused(
      "The bearer token's sub must be a string of 1 to 128 characters, without control characters, and neither . nor .. alone.",
    );
  }
  // These names are given to readers without a bearer token.
  if (claims.sub.startsWith(ANONYMOUS)) {
    throw refused(`The bearer token's sub must not begin with "${ANONYMOUS}".`);
  }
  const scope = claims.scope;
  return {
    userId: claims.sub,
    operator: typeof scope === "string" && scope.split(" ").includes("operator"),
  };
}

/** By the address of a key set, so that what was fetched serves the requests that follow. */
const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

function publishedKeys(url: URL): JWTVerifyGetKey {
  const keySet = keySets.get(url.href) ?? createRemoteJWKSet(url);
  keySets.set(url.href, keySet);
  return async (header, token) => {
    try {
      return await keySet(header, token);
    } catch (cause) {
      // That the set has no such key is the token's fault; anything else is the set's.
      if (cause instanceof errors.JWKSNoMatchingKey) throw cause;
      if (cause instanceof errors.JWKSMultipleMatchingKeys) throw cause;
      // A set that was fetched just now and is broken is fetched anew at the next request. One that could
      // not be fetched leaves the keys that were, or any stranger's token could throw them away.
      if (keySet.coolingDown) keySets.delete(url.href);
      console.error("The keys of AUTH_JWKS_URL could not be read:", cause);
      throw new ServiceError(
        "UNAVAILABLE",
        "Bearer tokens cannot be verified just now. Try again in a moment.",
        { headers: { "retry-after": "10" } },
      );
    }
  };
}

/** jose also lets an empty sub, a number and an object through: all such users would share an object. */
export function isUserId(sub: unknown): sub is string {
  // To a URL these two are steps in its path, however they are encoded: no operator could name them.
  return isName(sub) && !/^\.\.?$/.test(sub);
}

function refused(message: string, challenge = 'Bearer error="invalid_token"'): ServiceError {
  return new ServiceError("UNAUTHENTICATED", message, {
    headers: { "www-authenticate": challenge },
  });
}
