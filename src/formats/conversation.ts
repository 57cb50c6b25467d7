// A conversation in messages, as other APIs have it, into an ask: the last
// message of the user is the query, earlier ones are the history, and those of
// the application its instructions. What is too long is cut, not refused: an
// application sends its whole conversation each time.

import * as v from "valibot";
import { ServiceError } from "../errors.ts";
import {
  type Ask,
  HISTORY_TURNS_MAX,
  MAX_TOKENS,
  QUERY_LENGTH_MAX,
  TEMPERATURE,
  TOP_K,
  type Turn,
} from "../protocol.ts";
import { wholeNumber } from "../request.ts";
import { isVisible } from "../text/visible.ts";

export interface Message {
  readonly role: "application" | "user" | "assistant";
  readonly text: string;
}

/** In UTF-16 units. */
const INSTRUCTIONS_LENGTH_MAX = 16_000;

/** Belay's own options, in the member `belay` of another API's body. */
export const OPTIONS = {
  topK: v.nullish(wholeNumber(TOP_K.min, TOP_K.max), TOP_K.byDefault),
  onDisconnect: v.nullish(
    v.picklist(["cancel", "wait", "continue"], 'must be "cancel", "wait" or "continue"'),
  ),
};

/** Undefined for the model's own. */
export const TEMPERATURE_FIELD = v.optional(
  v.pipe(
    v.nullable(
      v.pipe(
        v.number(),
        v.minValue(TEMPERATURE.min, "must be from 0 to 2"),
        v.maxValue(TEMPERATURE.max, "must be from 0 to 2"),
      ),
    ),
    v.transform((temperature) => temperature ?? undefined),
  ),
);

/** A larger number is the largest: it is a limit. */
export const MAX_TOKENS_FIELD = v.nullish(
  v.pipe(
    v.number(),
    v.integer("must be a whole number"),
    v.minValue(MAX_TOKENS.min, "must be at least 1"),
    v.transform((tokens) => Math.min(tokens, MAX_TOKENS.max)),
  ),
);

/** The text of a message's parts: each is a Markdown block of its own. */
export function joined(parts: readonly string[]): string {
  return parts.join("\n\n");
}

/**
 * @param field The name of the messages, for the errors.
 * Throws INVALID_REQUEST if there is no question that can be asked.
 */
export function conversation(
  messages: readonly Message[],
  field: string,
): Pick<Ask, "query" | "history" | "instructions"> {
  const instructions = messages
    .filter(({ role, text }) => role === "application" && isVisible(text))
    .map(({ text }) => text.toWellFormed())
    .join("\n\n");
  if (instructions.length > INSTRUCTIONS_LENGTH_MAX) {
    throw wrong(field, `has more than ${INSTRUCTIONS_LENGTH_MAX} characters of instructions`);
  }
  const turns = messages.flatMap(({ role, text }): Turn[] =>
    role === "application" ? [] : [{ role, content: text.toWellFormed() }],
  );
  const last = turns.at(-1);
  if (last?.role !== "user") throw wrong(field, "must end with a message of the user");
  const query = last.content.trim();
  const length = [...query].length;
  if (!isVisible(query) || length > QUERY_LENGTH_MAX) {
    throw wrong(field, `must end with a question of 1 to ${QUERY_LENGTH_MAX} characters`);
  }
  const history = turns
    .slice(0, -1)
    .filter(({ content }) => isVisible(content))
    .slice(-HISTORY_TURNS_MAX);
  return { query, history, instructions: instructions === "" ? undefined : instructions };
}

function wrong(field: string, rule: string): ServiceError {
  return new ServiceError("INVALID_REQUEST", `The field "${field}" ${rule}.`, {
    openai: { param: field },
  });
}
