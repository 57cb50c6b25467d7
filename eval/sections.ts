// Documents cut under their headings: what a plain search would show. Pure.

import { closesFence, openingFence } from "../src/text/code-fence.ts";
import type { Document } from "./collection.ts";

export interface Section {
  readonly documentId: string;
  readonly title: string;
  /** Empty above the first heading. */
  readonly heading: string;
  readonly text: string;
}

const HEADING = /^ {0,3}#{1,6}\s+(.*)$/;
const INDENTATION = /^ {0,3}/;

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
  // The fence of the code block that is open: no line in it is a heading.
  let open: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const outdented = line.replace(INDENTATION, "");
    const [, next] = open === undefined ? (HEADING.exec(line) ?? []) : [];
    if (open === undefined) open = openingFence(outdented);
    else if (closesFence(outdented, open)) open = undefined;
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
