// GET /healthz: whether every variable is valid, and storage takes writes.

import { authenticationConfig, jurisdiction, sessionSecret, userConfig } from "../config.ts";
import { ServiceError } from "../errors.ts";
import { Outage } from "../user/outage.ts";
import { copyCount, type Env, generator, retriever, rewriter, storageProbe } from "../wiring.ts";
import { allowedOrigins } from "./cors.ts";

/**
 * How long a successful write counts: the route is public, writes are billed.
 */
const WRITTEN_AGE_MAX_MS = 10_000;

/** By namespace. The object cannot keep it: a failed write resets the object. */
const outages = new WeakMap<object, Outage>();

/** Throws UNAVAILABLE with a message that says what to fix. */
export async function health(env: Env): Promise<Response> {
  checkConfig(env);
  const outage =
    outages.get(env.USERS) ?? new Outage((maxAgeMs) => storageProbe(env).tryWrite(maxAgeMs));
  outages.set(env.USERS, outage);
  if (await outage.check(WRITTEN_AGE_MAX_MS)) {
    throw new ServiceError(
      "UNAVAILABLE",
      "Storage takes no writes, so every ask is refused. Look at the disk and at the log.",
      { headers: { "retry-after": "10" } },
    );
  }
  return new Response("ok\n", { headers: { "cache-control": "no-store" } });
}

/**
 * Reads every variable, so that a wrong one shows before the first ask. Throws
 * UNAVAILABLE.
 */
export function checkConfig(env: Env): void {
  userConfig(env);
  authenticationConfig(env);
  sessionSecret(env);
  allowedOrigins(env);
  jurisdiction(env);
  copyCount(env);
  retriever(env);
  generator(env);
  rewriter(env);
}
