// The arguments of the tools, checked once. The user's object checks the rest
// of an ask (user/ask.ts).

import * as v from "valibot";
import { CollectionsField } from "../collections.ts";
import { QUERY_LENGTH_MAX, TOP_K } from "../protocol.ts";
import { check, textOf, wholeNumber } from "../request.ts";
import { isVisible } from "../text/visible.ts";

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
  collections: CollectionsField,
  // The user's object checks these two, under the same names.
  history: v.optional(v.unknown()),
  maxTokens: v.optional(v.unknown()),
});

const SearchArguments = v.strictObject({
  query: words,
  limit: count,
  collections: CollectionsField,
});

/** The body of `POST /ai/ask`. Throws INVALID_REQUEST. */
export function askBody(args: unknown): Readonly<Record<string, unknown>> {
  const { question, ...others } = check(AskArguments, args ?? {});
  return { query: question, ...others };
}

/** Throws INVALID_REQUEST. */
export function searchArguments(args: unknown): v.InferOutput<typeof SearchArguments> {
  return check(SearchArguments, args ?? {});
}
