// The operator of a request. Every route under /admin is for operators.

import type { Variables } from "../config.ts";
import { ServiceError } from "../errors.ts";
import { API_PREFIX } from "../protocol.ts";
import { accessConfig, accessOperator } from "./access.ts";
import { authenticate, type Caller } from "./authentication.ts";
import { authenticationConfig } from "./signing.ts";

/** @param path Of a route, with named parameters. */
export function isForOperators(path: string): boolean {
  return path.startsWith(`${API_PREFIX}/admin/`);
}

/**
 * The operator by their bearer token or, without one, by Cloudflare Access.
 * Throws UNAUTHENTICATED or FORBIDDEN.
 */
export async function operatorOf(request: Request, env: Variables): Promise<Caller> {
  const caller =
    (await admitted(request, env)) ?? (await authenticate(request, authenticationConfig(env)));
  if (caller.operator) return caller;
  throw new ServiceError(
    "FORBIDDEN",
    "Only operators may do this. Send a bearer token with the scope or role operator.",
  );
}

/** Undefined if a bearer token decides. */
async function admitted(request: Request, env: Variables): Promise<Caller | undefined> {
  if (request.headers.has("authorization")) return undefined;
  const config = accessConfig(env);
  return config && accessOperator(request, config);
}
