// A message of OpenAI's APIs: a role, and a text or a list of parts.

import * as v from "valibot";
import { joined, type Message } from "./conversation.ts";

const ROLES = {
  system: "application",
  developer: "application",
  user: "user",
  assistant: "assistant",
} as const;

export const ROLE = v.picklist(
  ["system", "developer", "user", "assistant"],
  'must be "system", "developer", "user" or "assistant"',
);

const PART = v.object({
  type: v.picklist(
    ["text", "input_text", "output_text"],
    'must be "text", "input_text" or "output_text": only text can be read here',
  ),
  text: v.string(),
});

export const CONTENT = textOr(v.array(PART));

interface OpenAiMessage {
  readonly role: v.InferOutput<typeof ROLE>;
  readonly content: v.InferOutput<typeof CONTENT>;
}

export function messageOf({ role, content }: OpenAiMessage): Message {
  const texts = typeof content === "string" ? [content] : content.map(({ text }) => text);
  return { role: ROLES[role], text: joined(texts) };
}

/** A text, or a list with rules of its own. */
export function textOr<const Schema extends v.GenericSchema>(list: Schema) {
  return v.lazy(
    (value): v.GenericSchema<string | v.InferInput<Schema>, string | v.InferOutput<Schema>> =>
      Array.isArray(value) ? list : v.string(),
  );
}
