// Sessions of pages on other sites. Browsers keep no cookie of ours there, so
// the page holds a token. A stolen token is of no use on another site or at
// another address: the page's origin and the reader's address are in it.

import { base64url, errors } from "jose";
import { ServiceError } from "../errors.ts";
import { json } from "../formats/json.ts";
import { originOf } from "../origin.ts";
import { addressOf } from "./address.ts";
import { type Caller, refused } from "./authentication.ts";
import {
  type EmbedToken,
  embedTokenOf,
  signedEmbedToken,
  verifiedEmbedToken,
} from "./embed-token.ts";
import { mac } from "./mac.ts";
import { newIdentity, readerWith, type SessionConfig } from "./session.ts";
import { type Secrets, verifiedWith } from "./signing.ts";

/** For how long an expired token can be exchanged for a new one. */
const RENEWABLE_S = 24 * 60 * 60; /* 1 d */

const NEW_ONE = "Get a new one with POST /api/v1/session.";

/**
 * A token for a page of a listed origin. With the page's last token the reader
 * stays the same. Throws FORBIDDEN for other origins, and TOO_MANY_SESSIONS.
 */
export async function startEmbedSession(
  request: Request,
  config: SessionConfig,
  origins: readonly string[],
): Promise<Response> {
  const origin = originHeader(request);
  if (origin === undefined || !origins.includes(origin)) throw notListed(origin);
  const { secret } = config.secrets;
  const last = await lastToken(request, config.secrets);
  const identity =
    last?.origin === origin && last.isFromHere ? last.identity : await newIdentity(request, config);
  const address = await addressHash(request, secret);
  return json(await signedEmbedToken({ identity, origin, address }, secret));
}

/**
 * The reader of a page's token. Throws UNAUTHENTICATED if it is not valid for
 * this page and this address now.
 * @param config Undefined if every reader needs a bearer token.
 */
export async function embedReaderOf(
  request: Request,
  config: SessionConfig | undefined,
  origins: readonly string[],
): Promise<Caller> {
  if (config === undefined) {
    throw refused("This deployment accepts no page's token. Send another bearer token.");
  }
  const { identity, origin, isFromHere } = await checkedToken(request, config.secrets);
  if (origin !== originHeader(request)) {
    throw refused(`This token belongs to a page of another origin. ${NEW_ONE}`);
  }
  if (!origins.includes(origin)) {
    throw refused("Pages of this origin may no longer ask here. Add it to EMBED_ORIGINS.");
  }
  if (!isFromHere) {
    throw refused(`This token was given to another address. ${NEW_ONE}`);
  }
  return readerWith(identity, request, config);
}

/** What a page's token says, and whether its address is the request's. */
interface Checked extends EmbedToken {
  readonly isFromHere: boolean;
}

async function checkedToken(request: Request, secrets: Secrets): Promise<Checked> {
  try {
    return await checked(embedTokenOf(request) ?? "", request, secrets);
  } catch (cause) {
    const what = cause instanceof errors.JWTExpired ? "has expired" : "is not valid here";
    throw refused(`The page's token ${what}. ${NEW_ONE}`);
  }
}

/** Undefined for a bearer token too: it starts no page's session. */
async function lastToken(request: Request, secrets: Secrets): Promise<Checked | undefined> {
  const token = embedTokenOf(request);
  if (token === undefined) return undefined;
  return checked(token, request, secrets, RENEWABLE_S).catch(() => undefined);
}

async function checked(
  token: string,
  request: Request,
  secrets: Secrets,
  lateS?: number,
): Promise<Checked> {
  const { verified, secret } = await verifiedWith(secrets, (one) =>
    verifiedEmbedToken(token, one, lateS),
  );
  // Its hash was made with the secret that signed it.
  return { ...verified, isFromHere: verified.address === (await addressHash(request, secret)) };
}

/** Another one than in the name of the user object. */
async function addressHash(request: Request, secret: Uint8Array): Promise<string> {
  const hash = await mac(secret, `embed address ${addressOf(request)}`);
  return base64url.encode(hash.subarray(0, 16));
}

/** Safari writes the ids of its extensions in capitals. */
function originHeader(request: Request): string | undefined {
  return request.headers.get("origin")?.toLowerCase();
}

/** Any page may read why: the person who embeds Belay has to see it. */
function notListed(origin: string | undefined): ServiceError {
  return new ServiceError("FORBIDDEN", `${whyNotListed(origin)} A bearer token needs no session.`, {
    headers: { "access-control-allow-origin": "*" },
  });
}

function whyNotListed(origin: string | undefined): string {
  if (origin === undefined) {
    return "Only pages can start a session: of this site, or of an origin in EMBED_ORIGINS.";
  }
  if (origin === "null") {
    return "A page that was opened as a file or in a sandbox has no origin. Serve it over HTTP, and add its origin to EMBED_ORIGINS.";
  }
  const named = originOf(origin) === origin ? origin : "its origin";
  return `This page is not of this site. To let it ask, add ${named} to EMBED_ORIGINS.`;
}
