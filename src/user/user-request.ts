// What a request says of the user and the connection: the edge has decided
// who it is, and passes it on in headers.

import type { IRequest } from "itty-router";
import type { Format } from "../formats/format.ts";
import { EVENTS_HAD } from "../protocol.ts";
import { decodeParameter, wholeParameter } from "../request.ts";
import type { Subscriber } from "./subscription.ts";

/** How the edge tells the object whose it is, percent-encoded. */
export const USER_HEADER = "x-belay-user";
/** Which of the readers that share the object is asking, if they do. */
export const IDENTITY_HEADER = "x-belay-identity";
/** Which call of an MCP client it is, so that the client can cancel it. */
export const CALL_HEADER = "x-belay-call";
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

export function identityOf(request: Request): string | null {
  return request.headers.get(IDENTITY_HEADER);
}

/** Clients that retry whenever a stream ends all accept only event streams. */
export function retriesByItself({ headers }: Request): boolean {
  const types = headers.get("accept")?.split(",") ?? [];
  const onlyStreams = types.every((type) => /^\s*text\/event-stream\s*(;|$)/i.test(type));
  return headers.has("last-event-id") || (types.length > 0 && onlyStreams);
}
