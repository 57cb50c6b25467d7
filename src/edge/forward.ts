// Requests to objects. An object never gets the client's own request with its
// cookie and bearer token: headers say who the client is.

import { isDefaultAlone } from "../collections.ts";
import { ServiceError } from "../errors.ts";
import { refuseCompressed, withoutRepeats } from "../request.ts";
import {
  CALL_HEADER,
  COLLECTIONS_HEADER,
  IDENTITY_HEADER,
  LIMIT_HEADER,
  ROUND_TRIP_HEADER,
  TRACE_HEADER,
  USER_HEADER,
} from "../user/user-request.ts";

/** W3C Trace Context, version 00. Anything else is not passed on. */
const TRACEPARENT = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** The stub of an object. */
interface Fetched {
  fetch(request: Request): Promise<Response>;
}

/** The caller, as an object needs it. */
export interface Sender {
  readonly userId?: string;
  readonly identity?: string | undefined;
  /** Those that the sender may read; only `default` if left out. */
  readonly collections?: readonly string[] | undefined;
  /** `limit` of the bearer token. */
  readonly limit?: number | undefined;
  /** The name of an MCP client's call, by which it cancels the call. */
  readonly call?: string | undefined;
}

export interface Forwarding extends Sender {
  readonly method?: string;
}

/** A new request to an object with what it needs of the client's. */
export async function forward(
  object: Fetched,
  request: Request,
  { method = request.method === "HEAD" ? "GET" : request.method, ...sender }: Forwarding = {},
): Promise<Response> {
  // Some clients send a body with GET.
  const body = method === "GET" || method === "HEAD" ? null : request.body;
  if (body !== null) refuseCompressed(request);
  const headers = headersFor(request, sender);
  for (const name of ["content-type", "idempotency-key", "accept", "last-event-id"]) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const { pathname, searchParams } = new URL(request.url);
  return send(object, `${pathname}?${withoutRepeats(searchParams)}`, { method, headers, body });
}

/** The headers by which an object knows its sender. */
export function headersFor(
  request: Request,
  { userId, identity, collections, limit, call }: Sender,
): Headers {
  const headers = new Headers();
  if (userId !== undefined) headers.set(USER_HEADER, encodeURIComponent(userId));
  if (identity !== undefined) headers.set(IDENTITY_HEADER, identity);
  if (collections !== undefined && !isDefaultAlone(collections)) {
    headers.set(COLLECTIONS_HEADER, collections.join(","));
  }
  if (limit !== undefined) headers.set(LIMIT_HEADER, `${limit}`);
  if (call !== undefined) headers.set(CALL_HEADER, call);
  const trace = request.headers.get(TRACE_HEADER) ?? "";
  if (TRACEPARENT.test(trace)) headers.set(TRACE_HEADER, trace);
  const roundTripMs = (request.cf as IncomingRequestCfProperties | undefined)?.clientTcpRtt;
  // wrangler dev says 0 for unknown.
  if (roundTripMs) headers.set(ROUND_TRIP_HEADER, String(roundTripMs));
  return headers;
}

/** @param init Its signal disconnects from the object. */
export function send(object: Fetched, path: string, init: RequestInit): Promise<Response> {
  const request = new Request(`https://object${path}`, init);
  return orUnavailable(object.fetch(request), init.signal);
}

/** What an object answers, or UNAVAILABLE if it cannot. */
export async function orUnavailable<T>(
  answer: Promise<T>,
  signal?: AbortSignal | null,
): Promise<T> {
  try {
    return await answer;
  } catch (thrown) {
    if (signal?.aborted) throw thrown;
    // The object was redeployed, reset or overloaded. It refunds what it had
    // reserved.
    console.error("An object could not answer:", thrown);
    throw new ServiceError("UNAVAILABLE", "The service could not answer just now. Try again.", {
      headers: { "retry-after": "1" },
      cause: thrown,
    });
  }
}
