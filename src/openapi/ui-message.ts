// The AI SDK's chat: its UI message stream.

import * as v from "valibot";
import { BODY } from "../formats/ui-message-request.ts";
import { count, errorCode, finish, source } from "./bodies.ts";
import { ANSWER_HEADERS, type HeaderName } from "./headers.ts";
import { type Part, shape } from "./operation.ts";
import { askedTooOften, idempotencyKey } from "./readers.ts";
import { ASK_ERRORS } from "./refusals.ts";

const event = v.variant("type", [
  v.object({
    type: v.literal("start"),
    messageId: v.string(),
    messageMetadata: v.object({ queryId: v.string(), quotaRemaining: count }),
  }),
  v.object({
    type: v.literal("message-metadata"),
    messageMetadata: v.object({
      sources: v.exactOptional(v.array(source)),
      error: v.exactOptional(v.object({ code: errorCode, message: v.string() })),
      quotaRemaining: v.exactOptional(count),
    }),
  }),
  v.object({ type: v.literal("text-start"), id: v.string() }),
  v.object({ type: v.literal("text-delta"), id: v.string(), delta: v.string() }),
  v.object({ type: v.literal("text-end"), id: v.string() }),
  v.object({
    type: v.literal("source-url"),
    sourceId: v.string(),
    url: v.string(),
    title: v.string(),
  }),
  v.object({
    type: v.literal("source-document"),
    sourceId: v.string(),
    mediaType: v.literal("text/markdown"),
    title: v.string(),
  }),
  v.object({
    type: v.literal("finish"),
    finishReason: finish,
    messageMetadata: v.object({
      quotaRemaining: count,
      sources: v.array(source),
      finish,
      found: v.boolean(),
    }),
  }),
  v.object({ type: v.literal("abort"), reason: v.string() }),
  v.object({ type: v.literal("error"), errorText: v.string() }),
]);

const HEADERS: readonly HeaderName[] = [...ANSWER_HEADERS, "X-Vercel-AI-UI-Message-Stream"];

export function uiMessage(): Part {
  return {
    tag: "AI SDK",
    about: "For `useChat` and its default transport.",
    refusal: "text",
    shapes: {
      ChatBody: shape(BODY, "A chat. Members that are not here are the application's own.", {
        id: "The chat's id, by which its answer is found again.",
        messages: "The last one of the user is the question; those before it are the history.",
        trigger: "`regenerate-message` asks for another answer.",
        belay: "Our own options, as in `AskBody`.",
      }),
      UiMessageEvent: {
        schema: event,
        about:
          "The JSON after `data: ` of one event. The last event is `data: [DONE]`, after `finish`, `error` or `abort`.",
      },
    },
    operations: [
      {
        route: "POST /api/v1/ai/chat",
        id: "chat",
        startsSession: true,
        summary: "Ask the last question of a chat",
        about: "Charged, refunded and limited as any other ask.",
        callers: "readers",
        parameters: [idempotencyKey],
        body: {
          shape: "ChatBody",
          examples: {
            chat: {
              id: "c-1",
              trigger: "submit-message",
              messages: [
                {
                  role: "user",
                  parts: [{ type: "text", text: "When am I charged?" }],
                },
              ],
            },
          },
        },
        replies: {
          200: {
            about: "The answer.",
            headers: [...HEADERS, "Set-Cookie"],
            events: "UiMessageEvent",
          },
          204: askedTooOften,
        },
        errors: ASK_ERRORS,
      },
      {
        route: "GET /api/v1/ai/chat/:id/stream",
        id: "resumeChat",
        summary: "The answer of a chat that is being written, from its beginning",
        callers: "readers",
        parameters: [
          {
            name: "id",
            in: "path",
            about: "The chat's id.",
            schema: { type: "string" },
            example: "c-1",
          },
        ],
        replies: {
          200: { about: "The answer.", headers: HEADERS, events: "UiMessageEvent" },
          204: { about: "Nothing is being written." },
        },
        errors: ["NOT_FOUND", "NOT_KEPT", "TOO_MANY_STREAMS"],
      },
    ],
  };
}
