// Documents cut under their headings: what a plain search would show. Pure.

import type { Document } from "./collection.ts";

export interface Section {
  readonly documentId: string;
  readonly title: string;
  /** Empty above the first heading. */
  readonly heading: string;
  readonly text: string;
}

const HEADING = /^ {0,3}#{1,6}\s+(.*)$/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;

export function sectionsOf({ id, title, text }: Document): Section[] {
  const sections: Section[] = [];
  let heading = "";
  let lines: string[] = [];
  const end = () => {
    const body = lines.join("\n");
    if (heading !== "" || body.trim() !== "") {
      sections.push({ documentId: id, title, heading, text: body });
    }
    lines = [];
  };
  // What closes the code block, in which no line is a heading.
  let closing: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const fence = FENCE.exec(line)?.[1];
    const [, next] = closing === undefined ? (HEADING.exec(line) ?? []) : [];
    if (closing === undefined) closing = fence;
    else if (fence?.startsWith(closing)) closing = undefined;
    if (next === undefined) lines.push(line);
    else {
      end();
      // `## Name {#anchor}`
      heading = next.replace(/\s*\{#.*\}\s*$/, "");
    }
  }
  end();
  return sections;
}
