// The AI SDK's UI message stream: what `useChat` reads (docs/surfaces.md). An
// answer is one message, with the query's id as its own. The charge follows
// the acceptance of the write that ends with `[DONE]`.

import { type ErrorBody, encodeJson, type Source } from "../protocol.ts";
import { EVENTS } from "./events.ts";
import type { Format, WholeAnswer } from "./format.ts";
import { JSON_BODY } from "./json.ts";

/** The message's only text. Text ids are unique within a message. */
const TEXT_ID = "answer";
const DELTA_HEAD = `data: {"type":"text-delta","id":"${TEXT_ID}","delta":`;
const DONE = "data: [DONE]\n\n";

export const UI_MESSAGE: Format = {
  streams: true,
  headers: { ...EVENTS.headers, "x-vercel-ai-ui-message-stream": "v1" },
  errorHeaders: EVENTS.errorHeaders,
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
  // The SDK's own sign of life.
  heartbeat: () => ": keep-alive\n\n",
  closing: (answer) => chunk({ type: "text-end", id: TEXT_ID }) + parts(answer) + finish(answer),
  error: (error) => failure(error) + ending(error) + DONE,
};

/**
 * Before a stream: the sentence alone, since `useChat` shows the whole body as
 * its error's message.
 */
export const UI_MESSAGE_REFUSAL: Format = {
  ...JSON_BODY,
  errorHeaders: { ...JSON_BODY.errorHeaders, "content-type": "text/plain; charset=utf-8" },
  error: ({ message }) => message,
};

/**
 * Only at the end: chats show these as what the answer rests on, and passages
 * that were merely close are not that.
 */
function parts({ found, sources }: WholeAnswer): string {
  return found ? sources.map(part).join("") : "";
}

/** All of them, in order: a chat that numbers its list agrees with the text. */
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

/** Kept with the message, since the SDK's own error has the sentence alone. */
function failure({ code, message, quotaRemaining }: ErrorBody): string {
  return metadata({ error: { code, message }, quotaRemaining });
}

/** A stopped answer is no error to the SDK. */
function ending({ code, message }: ErrorBody): string {
  return code === "CANCELLED"
    ? chunk({ type: "abort", reason: message })
    : chunk({ type: "error", errorText: message });
}

/** Merged into what the message has already. */
function metadata(messageMetadata: Readonly<Record<string, unknown>>): string {
  return chunk({ type: "message-metadata", messageMetadata });
}

function chunk(value: { readonly type: string; readonly [member: string]: unknown }): string {
  return `data: ${encodeJson(value)}\n\n`;
}
