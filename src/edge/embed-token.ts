// The token of a page on another site that embeds Belay: a JWT that this server
// alone signs and reads. It is of use to one origin at one address.

import { base64url, jwtVerify, SignJWT } from "jose";
import { mac } from "./mac.ts";

const AGE_MAX_S = 60 * 60; /* 1 h */

/** The type tells it from a bearer token before any key is used. */
const HEADER = { alg: "HS256", typ: "belay-embed+jwt" } as const;
const BEGINNING = `${base64url.encode(JSON.stringify(HEADER))}.`;

export interface EmbedToken {
  /** Which reader. */
  readonly identity: string;
  /** The origin of the page, in lower case. */
  readonly origin: string;
  /** A hash of the reader's address. */
  readonly address: string;
}

/**
 * The request's token if it is a page's, still unchecked. One with another
 * header is left to the check of bearer tokens, which refuses it.
 */
export function embedTokenOf(request: Request): string | undefined {
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  return token?.startsWith(BEGINNING) ? token : undefined;
}

/** Signs it. `expiresAt` is ISO 8601 in UTC. */
export async function signedEmbedToken(
  { identity, origin, address }: EmbedToken,
  secret: Uint8Array,
): Promise<{ readonly token: string; readonly expiresAt: string }> {
  const expiresS = Math.floor(Date.now() / 1000) + AGE_MAX_S;
  const token = await new SignJWT({ origin, address })
    .setProtectedHeader(HEADER)
    .setSubject(identity)
    .setExpirationTime(expiresS)
    .sign(await tokenKey(secret));
  return { token, expiresAt: new Date(expiresS * 1000).toISOString() };
}

/**
 * What a token says. Throws an error of jose if it is not ours or has expired.
 * @param lateS For how long an expired one still counts.
 */
export async function verifiedEmbedToken(
  token: string,
  secret: Uint8Array,
  lateS = 0,
): Promise<EmbedToken> {
  const { payload } = await jwtVerify<Omit<EmbedToken, "identity">>(token, await tokenKey(secret), {
    algorithms: [HEADER.alg],
    typ: HEADER.typ,
    requiredClaims: ["sub", "exp", "origin", "address"],
    clockTolerance: lateS,
  });
  const { sub = "", origin, address } = payload;
  return { identity: sub, origin, address };
}

/** A derived key: it can never pass for a bearer token or a cookie. */
function tokenKey(secret: Uint8Array): Promise<Uint8Array> {
  return mac(secret, "embed token");
}
