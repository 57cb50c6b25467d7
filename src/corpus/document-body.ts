// The bodies that operators send: a document, whose bytes are counted in
// corpus-object.ts, where to move it, and the name of a collection.

import * as v from "valibot";
import { CollectionName } from "../collections.ts";
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

/** For a body that is no JSON: perhaps a file. */
export const FILES_HINT =
  'Its field "text" is Markdown or plain text. To load files of HTML, PDF or DOCX, use npm run ingest.';

export const MoveBody = v.strictObject({ to: CollectionName });

export const CollectionBody = v.strictObject({ name: CollectionName });

/** An http or https URL, or a path from a site's root. */
function isLink(value: string): boolean {
  const here = "https://here.invalid";
  const url = URL.parse(value, here);
  if (url === null || /[\s\p{Cc}]/u.test(value)) return false;
  return value.startsWith("/") ? url.origin === here : /^https?:\/\//i.test(value);
}
