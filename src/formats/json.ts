// Belay's own JSON (docs/protocol.md): an answer in one body, and every other
// response.

import { type AnswerBody, encodeJson } from "../protocol.ts";
import type { Format, Refusal } from "./format.ts";

const HEADERS = { "content-type": "application/json", "cache-control": "no-store" };

/** A format that writes one JSON body at the end. */
export function bodyFormat(closing: Format["closing"], error: Format["error"]): Format {
  return {
    streams: false,
    headers: {
      ...HEADERS,
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
    },
    opening: () => "",
    event: () => "",
    // JSON allows white space before a value.
    heartbeat: () => " ",
    closing,
    error,
  };
}

export const JSON_BODY: Format & Refusal = {
  ...bodyFormat(
    ({ queryId, tokens, sources, finish, found, quotaRemaining }) =>
      encodeJson({
        queryId,
        answer: tokens.join(""),
        sources,
        finish,
        found,
        quotaRemaining,
      } satisfies AnswerBody),
    encodeJson,
  ),
  refusalHeaders: HEADERS,
  refusal: ({ body }) => encodeJson(body),
};

/** What an operator has changed, as JSON: the edge notes it, and removes it. */
export const CHANGE_HEADER = "x-belay-change";

/** A value as a response that no cache keeps. */
export function json(body: unknown, status = 200): Response {
  return new Response(encodeJson(body), { status, headers: HEADERS });
}
