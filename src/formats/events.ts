// Belay's own event stream (docs/protocol.md): each event is `data: <one-line
// JSON>` and a blank line. Each other form breaks a client in wide use.

import { encodeJson, type StreamEvent } from "../protocol.ts";
import type { Format, Refusal } from "./format.ts";

const HEADERS = {
  // Python's requests shows mojibake without the charset.
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
};

export const EVENTS: Format & Refusal = {
  streams: true,
  headers: { ...HEADERS, "x-accel-buffering": "no" },
  // A stream, if one was asked for: after a JSON body, clients in wide use
  // retry for ever.
  refusalHeaders: HEADERS,
  opening: ({ queryId }, quotaRemaining) => encodeEvent({ type: "start", queryId, quotaRemaining }),
  event: encodeEvent,
  heartbeat: () => encodeEvent({ type: "ping" }),
  closing: ({ queryId, sources, finish, found, quotaRemaining }) =>
    encodeEvent({ type: "done", queryId, sources, finish, found, quotaRemaining }),
  error: encodeEvent,
  refusal: ({ body }) => encodeEvent(body),
};

function encodeEvent(event: StreamEvent): string {
  return `data: ${encodeJson(event)}\n\n`;
}
