// The body of the AI SDK's chat: `{ id, messages, trigger }`, with the whole
// chat in every request. The last message of the user is the question.

import * as v from "valibot";
import { searchedCollections } from "../collections.ts";
import { ServiceError } from "../errors.ts";
import { MAX_TOKENS, QUERY_LENGTH_MAX } from "../protocol.ts";
import { check, textOf } from "../request.ts";
import {
  conversation,
  joined,
  MAX_TOKENS_FIELD,
  type Message,
  OPTIONS,
  TEMPERATURE_FIELD,
} from "./conversation.ts";
import type { Asked, Surface } from "./surface.ts";
import { UI_MESSAGE } from "./ui-message.ts";

const PART = v.pipe(
  v.looseObject({ type: v.string() }),
  v.check(({ type, text }) => type !== "text" || typeof text === "string", "must have a text"),
);

const MESSAGE = v.object({
  role: v.picklist(["system", "user", "assistant"], 'must be "system", "user" or "assistant"'),
  parts: v.array(PART),
});

/** The transport has no names for options, so all are ours. */
const OWN = v.nullish(
  v.strictObject({
    ...OPTIONS,
    maxTokens: MAX_TOKENS_FIELD,
    temperature: TEMPERATURE_FIELD,
  }),
  {},
);

/** Other fields are the application's own. */
export const BODY = v.object({
  id: v.nullish(textOf(1, 200)),
  messages: v.array(MESSAGE),
  trigger: v.nullish(v.string()),
  belay: OWN,
});

type UiMessage = v.InferOutput<typeof MESSAGE>;

export const UI_CHAT: Surface = { read };

function read(body: unknown, readable: readonly string[]): Asked {
  const { id, messages, trigger, belay } = check(BODY, body);
  // The answer replaces what follows the question.
  const at = messages.findLastIndex(({ role }) => role === "user");
  checkQuestion(messages[at]);
  return {
    format: UI_MESSAGE,
    chat: id ?? undefined,
    // The user has seen the answer, and wants another one.
    again: trigger === "regenerate-message",
    ask: {
      collections: searchedCollections(belay.collections, readable),
      ...conversation(messages.slice(0, at + 1).map(messageOf), "messages"),
      topK: belay.topK,
      onDisconnect: belay.onDisconnect ?? "cancel",
      maxTokens: belay.maxTokens ?? MAX_TOKENS.byDefault,
      temperature: belay.temperature,
    },
  };
}

/** Its errors are sentences for the user: chats show them. */
function checkQuestion(message: UiMessage | undefined): void {
  if (message === undefined) return;
  if (message.parts.some(({ type }) => type === "file")) {
    throw refusal("Files cannot be read here: the last message has one. Send text only.");
  }
  if ([...textIn(message).trim()].length > QUERY_LENGTH_MAX) {
    throw refusal(`The last message is longer than ${QUERY_LENGTH_MAX} characters. Shorten it.`);
  }
}

function messageOf(message: UiMessage): Message {
  const role = message.role === "system" ? "application" : message.role;
  return { role, text: textIn(message) };
}

/** Other parts, such as sources and reasoning, were not said. */
function textIn({ parts }: UiMessage): string {
  return joined(parts.filter(({ type }) => type === "text").map(({ text }) => text as string));
}

function refusal(message: string): ServiceError {
  return new ServiceError("INVALID_REQUEST", message);
}
