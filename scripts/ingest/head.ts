// The head of a Markdown text: its front matter, which is for other programs and is taken off, and its
// title. Pure.

import { frontMatter } from "../../src/intake/front-matter.ts";
import { titleOf } from "../../src/intake/markdown.ts";

export interface Head {
  readonly title: string | undefined;
  /** Without front matter. */
  readonly text: string;
}

export function headOf(whole: string): Head {
  const { end } = frontMatter(whole);
  const text = end === 0 ? whole : whole.slice(end).replace(/^(?:[ \t]*\r?\n)+/, "");
  return { title: titleOf(whole), text };
}
