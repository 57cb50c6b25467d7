// Citation marks in a text: `[1]`, `[1][2]`, `[1, 2]` and `【1】`. The
// page uses the same parsers, so a mark counts exactly if the page
// shows it as a citation. answer/citations.ts maps numbers to passages.
// Pure.

import type { Inline } from "./inline-tree.ts";
import { type Block, MarkdownBlocks } from "./markdown-blocks.ts";
import { CITATION, inlinesOf, numbersOf } from "./markdown-inlines.ts";

const MARK = new RegExp(CITATION, "g");

/** The numbers that a Markdown text cites, if they belong to a source. */
export function citedNumbers(text: string, isSource?: (number: number) => boolean): Set<number> {
  const numbers = new Set<number>();
  if (!/[[【]/.test(text)) return numbers;
  const blocks = new MarkdownBlocks();
  blocks.write(text);
  blocks.end();
  for (const leaf of leavesOf(blocks.root)) {
    if (leaf.search(MARK) === -1) continue;
    for (const number of citedIn(inlinesOf(leaf, isSource && { isSource }))) numbers.add(number);
  }
  return numbers;
}

/** A mark, from `start` to before `end`, in UTF-16 units. */
export interface CitationMark {
  readonly start: number;
  readonly end: number;
  readonly numbers: readonly number[];
}

/** All that look like marks, in order: also in code. */
export function citationMarks(text: string): CitationMark[] {
  return Array.from(text.matchAll(MARK), ({ 0: mark, index }) => ({
    start: index,
    end: index + mark.length,
    numbers: numbersOf(mark),
  }));
}

/**
 * Puts parentheses around marks with a number that `isMeant` accepts,
 * also in code.
 */
export function withoutMarks(text: string, isMeant: (number: number) => boolean): string {
  return text.replace(MARK, (mark) =>
    numbersOf(mark).some(isMeant) ? `(${mark.slice(1, -1)})` : mark,
  );
}

/** The texts that may have marks. */
function* leavesOf(block: Block): Generator<string> {
  for (const child of block.children) yield* leavesOf(child);
  yield* block.cells;
  if (block.kind === "paragraph" || block.kind === "heading") yield block.text;
}

function* citedIn(inlines: readonly Inline[]): Generator<number> {
  for (const inline of inlines) {
    if (inline.kind === "citation") yield* inline.numbers;
    else if ("children" in inline) yield* citedIn(inline.children);
  }
}
