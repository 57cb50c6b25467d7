// The messages of another API, read into an ask. The last one is the query,
// earlier ones are the history, and those of the application are instructions.
// A history that is too long is cut, not refused: an application sends its
// whole conversation each time.

import * as v from "valibot";
import { CollectionsField } from "../collections.ts";
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
  collections: CollectionsField,
};

/** Undefined means the model's own. */
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

/** A number above our limit becomes our limit. */
export const MAX_TOKENS_FIELD = v.nullish(
  v.pipe(
    v.number(),
    v.integer("must be a whole number"),
    v.minValue(MAX_TOKENS.min, "must be at least 1"),
    v.transform((tokens) => Math.min(tokens, MAX_TOKENS.max)),
  ),
);

/** The text of a message: each part is a Markdown block. */
export function joined(parts: readonly string[]): string {
  return parts.join("\n\n");
}

/**
 * The messages as parts of an ask. Throws INVALID_REQUEST if the last one is
 * no question, or the instructions are too long.
 * @param field The member that has the messages, for the errors.
 */
export function conversation(
  messages: readonly Message[],
  field: string,
): Pick<Ask, "query" | "history" | "instructions"> {
  const told = messages.filter(({ role }) => role === "application").map(({ text }) => text);
  // What cannot be seen counts too: a surface may repeat it in its answer.
  if (told.reduce((sum, { length }) => sum + length, 0) > INSTRUCTIONS_LENGTH_MAX) {
    throw wrong(field, `has more than ${INSTRUCTIONS_LENGTH_MAX} characters of instructions`);
  }
  const instructions = told.filter(isVisible).join("\n\n").toWellFormed();
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
