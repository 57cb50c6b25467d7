// The body of a document that an operator sends. Its bytes are counted in
// corpus-object.ts.

import * as v from "valibot";
import { textOf } from "../request.ts";
import { isVisible } from "../text/visible.ts";

export const DocumentBody = v.strictObject({
  title: v.pipe(textOf(1, 300), v.check(isVisible, "must not be blank")),
  text: v.pipe(
    v.string(),
    v.check((text) => text.isWellFormed(), "must be well-formed Unicode, without lone surrogates"),
  ),
  url: v.optional(
    v.nullable(
      v.pipe(
        textOf(1, 2_000),
        v.check(isLink, "must be an http or https URL, or a path from /"),
        v.metadata({ format: "uri-reference" }),
      ),
    ),
    null,
  ),
  sample: v.nullish(v.boolean(), false),
});

/** An http or https URL, or a path from a site's root. */
function isLink(value: string): boolean {
  const here = "https://here.invalid";
  const url = URL.parse(value, here);
  if (url === null || /[\s\p{Cc}]/u.test(value)) return false;
  return value.startsWith("/") ? url.origin === here : /^https?:\/\//i.test(value);
}
