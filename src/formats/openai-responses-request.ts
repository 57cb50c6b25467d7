// The body of `POST /v1/responses`. What would change the answer and cannot be
// done here is refused by name; a field that changes nothing is ignored.

import * as v from "valibot";
import { ServiceError } from "../errors.ts";
import type { Ask, OnDisconnect, Turn } from "../protocol.ts";
import { TOP_K } from "../protocol.ts";
import { check, textOf } from "../request.ts";
import { isVisible } from "../text/visible.ts";
import { type Chosen, queryIdOf } from "./openai-responses.ts";

/** What a request asks for. */
export interface ResponseRequest {
  readonly ask: Ask & { readonly instructions: string | undefined };
  /** The query whose turns come before. */
  readonly previous: string | undefined;
  readonly streams: boolean;
  readonly background: boolean;
  readonly chosen: Chosen;
}

const MAX_TOKENS = { byDefault: 1_024, max: 4_096 };
/** The earlier turns that an ask may have: the latest are kept. */
const TURNS_MAX = 20;

const wellFormed = v.pipe(
  v.string(),
  v.check((text) => text.isWellFormed(), "must be well-formed Unicode, without lone surrogates"),
);

const Part = v.looseObject({
  type: v.picklist(
    ["input_text", "output_text", "text"],
    'must be "input_text" or "output_text": only text can be read here',
  ),
  text: wellFormed,
});

const Item = v.looseObject({
  type: v.nullish(v.literal("message", 'must be "message": only messages can be read here')),
  role: v.picklist(
    ["user", "assistant", "system", "developer"],
    'must be "user", "assistant", "system" or "developer"',
  ),
  content: textOr(v.array(Part)),
});

const Query = v.pipe(
  v.string(),
  v.trim(),
  textOf(1, 4_000),
  v.check(isVisible, "must have something to read in it"),
);

const Body = v.looseObject({
  model: v.nullish(v.string(), "belay"),
  input: textOr(v.array(Item)),
  instructions: v.nullish(wellFormed),
  previous_response_id: v.nullish(v.string()),
  stream: v.nullish(v.boolean(), false),
  background: v.nullish(v.boolean(), false),
  max_output_tokens: v.nullish(
    v.pipe(
      v.number(),
      v.integer("must be a whole number from 1"),
      v.minValue(1, "must be a whole number from 1"),
    ),
  ),
  temperature: v.nullish(
    v.pipe(v.number(), v.minValue(0, "must be from 0 to 2"), v.maxValue(2, "must be from 0 to 2")),
  ),
  metadata: v.nullish(v.record(v.string(), v.string()), {}),

  // Refused where they ask for what is not done here.
  conversation: leftOut("names a conversation, which is not kept here: send previous_response_id"),
  prompt: leftOut("names a stored prompt, and there are none here: send input"),
  n: v.nullish(v.literal(1, "must be 1: there is one answer to a question")),
  tool_choice: v.nullish(
    v.picklist(["auto", "none"], 'must be "auto" or "none": no tool is called here'),
  ),
  text: v.nullish(
    v.looseObject({
      format: v.nullish(
        v.looseObject({
          type: v.literal("text", 'must be "text": the answer follows no JSON schema here'),
        }),
      ),
    }),
  ),
});

type Item = v.InferOutput<typeof Item>;

/** Throws INVALID_REQUEST. */
export function readResponseRequest(body: unknown): ResponseRequest {
  const read = check(Body, body);
  const { background, instructions, max_output_tokens, temperature, stream } = read;
  const items: readonly Item[] =
    typeof read.input === "string" ? [{ role: "user", content: read.input }] : read.input;
  const { system, turns } = turnsOf(items);
  const last = turns.pop();
  if (last?.role !== "user") {
    throw new ServiceError(
      "INVALID_REQUEST",
      'The field "input" must end with a message of role "user": it is the question.',
    );
  }
  const { input: query } = check(v.object({ input: Query }), { input: last.content });
  const given = [instructions ?? "", ...system].filter((text) => text.trim() !== "");
  return {
    ask: {
      query,
      topK: TOP_K.byDefault,
      maxTokens: Math.min(max_output_tokens ?? MAX_TOKENS.byDefault, MAX_TOKENS.max),
      temperature: temperature ?? undefined,
      history: turns.filter(({ content }) => content !== "").slice(-TURNS_MAX),
      onDisconnect: onDisconnectOf(stream, background),
      instructions: given.length === 0 ? undefined : given.join("\n\n"),
    },
    previous: read.previous_response_id == null ? undefined : queryIdOf(read.previous_response_id),
    streams: stream,
    background,
    chosen: {
      model: read.model,
      instructions: instructions ?? null,
      maxOutputTokens: max_output_tokens ?? null,
      temperature: temperature ?? null,
      metadata: read.metadata,
      previousResponseId: read.previous_response_id ?? null,
      background,
    },
  };
}

/**
 * A client of a stream knows the response's id and can come back. One that
 * waits for a body cannot.
 */
function onDisconnectOf(stream: boolean, background: boolean): OnDisconnect {
  if (background) return "continue";
  return stream ? "wait" : "cancel";
}

/** System and developer messages, and the turns between user and assistant. */
function turnsOf(items: readonly Item[]): { system: string[]; turns: Turn[] } {
  const system: string[] = [];
  const turns: Turn[] = [];
  for (const { role, content: parts } of items) {
    const content = typeof parts === "string" ? parts : parts.map(({ text }) => text).join("\n");
    if (role === "user" || role === "assistant") turns.push({ role, content });
    else system.push(content);
  }
  return { system, turns };
}

/** Text, or a list that is checked by its own rules. */
function textOr<const Schema extends v.GenericSchema>(list: Schema) {
  return v.lazy(
    (value): v.GenericSchema<string | v.InferInput<Schema>, string | v.InferOutput<Schema>> =>
      Array.isArray(value) ? list : wellFormed,
  );
}

/** A field that must be left out, or null. */
function leftOut(rule: string) {
  return v.nullish(v.custom<never>(() => false, rule));
}
