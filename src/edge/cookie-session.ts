// Sessions of our own page. A signed cookie says who a reader is.

import { jwtVerify, SignJWT } from "jose";
import { ServiceError } from "../errors.ts";
import { isSameOrigin } from "../origin.ts";
import { cookieOf } from "../request.ts";
import type { Caller } from "./authentication.ts";
import { mac } from "./mac.ts";
import { newIdentity, readerWith, type SessionConfig } from "./session.ts";
import { type Secrets, verifiedWith } from "./signing.ts";

/** How long browsers keep the cookie after each renewal. */
const AGE_MAX_S = 30 * 24 * 60 * 60; /* 30 d */

/** A reader whose session began with this request. */
export interface NewReader extends Caller {
  /** The `Set-Cookie` for the response, whatever its status. */
  readonly cookie: string;
}

/**
 * The reader of the cookie; undefined if it is missing, expired or not signed
 * by us. CSRF: throws FORBIDDEN for a cookie that another site's page sent.
 */
export async function readerOf(
  request: Request,
  config: SessionConfig,
): Promise<Caller | undefined> {
  const cookie = ownCookie(request);
  if (cookie === undefined) return undefined;
  if (!isSameOrigin(request)) throw otherSite();
  const identity = await identityIn(cookie, config.secrets);
  return identity === undefined ? undefined : readerWith(identity, request, config);
}

/**
 * Starts a session for a page of this origin without a cookie. Undefined for
 * all others: another site must not choose a browser's identity here, and
 * programs can send a bearer token. Throws TOO_MANY_SESSIONS.
 */
export async function newReaderOf(
  request: Request,
  config: SessionConfig,
): Promise<NewReader | undefined> {
  if (!isSameOrigin(request)) return undefined;
  const identity = await newIdentity(request, config);
  const reader = await readerWith(identity, request, config);
  return { ...reader, cookie: await signedCookie(identity, request, config.secrets) };
}

/**
 * A cookie for a new reader, or a renewed one for a known reader. The caller
 * has checked that a page of this origin asks.
 */
export async function startCookieSession(
  request: Request,
  config: SessionConfig,
): Promise<Response> {
  const known = await identityIn(ownCookie(request) ?? "", config.secrets);
  const identity = known ?? (await newIdentity(request, config));
  const cookie = await signedCookie(identity, request, config.secrets);
  return new Response(null, {
    status: 204,
    headers: { "set-cookie": cookie, "cache-control": "no-store" },
  });
}

async function signedCookie(
  identity: string,
  request: Request,
  { secret }: Secrets,
): Promise<string> {
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(identity)
    .setExpirationTime(`${AGE_MAX_S}s`)
    .sign(await cookieKey(secret));
  const { name, secure } = cookieForm(request);
  return `${name}=${token}; Path=/; Max-Age=${AGE_MAX_S}; HttpOnly; SameSite=Strict${secure}`;
}

/** Browsers bind a __Host- name to this host, but over HTTPS only. */
function cookieForm(request: Request): { name: string; secure: string } {
  return new URL(request.url).protocol === "https:"
    ? { name: "__Host-belay", secure: "; Secure" }
    : { name: "belay", secure: "" };
}

function ownCookie(request: Request): string | undefined {
  return cookieOf(request, cookieForm(request).name);
}

async function identityIn(cookie: string, secrets: Secrets): Promise<string | undefined> {
  try {
    const { verified } = await verifiedWith(secrets, async (secret) =>
      jwtVerify(cookie, await cookieKey(secret), {
        algorithms: ["HS256"],
        requiredClaims: ["sub", "exp"],
      }),
    );
    return verified.payload.sub;
  } catch {
    // Expired, signed with an older secret, or forged: a new reader.
    return undefined;
  }
}

/** A derived key: a cookie can never pass for a bearer token, or vice versa. */
function cookieKey(secret: Uint8Array): Promise<Uint8Array> {
  return mac(secret, "session cookie");
}

function otherSite(): ServiceError {
  return new ServiceError(
    "FORBIDDEN",
    "The session's cookie can be used by pages of this site only. Send a bearer token instead.",
  );
}
