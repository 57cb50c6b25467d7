// GET /healthz: whether every variable is right, and whether storage takes writes.

import { authenticationConfig, jurisdiction, sessionSecret, userConfig } from "../config.ts";
import { ServiceError } from "../errors.ts";
import { isWithin } from "../user/outage.ts";
import { type Env, generator, retriever, storageProbe } from "../wiring.ts";
import { allowedOrigins } from "./cors.ts";

/** How long a successful write counts, in ms: the route is public, and writes are billed. */
const WRITTEN_AGE_MAX_MS = 10_000;
/** How long a failed write counts, in ms. Kept here: the object that tried it is reset. */
const FAILED_AGE_MAX_MS = 1_000;
let writeFailedAt = Number.NEGATIVE_INFINITY;

/** Throws UNAVAILABLE, with a message that says what to mend. */
export async function health(env: Env): Promise<Response> {
  checkConfig(env);
  try {
    if (isWithin(writeFailedAt, FAILED_AGE_MAX_MS)) throw new Error("A write has just failed.");
    await storageProbe(env).tryWrite(WRITTEN_AGE_MAX_MS);
  } catch (cause) {
    if (!isWithin(writeFailedAt, FAILED_AGE_MAX_MS)) writeFailedAt = Date.now();
    throw new ServiceError(
      "UNAVAILABLE",
      "Storage takes no writes, so every ask is refused. Look at the disk and at the log.",
      { headers: { "retry-after": "10" }, cause },
    );
  }
  return new Response("ok\n", { headers: { "cache-control": "no-store" } });
}

/** Reads every variable, so that a bad one shows before the first ask. Throws UNAVAILABLE. */
export function checkConfig(env: Env): void {
  userConfig(env);
  authenticationConfig(env);
  sessionSecret(env);
  allowedOrigins(env);
  jurisdiction(env);
  retriever(env);
  generator(env);
}
