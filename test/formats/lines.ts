// A surface that only tests know: our body, answered in plain lines, one an
// event.

import type { Format, Refusal } from "../../src/formats/format.ts";
import type { Surface } from "../../src/formats/surface.ts";
import { parseAsk } from "../../src/user/ask.ts";

const HEADERS = { "content-type": "text/plain; charset=utf-8" };

export const LINES: Format & Refusal = {
  streams: true,
  headers: HEADERS,
  refusalHeaders: HEADERS,
  opening: ({ queryId }, quotaRemaining) => `1 begins ${queryId}, ${quotaRemaining} left\n`,
  event: (event, number) =>
    event.type === "sources"
      ? `${number} sources ${event.sources.length}\n`
      : `${number} ${JSON.stringify(event.token)}\n`,
  heartbeat: () => "#\n",
  closing: ({ queryId, finish, quotaRemaining }) =>
    `ends ${queryId}: ${finish}, ${quotaRemaining} left\n`,
  error: ({ code, message }) => `fails ${code}: ${message}\n`,
  refusal: ({ code, message }) => `fails ${code}: ${message}\n`,
};

export const LINES_SURFACE: Surface = {
  read: (body, readable) => ({ ask: parseAsk(body, readable), format: LINES }),
};
