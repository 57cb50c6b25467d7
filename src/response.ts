// A value as a JSON response that nothing on the way may keep. How an error is sent is in errors.ts, and
// how an answer is, in user/reading.ts.

import { encodeJson } from "./protocol.ts";

export function json(body: unknown, status = 200): Response {
  return new Response(encodeJson(body), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });
}
