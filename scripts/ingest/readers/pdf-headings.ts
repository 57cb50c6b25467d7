// Which lines of a PDF are headings, and of which level: by size, by weight, and for code by both. Pure.

import type { Line } from "./pdf-lines.ts";
import { isBullet } from "./pdf-text.ts";

/** A larger font than that of the text by this factor is a heading. */
const HEADING_SIZE = 1.12;
export const HEADING_LENGTH_MAX = 160;
const HEADING_LEVELS = 5;
/** The text is in the largest of the usual sizes: at most this factor over the most usual one, with this share of it. */
const BODY_FACTOR = 1.3;
const BODY_SHARE = 0.25;
/** A heading in bold may be a little smaller than the text. */
const BOLD_SIZE_MIN = 0.95;
/** Its distance from the line above is more than this times the usual one. */
const APART = 1.25;
/** Code in a heading is set smaller than its words. */
const CODE_SIZE_MIN = 0.8;
const SAME_SIZE = 0.1;

export class Headings {
  /** The size of the text. */
  readonly body: number;
  /** Those of headings, descending. */
  readonly #sizes: readonly number[];
  /** From line to line of a paragraph, in sizes of the font. */
  readonly #leading: number;

  constructor(lines: readonly Line[], body: number, leading: number) {
    this.body = body;
    this.#leading = leading;
    const larger = lines.filter((line) => this.#isLarge(line));
    this.#sizes = [...new Set(larger.map(({ size }) => Math.round(size * 2) / 2))].sort(
      (a, b) => b - a,
    );
  }

  /** Undefined if the line is no heading. */
  levelOf(lines: readonly Line[], i: number, onNextPage: Line | undefined): number | undefined {
    const line = lines[i];
    if (line === undefined) return undefined;
    if (this.isCodeHeading(lines, i)) return this.#rankOf(this.#wordSize(line.size));
    if (this.#isLarge(line)) return this.#rankOf(line.size);
    // A label in bold is no title of the document.
    return this.#isBold(lines, i, onNextPage) ? Math.max(2, this.#rankOf(0)) : undefined;
  }

  /** A single line of code that is larger than the text, such as the name of a function. */
  isCodeHeading(lines: readonly Line[], i: number): boolean {
    const line = lines[i];
    return (
      line?.isCode === true &&
      !isSameCode(line, lines[i - 1]) &&
      !isSameCode(line, lines[i + 1]) &&
      this.#isApart(line, lines[i - 1]) &&
      this.#isLarge({ ...line, isCode: false })
    );
  }

  /** Whether a heading goes on in the next line, which may be of code. */
  goesOn(line: Line, next: Line): boolean {
    if (next.column !== line.column || next.size > line.size + 0.3) return false;
    const least = next.isCode ? line.size * CODE_SIZE_MIN : line.size - 0.3;
    return next.size > Math.max(least, this.body * HEADING_SIZE);
  }

  #isLarge(line: Line): boolean {
    return line.size >= this.body * HEADING_SIZE && isTitle(line);
  }

  /** A single line in bold that is as large as the text, between two paragraphs. */
  #isBold(lines: readonly Line[], i: number, onNextPage: Line | undefined): boolean {
    const [above, line, below] = [lines[i - 1], lines[i], lines[i + 1] ?? onNextPage];
    if (line === undefined || below === undefined) return false;
    const isHead = below.cells.length > 1 && Math.abs(below.x - line.x) < line.size;
    return (
      line.isBold &&
      !below.isBold &&
      !isHead &&
      this.#isApart(line, above) &&
      line.size > this.body * BOLD_SIZE_MIN &&
      isTitle(line) &&
      isLabelText(line.text.trim())
    );
  }

  #isApart(line: Line, above: Line | undefined): boolean {
    const gap = above === undefined ? 0 : above.y - line.y;
    return gap <= 0 || gap > line.size * this.#leading * APART;
  }

  #rankOf(size: number): number {
    const rank = this.#sizes.filter((other) => other > Math.round(size * 2) / 2).length;
    return Math.min(HEADING_LEVELS, rank + 1);
  }

  /** The size of the headings among which a heading of code is set. */
  #wordSize(size: number): number {
    const same = this.#sizes.filter((other) => other >= size && other * CODE_SIZE_MIN <= size);
    return same.at(-1) ?? size;
  }
}

export function bodySize(lines: readonly Line[]): number {
  const counts = new Map<number, number>();
  for (const { size, text, isCode, rows } of lines) {
    if (isCode || rows !== undefined) continue;
    const key = Math.round(size * 2) / 2;
    counts.set(key, (counts.get(key) ?? 0) + text.length);
  }
  const [size, most] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [10, 0];
  // A long table or many notes are set in smaller type than the text.
  const larger = [...counts]
    .filter(([other, count]) => other <= size * BODY_FACTOR && count > most * BODY_SHARE)
    .map(([other]) => other);
  return Math.max(size, ...larger);
}

function isTitle({ text, isCode, cells }: Line): boolean {
  return (
    !isCode &&
    cells.length === 1 &&
    text.trim().length <= HEADING_LENGTH_MAX &&
    /[\p{L}\p{N}]{2}|\p{Lo}/u.test(text)
  );
}

/** No sentence, item, sum, number or date. */
function isLabelText(text: string): boolean {
  const digits = text.match(/\p{N}/gu)?.length ?? 0;
  const isSum = /\p{N}\s*(?:\p{Sc}|%|[A-Z]{3})$/u.test(text);
  return !/[.,;:!]$/.test(text) && !isBullet(text) && digits * 3 < text.length && !isSum;
}

function isSameCode({ size }: Line, other: Line | undefined): boolean {
  return other?.isCode === true && Math.abs(other.size - size) < size * SAME_SIZE;
}
