// What signs bearer tokens and sessions. During a rotation the previous secret
// still verifies what it has signed, and signs nothing more.

import { errors } from "jose";
import {
  anonymousLimit,
  invalid,
  isFetchable,
  oneOf,
  text,
  type VariableName,
  type Variables,
} from "../config.ts";
import { kept } from "../kept.ts";

/** Verifies bearer tokens: one secret, or an identity provider's keys. */
export interface AuthenticationConfig {
  readonly key: Secrets | URL;
  readonly algorithm: string;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  /** One more claim that makes an operator. */
  readonly operatorClaim: string | undefined;
}

export interface Secrets {
  /** Signs and verifies. */
  readonly secret: Uint8Array;
  /** Verifies until the rotation ends. */
  readonly previous: Uint8Array | undefined;
}

const PUBLIC_KEY_ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

export const authenticationConfig = kept(readAuthenticationConfig);

function readAuthenticationConfig(env: Variables): AuthenticationConfig {
  const claims = {
    issuer: text(env, "AUTH_ISSUER"),
    audience: text(env, "AUTH_AUDIENCE"),
    operatorClaim: text(env, "AUTH_OPERATOR_CLAIM"),
  };
  const key = authSecrets(env);
  const jwksUrl = text(env, "AUTH_JWKS_URL");
  if (key !== undefined && jwksUrl !== undefined) {
    throw invalid("AUTH_JWKS_URL", "is set beside AUTH_SECRET: set exactly one");
  }
  if (key !== undefined) return { key, algorithm: "HS256", ...claims };
  if (jwksUrl === undefined) {
    throw invalid("AUTH_SECRET", "is not set, nor is AUTH_JWKS_URL: set exactly one");
  }
  const url = URL.parse(jwksUrl);
  if (url === null || !isFetchable(url)) {
    throw invalid("AUTH_JWKS_URL", "must be an http or https URL, without a password in it");
  }
  // Public-key algorithms only: with HS256 a published key could sign.
  const algorithm = oneOf(env, "AUTH_ALGORITHM", PUBLIC_KEY_ALGORITHMS);
  return { key: url, algorithm, ...claims };
}

function authSecrets(env: Variables): Secrets | undefined {
  const key = secret(env, "AUTH_SECRET");
  const previous = secret(env, "AUTH_SECRET_PREVIOUS");
  return key === undefined ? undefined : { secret: key, previous };
}

/** Sign sessions. Undefined if readers need a bearer token, or if unset. */
export function sessionSecrets(env: Variables): Secrets | undefined {
  if (anonymousLimit(env) === 0) return undefined;
  const own = secret(env, "SESSION_SECRET");
  return own === undefined ? authSecrets(env) : { secret: own, previous: undefined };
}

/**
 * For /healthz: throws UNAVAILABLE if the previous secret changes nothing. It
 * refuses no request: of two secrets that are set one after the other, the
 * first is alone for a while.
 */
export function checkRotation(env: Variables): void {
  const previous = text(env, "AUTH_SECRET_PREVIOUS");
  if (previous === undefined) return;
  const current = text(env, "AUTH_SECRET");
  if (current === undefined) throw invalid("AUTH_SECRET_PREVIOUS", "is set without AUTH_SECRET");
  if (current === previous) {
    throw invalid("AUTH_SECRET_PREVIOUS", "is the same as AUTH_SECRET: set it to the old one");
  }
}

/**
 * What a signature says, and which secret it was made with. Throws what
 * `verify` throws for the last secret that could be the right one.
 */
export async function verifiedWith<T>(
  { secret, previous }: Secrets,
  verify: (secret: Uint8Array) => Promise<T>,
): Promise<{ readonly verified: T; readonly secret: Uint8Array }> {
  try {
    return { verified: await verify(secret), secret };
  } catch (error) {
    const isOther = error instanceof errors.JWSSignatureVerificationFailed;
    if (previous === undefined || !isOther) throw error;
    return { verified: await verify(previous), secret: previous };
  }
}

/** A key to sign with. */
function secret(env: Variables, name: VariableName): Uint8Array | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  const bytes = new TextEncoder().encode(value);
  if (bytes.length < 32) throw invalid(name, "must be at least 32 bytes long");
  return bytes;
}
