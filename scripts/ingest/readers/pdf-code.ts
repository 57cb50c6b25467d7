// Code of a PDF as Markdown: lines in a font of one width. Pure.

import { LANGUAGES } from "./code-languages.ts";
import type { Headings } from "./pdf-headings.ts";
import type { Line } from "./pdf-lines.ts";

const LABELS: ReadonlySet<string> = new Set([...LANGUAGES, "dockerfile", "txt", "text"]);

/** How many lines of code there are from a line on. */
export function codeFrom(lines: readonly Line[], from: number, headings: Headings): number {
  let count = 0;
  while (lines[from + count]?.isCode && !headings.isCode(lines, from + count)) count += 1;
  return count;
}

/** Whether a line only names the language of the code below it. */
export function isLabel(lines: readonly Line[], i: number): boolean {
  const isName = LABELS.has(lines[i]?.text.trim().toLowerCase() ?? "");
  return isName && lines[i]?.isCode === false && lines[i + 1]?.isCode === true;
}

/** Code that is split over two pages, as one; undefined if the blocks are not that. */
export function continued(before: string | undefined, code: string): string | undefined {
  const isOpen = /^```\w*\n[\s\S]*\n```$/.test(before ?? "");
  return isOpen && code.startsWith("```\n") ? `${before?.slice(0, -3)}${code.slice(4)}` : undefined;
}

export function fenced(lines: readonly Line[], language: string): string {
  const left = Math.min(...lines.map(({ x }) => x));
  const text = lines.map(({ x, y, size, text }, i) => {
    const before = lines[i - 1];
    const isApart = before !== undefined && before.y - y > size * 2.2;
    return `${isApart ? "\n" : ""}${" ".repeat(Math.max(0, Math.round((x - left) / (size * 0.6))))}${text.trim()}`;
  });
  const fence = text.some((line) => line.includes("```")) ? "````" : "```";
  return [fence + language, ...text, fence].join("\n");
}
