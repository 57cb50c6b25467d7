// A bearer token for one user, signed with AUTH_SECRET.

import { SignJWT } from "jose";
import { Failure } from "./command.ts";
import { makeAuthSecret, type Variables, variables } from "./variables.ts";

export interface Bearer {
  readonly user: string;
  readonly operator?: boolean;
  /** Those that the user may read. */
  readonly collections?: readonly string[];
  readonly seconds: number;
}

/**
 * Signed with the secret of .dev.vars, which is made if it does not exist.
 * @param instead What to do where an identity provider signs.
 */
export async function signedHere(bearer: Bearer, instead = ""): Promise<string> {
  await makeAuthSecret();
  return bearerToken(await variables(), bearer, instead);
}

export async function bearerToken(all: Variables, bearer: Bearer, instead = ""): Promise<string> {
  const { AUTH_SECRET, AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE } = all;
  if (!AUTH_SECRET) {
    throw new Failure(
      AUTH_JWKS_URL
        ? `AUTH_JWKS_URL is set, so only its identity provider can sign bearer tokens. ${instead}`.trim()
        : "AUTH_SECRET is not set, so no bearer token can be signed.",
    );
  }
  const secret = new TextEncoder().encode(AUTH_SECRET);
  // The server refuses such a secret too.
  if (secret.length < 32) throw new Failure("AUTH_SECRET must be at least 32 bytes long.");
  const now = Math.floor(Date.now() / 1000);
  const { operator, collections } = bearer;
  const claims = { ...(operator && { scope: "operator" }), ...(collections && { collections }) };
  const token = new SignJWT(claims)
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(bearer.user)
    .setIssuedAt(now)
    .setExpirationTime(now + bearer.seconds);
  if (AUTH_ISSUER) token.setIssuer(AUTH_ISSUER);
  if (AUTH_AUDIENCE) token.setAudience(AUTH_AUDIENCE);
  return token.sign(secret);
}
