// An ask, and the other bodies that a user object takes: checked once, into
// types that cannot be wrong. The rules are the wire's (docs/protocol.md).

import * as v from "valibot";
import { CollectionsField, searchedCollections } from "../collections.ts";
import {
  type Ask,
  HISTORY_TURNS_MAX,
  MAX_TOKENS,
  QUERY_LENGTH_MAX,
  TEMPERATURE,
  TOP_K,
} from "../protocol.ts";
import { check, textOf, textRules, wholeNumber } from "../request.ts";
import { isVisible } from "../text/visible.ts";

/** A body on a user's route may be this long, in bytes. */
export const BODY_BYTES_MAX = 64 * 1024; /* 64 KiB */
/** Other APIs have the whole conversation sent each time. */
export const CONVERSATION_BYTES_MAX = 1024 * 1024; /* 1 MiB */

export const AskBody = v.strictObject({
  query: v.pipe(
    v.string(),
    v.trim(),
    ...textRules(1, QUERY_LENGTH_MAX),
    v.check(isVisible, "must have something to read in it"),
  ),
  topK: v.nullish(wholeNumber(TOP_K.min, TOP_K.max), TOP_K.byDefault),
  maxTokens: v.nullish(wholeNumber(MAX_TOKENS.min, MAX_TOKENS.max), MAX_TOKENS.byDefault),
  temperature: leftOut(
    v.pipe(
      v.number(),
      v.minValue(TEMPERATURE.min, "must be from 0 to 2"),
      v.maxValue(TEMPERATURE.max, "must be from 0 to 2"),
    ),
  ),
  history: v.nullish(
    v.pipe(
      v.array(
        v.strictObject({
          role: v.picklist(["user", "assistant"], 'must be "user" or "assistant"'),
          content: textOf(1, BODY_BYTES_MAX),
        }),
      ),
      v.maxLength(HISTORY_TURNS_MAX, "must have at most 20 turns"),
    ),
    [],
  ),
  onDisconnect: v.nullish(
    v.picklist(["cancel", "wait", "continue"], 'must be "cancel", "wait" or "continue"'),
    "cancel",
  ),
  collections: CollectionsField,
});

export const FeedbackBody = v.strictObject({
  queryId: textOf(1, 200),
  rating: v.nullable(v.picklist(["up", "down"], 'must be "up", "down" or null')),
  // Null deletes it, and so does one with nothing to read in it.
  comment: v.optional(
    v.pipe(
      v.nullable(textOf(0, 2_000)),
      v.transform((comment) => (comment !== null && isVisible(comment) ? comment : null)),
    ),
  ),
});

// Null takes an override back. There is none of `blocked`, so there it
// changes nothing.
export const SettingsBody = v.strictObject({
  limit: v.optional(v.nullable(wholeNumber(0, 1_000_000_000))),
  refundLimit: v.optional(v.nullable(wholeNumber(0, 1_000_000_000))),
  blocked: leftOut(v.boolean()),
});

/** An optional field without a default, in which null is undefined. */
function leftOut<const Schema extends v.GenericSchema>(schema: Schema) {
  return v.optional(
    v.pipe(
      v.nullable(schema),
      v.transform((value) => value ?? undefined),
    ),
  );
}

type Feedback = v.InferOutput<typeof FeedbackBody>;
export type SettingsChange = v.InferOutput<typeof SettingsBody>;

/** @param readable The collections that the caller may read. */
export function parseAsk(body: unknown, readable: readonly string[]): Ask {
  const { collections, ...checked } = check(AskBody, body);
  return {
    temperature: undefined,
    ...checked,
    collections: searchedCollections(collections, readable),
  };
}

export function parseFeedback(body: unknown): Feedback {
  return check(FeedbackBody, body);
}

export function parseSettingsChange(body: unknown): SettingsChange {
  return check(SettingsBody, body);
}
