// What a request says of the user and the connection. The edge has decided who
// the user is, and says so in headers.

import type { IRequest } from "itty-router";
import type { Format } from "../formats/format.ts";
import { DEFAULT_COLLECTION, EVENTS_HAD } from "../protocol.ts";
import { decodeParameter, wholeParameter } from "../request.ts";
import type { Subscriber } from "./subscription.ts";

/** The user's name, percent-encoded. */
export const USER_HEADER = "x-belay-user";
/** The reader who asks, where several share the object. */
export const IDENTITY_HEADER = "x-belay-identity";
/** The collections that the user may read, if not only `default`. */
export const COLLECTIONS_HEADER = "x-belay-collections";
/** The name of an MCP client's call, by which it cancels the call. */
export const CALL_HEADER = "x-belay-call";
/** `limit` of the bearer token, if it has one. */
export const LIMIT_HEADER = "x-belay-limit";
/** The client's own, if it is well formed. */
export const TRACE_HEADER = "traceparent";
/** The client's round trip, in milliseconds. */
export const ROUND_TRIP_HEADER = "x-belay-round-trip-ms";

export function subscriberOf(request: Request, format: Format, after: number): Subscriber {
  const roundTripMs = request.headers.get(ROUND_TRIP_HEADER);
  return {
    identity: identityOf(request),
    format,
    after,
    signal: request.signal,
    roundTripMs: roundTripMs === null ? undefined : Number(roundTripMs),
  };
}

export function afterOf(request: Request): number {
  const { searchParams } = new URL(request.url);
  return wholeParameter(searchParams, "after", EVENTS_HAD);
}

export function idOf({ id = "" }: IRequest["params"]): string {
  return decodeParameter(id);
}

export function userNameOf(request: Request): string {
  return decodeURIComponent(request.headers.get(USER_HEADER) ?? "");
}

/** Null if the bearer token has no limit. */
export function claimedLimitOf({ headers }: Request): number | null {
  const limit = headers.get(LIMIT_HEADER);
  return limit === null ? null : Number(limit);
}

export function traceOf({ headers }: Request): string | undefined {
  return headers.get(TRACE_HEADER) ?? undefined;
}

export function identityOf(request: Request): string | null {
  return request.headers.get(IDENTITY_HEADER);
}

/** May be empty. */
export function readableOf(request: Request): readonly string[] {
  const names = request.headers.get(COLLECTIONS_HEADER);
  if (names === null) return [DEFAULT_COLLECTION];
  return names === "" ? [] : names.split(",");
}

/** Clients that retry whenever a stream ends all accept only event streams. */
export function retriesByItself({ headers }: Request): boolean {
  const types = headers.get("accept")?.split(",") ?? [];
  const onlyStreams = types.every((type) => /^\s*text\/event-stream\s*(;|$)/i.test(type));
  return headers.has("last-event-id") || (types.length > 0 && onlyStreams);
}
