// Which pages may read our responses. A browser asks first (preflight), and is answered here without
// a bearer token and without waking an object.

const ALLOWED = {
  "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
  // A `*` would not cover Authorization. Last-Event-ID is read by nobody here, but some clients send
  // it when they ask again, and could not without this.
  "access-control-allow-headers": "Authorization, Content-Type, Idempotency-Key, Last-Event-ID",
  "access-control-max-age": "600",
} as const;

const EXPOSED = [
  "X-Query-Id",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
  "Idempotency-Replayed",
  "X-Should-Retry",
  "Server-Timing",
  "WWW-Authenticate",
].join(", ");

export function preflight(): Response {
  return new Response(null, { status: 204, headers: ALLOWED });
}

/** The response with the headers that let pages of the given origins read it. */
export function withCors(
  request: Request,
  response: Response,
  origins: readonly string[],
): Response {
  // The headers of a response that came from an object cannot be changed in place.
  const readable = new Response(response.body, response);
  readable.headers.append("vary", "Origin");
  readable.headers.set("x-content-type-options", "nosniff");
  const origin = request.headers.get("origin");
  if (origin !== null && origins.includes(origin)) {
    readable.headers.set("access-control-allow-origin", origin);
    readable.headers.set("access-control-expose-headers", EXPOSED);
  }
  return readable;
}
