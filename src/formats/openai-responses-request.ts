// The body of `POST /v1/responses`. A field that asks for what cannot be done
// here is refused by its name. One that changes nothing is ignored.

import * as v from "valibot";
import { MAX_TOKENS, type OnDisconnect } from "../protocol.ts";
import { check } from "../request.ts";
import {
  conversation,
  MAX_TOKENS_FIELD,
  type Message,
  OPTIONS,
  TEMPERATURE_FIELD,
} from "./conversation.ts";
import { collectionsOf } from "./models.ts";
import { CONTENT, messageOf, ROLE, textOr } from "./openai-messages.ts";
import { type Chosen, queryIdOf, responseBody, responseEvents } from "./openai-responses.ts";
import type { Asked, Surface } from "./surface.ts";

export const RESPONSES: Surface = { read };

const ITEM = v.object({
  type: v.nullish(v.literal("message", 'must be "message": only messages can be read here')),
  role: ROLE,
  content: CONTENT,
});

/** As OpenAI bounds it: each response repeats it. */
const METADATA = v.pipe(
  v.record(
    v.pipe(v.string(), v.maxLength(64, "must have keys of at most 64 characters")),
    v.pipe(v.string(), v.maxLength(512, "must have values of at most 512 characters")),
  ),
  v.check((pairs) => Object.keys(pairs).length <= 16, "must have at most 16 pairs"),
);

export const BODY = v.object({
  model: v.nullish(v.string(), "belay"),
  input: textOr(v.array(ITEM)),
  instructions: v.nullish(v.string()),
  previous_response_id: v.nullish(v.string()),
  stream: v.nullish(v.boolean(), false),
  background: v.nullish(v.boolean(), false),
  max_output_tokens: MAX_TOKENS_FIELD,
  temperature: TEMPERATURE_FIELD,
  metadata: v.nullish(METADATA, {}),
  belay: v.nullish(v.strictObject(OPTIONS), {}),

  // These are refused if they ask for what cannot be done here.
  conversation: leftOut("names a conversation, which is not kept here: send previous_response_id"),
  prompt: leftOut("names a stored prompt, and there are none here: send input"),
  n: v.nullish(v.literal(1, "must be 1: there is one answer to a question")),
  tool_choice: v.nullish(
    v.picklist(["auto", "none"], 'must be "auto" or "none": no tool is called here'),
  ),
  text: v.nullish(
    v.object({
      format: v.nullish(
        v.object({
          type: v.literal("text", 'must be "text": answers have no other form'),
        }),
      ),
    }),
  ),
});

type Body = v.InferOutput<typeof BODY>;

function read(body: unknown, readable: readonly string[]): Asked {
  const checked = check(BODY, body);
  const { background, previous_response_id: previous, stream } = checked;
  const write = stream || background ? responseEvents : responseBody;
  return {
    ask: {
      collections: collectionsOf(checked.model, checked.belay.collections, readable),
      ...conversation(messagesOf(checked), "input"),
      topK: checked.belay.topK,
      maxTokens: checked.max_output_tokens ?? MAX_TOKENS.byDefault,
      temperature: checked.temperature,
      onDisconnect: onDisconnectOf(checked),
    },
    format: write(chosenBy(checked)),
    previous: previous == null ? undefined : queryIdOf(previous),
    later: background && !stream,
  };
}

function messagesOf({ input, instructions }: Body): Message[] {
  const items: Message[] =
    typeof input === "string" ? [{ role: "user", text: input }] : input.map(messageOf);
  return [{ role: "application", text: instructions ?? "" }, ...items];
}

/**
 * A client of a stream knows the response's id, and can come back. One that
 * waits for a body cannot.
 */
function onDisconnectOf({ background, belay, stream }: Body): OnDisconnect {
  if (background) return "continue";
  return belay.onDisconnect ?? (stream ? "wait" : "cancel");
}

function chosenBy(body: Body): Chosen {
  return {
    model: body.model,
    instructions: body.instructions ?? null,
    maxOutputTokens: body.max_output_tokens ?? null,
    temperature: body.temperature ?? null,
    metadata: body.metadata,
    previousResponseId: body.previous_response_id ?? null,
    background: body.background,
  };
}

/** A field that must be left out, or null. */
function leftOut(rule: string) {
  const nothing = v.custom<never>(() => false, rule);
  return v.nullish(v.pipe(nothing, v.metadata<never, { readonly not: object }>({ not: {} })));
}
