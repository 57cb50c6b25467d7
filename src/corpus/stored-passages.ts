// Cuts a document into the passages that are stored. Pure.

import { markdown } from "../intake/markdown.ts";
import { passages } from "../intake/passages.ts";
import type { StoredPassage } from "./passage-index.ts";

interface Uncut {
  readonly id: string;
  readonly title: string;
  readonly url: string | null;
  readonly text: string;
}

/** Takes up to half a second for 1 MiB. */
export function storedPassages({ id, title, url, text }: Uncut): StoredPassage[] {
  return passages(markdown.read(text).sections).map(({ heading, anchor, text, blocks }, i) => ({
    documentId: id,
    place: i + 1,
    title,
    // Most documents begin with a heading that is their title.
    heading: heading[0] === title ? heading.slice(1) : heading,
    url: withAnchor(url, anchor),
    text,
    blocks,
  }));
}

/** The URL of a heading, unless the document's URL has an anchor. */
function withAnchor(url: string | null, anchor: string | null): string | null {
  if (url === null || !anchor || url.includes("#")) return url;
  return `${url}#${encodeURIComponent(anchor)}`;
}
