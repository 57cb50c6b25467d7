// The AI SDK's UI message stream, which `useChat` reads (docs/surfaces.md). An
// answer is one message, whose id is the query's. The charge follows the
// acceptance of the write that ends with `[DONE]`.

import { type ErrorBody, encodeJson, type Source } from "../protocol.ts";
import { EVENTS } from "./events.ts";
import type { Format, Refusal, WholeAnswer } from "./format.ts";

/** The message's only text. Text ids are unique within a message. */
const TEXT_ID = "answer";
const DELTA_HEAD = `data: {"type":"text-delta","id":"${TEXT_ID}","delta":`;
const DONE = "data: [DONE]\n\n";

export const UI_MESSAGE: Format = {
  streams: true,
  headers: { ...EVENTS.headers, "x-vercel-ai-ui-message-stream": "v1" },
  opening: ({ queryId }, quotaRemaining) =>
    chunk({
      type: "start",
      messageId: queryId,
      messageMetadata: { queryId, quotaRemaining },
    }),
  event: (event) =>
    event.type === "token"
      ? `${DELTA_HEAD}${encodeJson(event.token)}}\n\n`
      : metadata({ sources: event.sources }) + chunk({ type: "text-start", id: TEXT_ID }),
  // Every reader of event streams skips it.
  heartbeat: () => ": keep-alive\n\n",
  closing: (answer) => chunk({ type: "text-end", id: TEXT_ID }) + parts(answer) + finish(answer),
  error: (error) => failure(error) + ending(error) + DONE,
};

/** The message of useChat's error is the whole body. */
export const UI_MESSAGE_REFUSAL: Refusal = {
  refusalHeaders: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  refusal: ({ message }) => message,
};

/** It tells the SDK that nothing is being written. */
export function nothingToResume(): Response {
  return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
}

/**
 * Chats show these as what the answer rests on. So they come once it is known
 * that something was found.
 */
function parts({ found, sources }: WholeAnswer): string {
  return found ? sources.map(part).join("") : "";
}

/** Each source has one, so a numbered list agrees with the text. */
function part({ n, title, url }: Source): string {
  const sourceId = `${n}`;
  return url === null
    ? chunk({ type: "source-document", sourceId, mediaType: "text/markdown", title })
    : chunk({ type: "source-url", sourceId, url, title });
}

function finish({ finish, found, sources, quotaRemaining }: WholeAnswer): string {
  return (
    chunk({
      type: "finish",
      finishReason: finish,
      messageMetadata: { quotaRemaining, sources, finish, found },
    }) + DONE
  );
}

/** What the SDK's own error has no place for. */
function failure({ code, message, quotaRemaining }: ErrorBody): string {
  return metadata({ error: { code, message }, quotaRemaining });
}

/** To the SDK, a stopped answer is no error. */
function ending({ code, message }: ErrorBody): string {
  return code === "CANCELLED"
    ? chunk({ type: "abort", reason: message })
    : chunk({ type: "error", errorText: message });
}

/** The SDK merges it into what the message has. */
function metadata(messageMetadata: Readonly<Record<string, unknown>>): string {
  return chunk({ type: "message-metadata", messageMetadata });
}

function chunk(value: { readonly type: string; readonly [member: string]: unknown }): string {
  return `data: ${encodeJson(value)}\n\n`;
}
