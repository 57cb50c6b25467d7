// Readers without a bearer token: who they are, which a signed cookie says, and whose quota they share,
// which their address says. A cookie that is thrown away therefore buys nothing, and who shares an
// address with others still sees only what they asked themselves.

import { base64url, jwtVerify, SignJWT } from "jose";
import type { SessionConfig } from "../config.ts";
import { ServiceError } from "../errors.ts";
import { ANONYMOUS } from "../user/settings.ts";
import { addressOf } from "./address.ts";
import type { Caller } from "./authentication.ts";

/** How long a browser keeps the cookie after it was last renewed, in seconds: as long as answers are kept. */
const AGE_MAX_S = 30 * 24 * 60 * 60; /* 30 d */

/** Who asks by the cookie; undefined if there is none, or none that we have signed and that still holds. */
export async function readerOf(
  request: Request,
  { secret }: SessionConfig,
): Promise<Caller | undefined> {
  const cookie = cookieOf(request);
  if (cookie === undefined) return undefined;
  refuseOtherSites(request);
  const identity = await identityIn(cookie, secret);
  if (identity === undefined) return undefined;
  const userId = await sharedUserId(request, secret);
  return { userId, operator: false, identity };
}

/**
 * A cookie for a new reader or, for one who has a cookie, the same identity for longer. Making a new
 * one costs us a signature and nothing else; `admits` bounds even that, where the runtime can count.
 */
export async function startSession(
  request: Request,
  { secret, admits }: SessionConfig,
): Promise<Response> {
  refuseOtherSites(request);
  let identity = await identityIn(cookieOf(request) ?? "", secret);
  if (identity === undefined) {
    if (!(await admits(addressOf(request)))) {
      throw new ServiceError(
        "TOO_MANY_SESSIONS",
        "Too many sessions were started from your address. Wait a minute, and keep the cookie.",
        { headers: { "retry-after": "60" } },
      );
    }
    identity = crypto.randomUUID();
  }
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(identity)
    .setExpirationTime(`${AGE_MAX_S}s`)
    .sign(await cookieKey(secret));
  const { name, secure } = cookieForm(request);
  const attributes = `Path=/; Max-Age=${AGE_MAX_S}; HttpOnly; SameSite=Strict${secure}`;
  return new Response(null, {
    status: 204,
    headers: { "set-cookie": `${name}=${token}; ${attributes}`, "cache-control": "no-store" },
  });
}

/** Browsers bind a name that begins with __Host- to this very host; but only over HTTPS. */
function cookieForm(request: Request): { name: string; secure: string } {
  return new URL(request.url).protocol === "https:"
    ? { name: "__Host-belay", secure: "; Secure" }
    : { name: "belay", secure: "" };
}

function cookieOf(request: Request): string | undefined {
  const prefix = `${cookieForm(request).name}=`;
  // Not trim(), to which more is white space than to a browser: a cookie whose name begins with some of
  // that is not bound to this host, and would come first.
  const cookies = (request.headers.get("cookie") ?? "").split(/;[ \t]*/);
  return cookies.find((text) => text.startsWith(prefix))?.slice(prefix.length);
}

async function identityIn(cookie: string, secret: Uint8Array): Promise<string | undefined> {
  try {
    const { payload } = await jwtVerify(cookie, await cookieKey(secret), {
      algorithms: ["HS256"],
      requiredClaims: ["sub", "exp"],
    });
    return payload.sub;
  } catch {
    // Expired, signed with a former secret, or made up: its sender is a new reader.
    return undefined;
  }
}

/** Not the secret itself: a cookie must never pass for a bearer token, nor the other way round. */
function cookieKey(secret: Uint8Array): Promise<Uint8Array> {
  return mac(secret, "session cookie");
}

/** The user object that all readers of one address share. Only a hash of the address goes into its name. */
async function sharedUserId(request: Request, secret: Uint8Array): Promise<string> {
  const hash = await mac(secret, `address ${addressOf(request)}`);
  return ANONYMOUS + base64url.encode(hash.subarray(0, 16));
}

async function mac(secret: Uint8Array, text: string): Promise<Uint8Array> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", secret, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text)));
}

/** Who sends a cookie along from another site's page has not asked for anything. */
function refuseOtherSites(request: Request): void {
  const site = request.headers.get("sec-fetch-site");
  const origin = request.headers.get("origin");
  const safe = request.method === "GET";
  // Browsers set Sec-Fetch-Site, which no page can, wherever the page came over HTTPS or from this
  // machine; and otherwise Origin, at least on whatever is not a GET.
  const same =
    site === null
      ? origin === null
        ? safe
        : URL.parse(origin)?.host === new URL(request.url).host
      : site === "same-origin";
  if (!same) {
    throw new ServiceError(
      "FORBIDDEN",
      "A session can be used by pages of this site only. Send a bearer token instead.",
    );
  }
}
