// Code of a PDF: lines in a font of one width. Pure.

import { LANGUAGES } from "./code-languages.ts";
import type { Headings } from "./pdf-headings.ts";
import type { Line } from "./pdf-lines.ts";

const LABELS: ReadonlySet<string> = new Set([...LANGUAGES, "dockerfile", "txt", "text"]);
/** In sizes of the font, from line to line: a wider one is an empty line. */
const EMPTY_LINE = 2.2;
const CHARACTER_WIDTH = 0.6;

/** How many lines of code there are from a line on, in its column. */
export function codeFrom(lines: readonly Line[], from: number, headings: Headings): number {
  let count = 0;
  for (let line = lines[from]; line?.isCode; line = lines[from + count]) {
    if (line.column !== lines[from]?.column || headings.isCodeHeading(lines, from + count)) break;
    count += 1;
  }
  return count;
}

/** Whether a line only names the language of the code below it: in small print. */
export function isLabel(lines: readonly Line[], i: number, headings: Headings): boolean {
  const line = lines[i];
  return (
    line?.isCode === false &&
    lines[i + 1]?.isCode === true &&
    line.size < headings.body &&
    LABELS.has(line.text.trim().toLowerCase())
  );
}

/** With their indents, and empty lines between those that are apart. */
export function codeLines(lines: readonly Line[]): string[] {
  const left = Math.min(...lines.map(({ x }) => x));
  return lines.flatMap(({ x, y, size, text }, i) => {
    const before = lines[i - 1];
    const isApart = before !== undefined && before.y - y > size * EMPTY_LINE;
    const indent = Math.max(0, Math.round((x - left) / (size * CHARACTER_WIDTH)));
    const line = " ".repeat(indent) + text.trim();
    return isApart ? ["", line] : [line];
  });
}

export function shownCode(lines: readonly string[], language: string): string {
  const fence = lines.some((line) => line.includes("```")) ? "````" : "```";
  return [fence + language, ...lines, fence].join("\n");
}
