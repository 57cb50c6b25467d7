// The arguments of the tools, checked once. What the user's object checks of
// an ask has the same bounds there (user/ask.ts).

import * as v from "valibot";
import { TOP_K } from "../protocol.ts";
import { check, textOf, wholeNumber } from "../request.ts";
import { isVisible } from "../text/visible.ts";

/** In characters. */
export const QUERY_LENGTH_MAX = 4_000;

const words = v.pipe(
  v.string(),
  v.trim(),
  textOf(1, QUERY_LENGTH_MAX),
  v.check(isVisible, "must have something to read in it"),
);
const count = v.nullish(wholeNumber(TOP_K.min, TOP_K.max), TOP_K.byDefault);

const AskArguments = v.strictObject({
  question: words,
  topK: count,
  // The user's object checks these two: their names are the same there.
  history: v.optional(v.unknown()),
  maxTokens: v.optional(v.unknown()),
});

const SearchArguments = v.strictObject({ query: words, limit: count });

/** The body of `POST /ai/ask`. Throws INVALID_REQUEST. */
export function askBody(args: unknown): Readonly<Record<string, unknown>> {
  const { question, ...others } = check(AskArguments, args ?? {});
  return { query: question, ...others };
}

/** Throws INVALID_REQUEST. */
export function searchArguments(args: unknown): v.InferOutput<typeof SearchArguments> {
  return check(SearchArguments, args ?? {});
}
