// Verifies the bearer token of a request. The route decides what the caller may
// do.

import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { collectionNames } from "../collections.ts";
import type { VariableName } from "../config.ts";
import { ServiceError } from "../errors.ts";
import { isName } from "../request.ts";
import { ANONYMOUS } from "../user/settings.ts";
import { embedTokenOf } from "./embed-token.ts";
import { KeySet } from "./key-set.ts";
import { type AuthenticationConfig, verifiedWith } from "./signing.ts";
import { VerifiedTokens } from "./verified-tokens.ts";

export interface Caller {
  readonly userId: string;
  readonly operator: boolean;
  /** Those that the caller may read; undefined if the deployment says it. */
  readonly collections?: readonly string[] | undefined;
  /** `limit` of the bearer token: below an operator's, above QUOTA_LIMIT. */
  readonly limit?: number | undefined;
  /** Which reader of a shared user object; undefined with a bearer token. */
  readonly identity?: string;
}

const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;
/** An issuer's clock may differ from ours by this. */
const CLOCK_TOLERANCE_S = 5;
const LIMIT_MAX = 1_000_000_000;

/** Throws UNAUTHENTICATED, with the reason in WWW-Authenticate (RFC 6750). */
export async function authenticate(
  request: Request,
  config: AuthenticationConfig,
): Promise<Caller> {
  const header = request.headers.get("authorization");
  if (header === null) {
    throw refused("Send a bearer token: Authorization: Bearer <JWT>.", "Bearer");
  }
  if (embedTokenOf(request) !== undefined) {
    throw refused("A page's token cannot be used here. Send a bearer token of a user.");
  }
  const [, token] = BEARER.exec(header) ?? [];
  if (token === undefined) {
    throw refused("Send exactly one bearer token, a JWT: Authorization: Bearer <JWT>.");
  }
  // A provider may withdraw its keys, so its tokens are checked each time.
  const known = config.key instanceof URL ? undefined : secretsFor(config);
  const caller = known?.tokens.get(token, CLOCK_TOLERANCE_S);
  if (caller !== undefined) return caller;
  const claims = await verifiedClaims(token, config, known);
  const verified = callerOf(claims, config);
  const { nbf: notBefore = 0, exp: expires = 0 } = claims;
  known?.tokens.add(token, { caller: verified, notBefore, expires });
  return verified;
}

/** What is kept while the variables stay the same. */
interface Known {
  readonly tokens: VerifiedTokens<Caller>;
  readonly keys: Map<Uint8Array, CryptoKey>;
}

const knownBy = new WeakMap<AuthenticationConfig, Known>();

function secretsFor(config: AuthenticationConfig): Known {
  const known = knownBy.get(config) ?? { tokens: new VerifiedTokens<Caller>(), keys: new Map() };
  knownBy.set(config, known);
  return known;
}

async function verifiedClaims(
  token: string,
  { key, algorithm, issuer, audience }: AuthenticationConfig,
  known: Known | undefined,
): Promise<JWTPayload> {
  try {
    // Only one algorithm: an attacker must not choose it. jose accepts a
    // missing exp.
    const options = {
      algorithms: [algorithm],
      requiredClaims: ["sub", "exp"],
      clockTolerance: CLOCK_TOLERANCE_S,
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audience }),
    };
    if (key instanceof URL)
      return (await jwtVerify(token, publishedKeys(key, "AUTH_JWKS_URL"), options)).payload;
    const { verified } = await verifiedWith(key, async (secret) =>
      jwtVerify(token, await imported(secret, known), options),
    );
    return verified.payload;
  } catch (cause) {
    if (cause instanceof ServiceError) throw cause;
    throw refused(invalidity(cause));
  }
}

/** Not a promise: another request that waits for it would end with this one. */
async function imported(secret: Uint8Array, known: Known | undefined): Promise<CryptoKey> {
  const before = known?.keys.get(secret);
  if (before !== undefined) return before;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", secret, algorithm, false, ["verify"]);
  known?.keys.set(secret, key);
  return key;
}

function callerOf(claims: JWTPayload, { operatorClaim }: AuthenticationConfig): Caller {
  if (!isUserId(claims.sub)) {
    throw refused(
      "The bearer token's sub must be a string of 1 to 128 characters, without control characters, and neither . nor .. alone.",
    );
  }
  // Readers without a bearer token have these names.
  if (claims.sub.startsWith(ANONYMOUS)) {
    throw refused(`The bearer token's sub must not begin with "${ANONYMOUS}".`);
  }
  const collections = readableOf(claims);
  const limit = limitOf(claims);
  const operator = isOperator(claims, operatorClaim);
  return { userId: claims.sub, operator, collections, limit };
}

function limitOf({ limit }: JWTPayload): number | undefined {
  if (limit === undefined || limit === null) return undefined;
  if (Number.isSafeInteger(limit) && (limit as number) >= 0 && (limit as number) <= LIMIT_MAX) {
    return limit as number;
  }
  throw refused(`The bearer token's limit must be a whole number from 0 to ${LIMIT_MAX}.`);
}

/** An empty list is nothing. Throws for what is no list of names. */
function readableOf({ collections }: JWTPayload): readonly string[] | undefined {
  if (collections === undefined) return undefined;
  const names = collectionNames(collections);
  if (names !== undefined) return names;
  throw refused(
    "The bearer token's collections must be a list of at most 200 names, each of 1 to 64 lower-case letters, digits and hyphens.",
  );
}

/** jose checks the signature first, so this tells strangers nothing. */
function invalidity(cause: unknown): string {
  if (cause instanceof errors.JWTExpired) return "The bearer token has expired. Get a new one.";
  if (cause instanceof errors.JWTClaimValidationFailed) {
    return `The bearer token's ${cause.claim} is missing or not valid here. Get a new one.`;
  }
  return "The bearer token is not valid here. Get a new one.";
}

/** Whether a usual claim, or the named one, says `operator`. */
function isOperator(claims: JWTPayload, named: string | undefined): boolean {
  // RFC 6749 separates scopes by spaces; Okta sends a list. A role may contain
  // spaces.
  const scopes = ["scope", "scp"].map((name) => {
    const value = claimOf(claims, name);
    return typeof value === "string" ? value.split(" ") : value;
  });
  const own = named === undefined ? undefined : claimOf(claims, named);
  const values = [...scopes, claimOf(claims, "roles"), own];
  return own === true || values.some((value) => includesOperator(value));
}

function includesOperator(value: unknown): boolean {
  return Array.isArray(value) ? value.includes("operator") : value === "operator";
}

/** A claim by its whole name, or by a path such as `realm_access.roles`. */
function claimOf(claims: JWTPayload, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split(".").reduce<unknown>(memberOf, claims);
}

/** Own members only, and none of a list. */
function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

/** By URL, so that later requests use the keys fetched before. */
const keySets = new Map<string, KeySet>();

/** The keys at an address, for `jwtVerify`. */
export function publishedKeys(url: URL, variable: VariableName): JWTVerifyGetKey {
  const keySet = keySets.get(url.href) ?? new KeySet(url, variable);
  keySets.set(url.href, keySet);
  return keySet.key;
}

/** jose accepts an empty sub, and numbers and objects: they would collide. */
export function isUserId(sub: unknown): sub is string {
  // Operators could not name these two: URLs resolve them in any encoding.
  return isName(sub) && !/^\.\.?$/.test(sub);
}

export function refused(message: string, challenge = 'Bearer error="invalid_token"'): ServiceError {
  return new ServiceError("UNAUTHENTICATED", message, {
    headers: { "www-authenticate": challenge },
  });
}
