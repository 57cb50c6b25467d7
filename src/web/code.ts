// The text of a growing code block. A browser lays out an element's text as a whole,
// so a long text is split into parts. Only the last part changes.

import { element } from "./element.ts";
import { grow } from "./inlines.ts";

/** In UTF-16 units. A part ends with a line. */
const PART_LENGTH = 4_096;

/** The place is empty, or shows an earlier state of the code. */
export function showCode(place: HTMLElement, code: string): void {
  let count = 0;
  for (let start = 0; start < code.length; count += 1) {
    const end = endOf(code, start);
    const part = place.children[count] ?? place.appendChild(element("span", {}, ""));
    grow(part.firstChild as Text, code.slice(start, end));
    start = end;
  }
  while (place.childElementCount > count) place.lastChild?.remove();
}

function endOf(code: string, start: number): number {
  const most = start + PART_LENGTH;
  if (code.length <= most) return code.length;
  const before = code.lastIndexOf("\n", most);
  const newline = before > start ? before : code.indexOf("\n", most);
  return newline === -1 ? code.length : newline + 1;
}
