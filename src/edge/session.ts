// Readers without a bearer token. A signed cookie says who a reader is. All
// readers of an address share its quota, so a new cookie gives no new quota.
// Each sees only their own questions.

import { base64url, jwtVerify, SignJWT } from "jose";
import { sessionSecret } from "../config.ts";
import { ServiceError } from "../errors.ts";
import { isSameOrigin } from "../origin.ts";
import { cookieOf } from "../request.ts";
import { ANONYMOUS } from "../user/settings.ts";
import type { Env } from "../wiring.ts";
import { addressOf } from "./address.ts";
import type { Caller } from "./authentication.ts";

/** How long browsers keep the cookie after each renewal. */
const AGE_MAX_S = 30 * 24 * 60 * 60; /* 30 d */

export interface SessionConfig {
  readonly secret: Uint8Array;
  /** Whether an address may start one more session. */
  admits(address: string): Promise<boolean>;
}

/** Undefined if every reader needs a bearer token. */
export function sessionConfig(env: Env): SessionConfig | undefined {
  const secret = sessionSecret(env);
  if (secret === undefined) return undefined;
  return {
    secret,
    admits: async (address) =>
      env.SESSION_RATE === undefined || (await env.SESSION_RATE.limit({ key: address })).success,
  };
}

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
  { secret }: SessionConfig,
): Promise<Caller | undefined> {
  const cookie = ownCookie(request);
  if (cookie === undefined) return undefined;
  if (!isSameOrigin(request)) throw otherSite();
  const identity = await identityIn(cookie, secret);
  return identity === undefined ? undefined : readerWith(identity, request, secret);
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
  const reader = await readerWith(identity, request, config.secret);
  return { ...reader, cookie: await signedCookie(identity, request, config.secret) };
}

/** A cookie for a new reader, or a renewed one for a known reader. */
export async function startSession(request: Request, config: SessionConfig): Promise<Response> {
  if (!isSameOrigin(request)) throw otherSite();
  const known = await identityIn(ownCookie(request) ?? "", config.secret);
  const identity = known ?? (await newIdentity(request, config));
  const cookie = await signedCookie(identity, request, config.secret);
  return new Response(null, {
    status: 204,
    headers: { "set-cookie": cookie, "cache-control": "no-store" },
  });
}

/** Costs one signature. `admits` limits even that, if the runtime counts. */
async function newIdentity(request: Request, { admits }: SessionConfig): Promise<string> {
  if (await admits(addressOf(request))) return crypto.randomUUID();
  throw new ServiceError(
    "TOO_MANY_SESSIONS",
    "Too many sessions were started from your address. Wait a minute, and keep the cookie.",
    { headers: { "retry-after": "60" } },
  );
}

async function readerWith(identity: string, request: Request, secret: Uint8Array): Promise<Caller> {
  return { userId: await sharedUserId(request, secret), operator: false, identity };
}

async function signedCookie(
  identity: string,
  request: Request,
  secret: Uint8Array,
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

async function identityIn(cookie: string, secret: Uint8Array): Promise<string | undefined> {
  try {
    const { payload } = await jwtVerify(cookie, await cookieKey(secret), {
      algorithms: ["HS256"],
      requiredClaims: ["sub", "exp"],
    });
    return payload.sub;
  } catch {
    // Expired, signed with an old secret, or forged: a new reader.
    return undefined;
  }
}

/** A derived key: a cookie can never pass for a bearer token, or vice versa. */
function cookieKey(secret: Uint8Array): Promise<Uint8Array> {
  return mac(secret, "session cookie");
}

/** All readers of an address share it. Its name has a hash of the address. */
async function sharedUserId(request: Request, secret: Uint8Array): Promise<string> {
  const hash = await mac(secret, `address ${addressOf(request)}`);
  return ANONYMOUS + base64url.encode(hash.subarray(0, 16));
}

async function mac(secret: Uint8Array, text: string): Promise<Uint8Array> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", secret, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text)));
}

function otherSite(): ServiceError {
  return new ServiceError(
    "FORBIDDEN",
    "A session can be used by pages of this site only. Send a bearer token instead.",
  );
}
