// The body of an ask and of the other requests that a user object takes, checked once into types
// that cannot be wrong. The rules are the wire's; nothing here touches storage.

import * as v from "valibot";
import type { Ask } from "../protocol.ts";
import { check, textOf, wholeNumber } from "../request.ts";

/** A body on a user's route may be this long, in bytes. */
export const BODY_BYTES_MAX = 64 * 1024; /* 64 KiB */

const AskBody = v.strictObject({
  query: v.pipe(v.string(), v.trim(), textOf(1, 4_000)),
  topK: v.optional(wholeNumber(1, 20), 5),
  maxTokens: v.optional(wholeNumber(1, 4_096), 1_024),
  temperature: v.optional(
    v.pipe(v.number(), v.minValue(0, "must be from 0 to 2"), v.maxValue(2, "must be from 0 to 2")),
  ),
  history: v.optional(
    v.pipe(
      v.array(
        v.strictObject({
          role: v.picklist(["user", "assistant"], 'must be "user" or "assistant"'),
          content: textOf(1, BODY_BYTES_MAX),
        }),
      ),
      v.maxLength(20, "must have at most 20 turns"),
    ),
    [],
  ),
  onDisconnect: v.optional(
    v.picklist(["cancel", "wait", "continue"], 'must be "cancel", "wait" or "continue"'),
    "cancel",
  ),
});

const FeedbackBody = v.strictObject({
  queryId: textOf(1, 200),
  rating: v.nullable(v.picklist(["up", "down"], 'must be "up", "down" or null')),
  comment: v.optional(textOf(0, 2_000)),
});

const SettingsBody = v.strictObject({
  limit: v.optional(v.nullable(wholeNumber(0, 1_000_000_000))),
  refundLimit: v.optional(v.nullable(wholeNumber(0, 1_000_000_000))),
  blocked: v.optional(v.boolean()),
});

type Feedback = v.InferOutput<typeof FeedbackBody>;
export type SettingsChange = v.InferOutput<typeof SettingsBody>;

export function parseAsk(body: unknown): Ask {
  return { temperature: undefined, ...check(AskBody, body) };
}

export function parseFeedback(body: unknown): Feedback {
  return check(FeedbackBody, body);
}

export function parseSettingsChange(body: unknown): SettingsChange {
  return check(SettingsBody, body);
}
