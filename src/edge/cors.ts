// Which pages may read our responses. Preflights are answered here, without a
// bearer token and without waking an object.

import {
  corsOrigins,
  embedOrigins,
  invalid,
  type VariableName,
  type Variables,
} from "../config.ts";
import { kept } from "../kept.ts";
import { meantOrigin, originOf } from "../origin.ts";

const ALLOWED_METHODS = "GET, POST, PUT, PATCH, DELETE";
// A `*` would not cover Authorization. We do not read Last-Event-ID, but some
// clients send it when they reconnect.
const ALLOWED_HEADERS = ["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"];
const MAX_AGE_S = "600"; /* 10 min */

/** Clients add fewer; without a limit strangers could enlarge responses. */
const REQUESTED_MAX = 64;
const REQUESTED_LENGTH_MAX = 4_096;

const EXPOSED = [
  "X-Query-Id",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
  "Idempotency-Replayed",
  "X-Should-Retry",
  "Server-Timing",
  "WWW-Authenticate",
  "Mcp-Session-Id",
].join(", ");

/**
 * The origins whose pages may read responses, in lower case: those of
 * CORS_ORIGINS and EMBED_ORIGINS. Throws UNAVAILABLE for an inexact one.
 */
export const allowedOrigins = kept((env: Variables) => [
  ...exactOrigins("CORS_ORIGINS", corsOrigins(env)),
  ...exactOrigins("EMBED_ORIGINS", embedOrigins(env)),
]);

/** The origins whose pages may start a session: those of EMBED_ORIGINS. */
export const embeddingOrigins = kept((env: Variables) =>
  exactOrigins("EMBED_ORIGINS", embedOrigins(env)),
);

function exactOrigins(name: VariableName, origins: readonly string[]): readonly string[] {
  for (const [index, origin] of origins.entries()) {
    if (origin === "" || originOf(origin) === origin) continue;
    if (origin === "null") throw invalid(name, "must not hold null: any page can be null");
    const meant = meantOrigin(origin);
    throw invalid(
      name,
      `must list exact origins such as https://example.com or tauri://localhost, with commas between, and without paths and wildcards${
        meant === undefined ? "" : `: write ${meant} for number ${index + 1}`
      }`,
    );
  }
  return origins.filter((origin) => origin !== "");
}

/**
 * Answers a preflight. Clients and tracers add headers that we do not read:
 * pages of an allowed origin may send any.
 */
export function preflight(request: Request, origins: readonly string[]): Response {
  const names = isAllowed(request, origins) ? requestedHeaders(request) : [];
  const known = new Set(ALLOWED_HEADERS.map((name) => name.toLowerCase()));
  const others = names.filter((name) => !known.has(name.toLowerCase()));
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": ALLOWED_METHODS,
      "access-control-allow-headers": [...ALLOWED_HEADERS, ...new Set(others)].join(", "),
      "access-control-max-age": MAX_AGE_S,
      vary: "Access-Control-Request-Headers",
    },
  });
}

/** The names that are tokens (RFC 9110, 5.6.2); none if there are too many. */
function requestedHeaders(request: Request): string[] {
  const list = request.headers.get("access-control-request-headers") ?? "";
  if (list.length > REQUESTED_LENGTH_MAX) return [];
  const names = list.split(",").map((name) => name.trim());
  return names.length > REQUESTED_MAX
    ? []
    : names.filter((name) => /^[!#$%&'*+.^`|~\w-]+$/.test(name));
}

function isAllowed(request: Request, origins: readonly string[]): boolean {
  const origin = request.headers.get("origin");
  // Safari writes the ids of its extensions in capitals.
  return origin !== null && origins.includes(origin.toLowerCase());
}

/** Adds the headers that let pages of these origins read the response. */
export function withCors(
  request: Request,
  response: Response,
  origins: readonly string[],
): Response {
  // The headers of an object's response cannot be changed.
  const readable = new Response(response.body, response);
  readable.headers.append("vary", "Origin");
  readable.headers.set("x-content-type-options", "nosniff");
  if (isAllowed(request, origins)) {
    readable.headers.set("access-control-allow-origin", request.headers.get("origin") ?? "");
    readable.headers.set("access-control-expose-headers", EXPOSED);
  }
  return readable;
}
