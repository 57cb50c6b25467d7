// Readers without a bearer token. All readers of an address share its quota, so
// a new session gives no new quota. Each sees only their own questions.

import { base64url } from "jose";
import { ServiceError } from "../errors.ts";
import { ANONYMOUS } from "../user/settings.ts";
import type { Env } from "../wiring.ts";
import { addressOf } from "./address.ts";
import type { Caller } from "./authentication.ts";
import { mac } from "./mac.ts";
import { type Secrets, sessionSecrets } from "./signing.ts";

export interface SessionConfig {
  readonly secrets: Secrets;
  /** Whether an address may start one more session. */
  admits(address: string): Promise<boolean>;
}

/** Undefined if every reader needs a bearer token. */
export function sessionConfig(env: Env): SessionConfig | undefined {
  const secrets = sessionSecrets(env);
  if (secrets === undefined) return undefined;
  return {
    secrets,
    admits: async (address) =>
      env.SESSION_RATE === undefined || (await env.SESSION_RATE.limit({ key: address })).success,
  };
}

/**
 * Costs one signature. `admits` limits even that, if the runtime counts.
 * Throws TOO_MANY_SESSIONS.
 */
export async function newIdentity(request: Request, { admits }: SessionConfig): Promise<string> {
  if (await admits(addressOf(request))) return crypto.randomUUID();
  throw new ServiceError(
    "TOO_MANY_SESSIONS",
    "Too many sessions were started from your address. Wait a minute, and keep the session.",
    { headers: { "retry-after": "60" } },
  );
}

/** The caller with this identity, whose quota is that of the address. */
export async function readerWith(
  identity: string,
  request: Request,
  { secrets }: SessionConfig,
): Promise<Caller> {
  return { userId: await sharedUserId(request, secrets), operator: false, identity };
}

/**
 * All readers of an address share it. Its name has a hash of the address, which
 * changes with the secret. During a rotation it stays, and so do the readers'
 * questions and their quota.
 */
async function sharedUserId(request: Request, { secret, previous }: Secrets): Promise<string> {
  const hash = await mac(previous ?? secret, `address ${addressOf(request)}`);
  return ANONYMOUS + base64url.encode(hash.subarray(0, 16));
}
