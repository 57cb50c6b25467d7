// The text of a growing code block. A browser lays out a text node as a whole, so
// a long text is split into parts. Only the last part changes.

import { element } from "./element.ts";
import { grow } from "./inlines.ts";

/** In UTF-16 units. A part ends with a line. */
const PART_LENGTH = 4_096;

interface Part {
  /** Offset in the code. */
  readonly start: number;
  readonly text: Text;
}

export class CodeView {
  readonly #code: HTMLElement;
  readonly #parts: Part[] = [];

  constructor(code: HTMLElement) {
    this.#code = code;
    this.#begin(0);
  }

  show(code: string): void {
    let part = this.#parts.at(-1) as Part;
    while (part.start > code.length) {
      this.#parts.pop();
      this.#code.lastChild?.remove();
      part = this.#parts.at(-1) as Part;
    }
    for (;;) {
      const end = endOf(code, part.start);
      grow(part.text, code.slice(part.start, end));
      if (end === code.length) return;
      part = this.#begin(end);
    }
  }

  #begin(start: number): Part {
    const text = document.createTextNode("");
    this.#code.append(start === 0 ? text : element("span", {}, text));
    const part = { start, text };
    this.#parts.push(part);
    return part;
  }
}

function endOf(code: string, start: number): number {
  if (code.length - start <= PART_LENGTH) return code.length;
  const before = code.lastIndexOf("\n", start + PART_LENGTH);
  const newline = before > start ? before : code.indexOf("\n", start + PART_LENGTH);
  return newline === -1 ? code.length : newline + 1;
}
