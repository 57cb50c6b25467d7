// The lines of a PDF as Markdown: headings, paragraphs, lists, code and tables, in the order of the lines. Pure.

import { ALERTS } from "./alerts.ts";
import { startsUnspaced } from "./pdf-characters.ts";
import { codeFrom, codeLines, isLabel, shownCode } from "./pdf-code.ts";
import { bodySize, HEADING_LENGTH_MAX, Headings } from "./pdf-headings.ts";
import type { Line } from "./pdf-lines.ts";
import { withoutEdges } from "./pdf-margins.ts";
import { cellText, shownTable, tableFrom, tableOf } from "./pdf-tables.ts";
import { escaped, isItem, item, join } from "./pdf-text.ts";

/** In sizes of the font, from line to line: a wider one ends a paragraph. */
const PARAGRAPH_GAP = 1.75;
/** Where lines are set wider apart: in their usual distance. */
const LEADING_SHARE = 1.12;
/** The distance of lines where too few tell. */
const LEADING = 1.2;
const LEADING_MAX = 2.6;
const WRAPPED_MIN = 3;
/** In sizes of the font, from the edge of the column. */
const INDENT = 0.8;

/** A part of the document. Whether indented text is a list tells what is beside it. */
type Block =
  | { readonly kind: "text"; readonly text: string; readonly isIndented: boolean }
  | { readonly kind: "code"; readonly lines: string[]; readonly language: string }
  | { readonly kind: "table"; readonly rows: string[][] };

/** `heights` are those of the pages, in points. */
export function paragraphs(all: readonly (readonly Line[])[], heights: readonly number[]): string {
  const pages = withoutEdges(all, heights);
  const document = new Blocks(pages);
  for (const [index, lines] of pages.entries()) document.addPage(lines, index);
  return document.markdown();
}

class Blocks {
  readonly #pages: readonly (readonly Line[])[];
  readonly #headings: Headings;
  /** Its words, which tell whether a cut word has a hyphen. */
  readonly #vocabulary: ReadonlySet<string>;
  readonly #edges: ReadonlyMap<number, Edges>;
  readonly #gapMax: number;
  readonly #blocks: Block[] = [];
  /** A paragraph that may go on on the next page. */
  #open: { text: string; readonly isIndented: boolean } | undefined;
  /** The line before, if it is of the same paragraph or list. */
  #before: Line | undefined;
  #page = 0;
  #isPageNamed = false;

  constructor(pages: readonly (readonly Line[])[]) {
    const lines = pages.flat();
    this.#pages = pages;
    this.#vocabulary = new Set(
      lines.flatMap(({ text }) => text.match(/[\p{L}\p{N}]+(?:-[\p{L}\p{N}]+)*/gu) ?? []),
    );
    this.#edges = edgesOf(lines);
    const body = bodySize(lines);
    const leading = leadingOf(pages, body, this.#edges);
    this.#headings = new Headings(lines, body, leading);
    this.#gapMax = Math.max(PARAGRAPH_GAP, leading * LEADING_SHARE);
  }

  addPage(lines: readonly Line[], index: number): void {
    this.#page = index + 1;
    this.#isPageNamed = false;
    this.#before = undefined;
    for (let i = 0; i < lines.length; ) {
      i += this.#addBlock(lines, i) || this.#addText(lines, i);
    }
  }

  markdown(): string {
    this.#close();
    return `${shown(this.#blocks)
      .join("\n\n")
      .replace(/(^- .*)\n\n(?=- )/gm, "$1\n")
      .replace(/(^\d+\. .*)\n\n(?=\d+\. )/gm, "$1\n")
      .replace(/(?:^|\n\n)###### \{#page=1\}(?=\n\n# )/, "")
      .trim()}\n`;
  }

  /** How many lines are a heading, code or a table. */
  #addBlock(lines: readonly Line[], i: number): number {
    const count = this.#addHeading(lines, i) || this.#addCode(lines, i) || this.#addTable(lines, i);
    if (count > 0) this.#before = undefined;
    return count;
  }

  #addHeading(lines: readonly Line[], from: number): number {
    const level = this.#headings.levelOf(lines, from, this.#pages[this.#page]?.[0]);
    const line = lines[from];
    if (level === undefined || line === undefined) return 0;
    this.#close();
    let text = line.text.trim();
    let count = 1;
    for (let last = line; ; count += 1) {
      const next = lines[from + count];
      if (next === undefined || !this.#headings.goesOn(line, next)) break;
      const gap = last.y - next.y;
      if (gap <= 0 || gap >= line.size * 1.5) break;
      if (text.length + next.text.length >= HEADING_LENGTH_MAX) break;
      text = join(text, next.text.trim(), this.#vocabulary);
      last = next;
    }
    const isCode = this.#headings.isCodeHeading(lines, from);
    const words = isCode ? `\`${text.replaceAll("`", "")}\`` : escaped(text);
    this.#push(`${"#".repeat(level)} ${words} {#page=${this.#page}}`);
    this.#isPageNamed = true;
    return count;
  }

  #addCode(lines: readonly Line[], from: number): number {
    const label = isLabel(lines, from, this.#headings) ? 1 : 0;
    const count = codeFrom(lines, from + label, this.#headings);
    if (count === 0) return 0;
    const language = label === 1 ? (lines[from]?.text.trim().toLowerCase() ?? "") : "";
    const code = codeLines(lines.slice(from + label, from + label + count));
    const last = this.#beforeBreak(lines, from);
    // Code goes on over the page or column.
    if (last?.kind === "code" && label === 0) last.lines.push(...code);
    else this.#add({ kind: "code", lines: code, language });
    return label + count;
  }

  #addTable(lines: readonly Line[], from: number): number {
    const drawn = lines[from]?.rows;
    if (drawn === undefined) {
      const count = tableFrom(lines, from, this.#headings.body);
      if (count > 0) this.#add({ kind: "table", rows: tableOf(lines.slice(from, from + count)) });
      return count;
    }
    const rows = drawn.map((row) => row.map((cell) => cellText(cell, this.#vocabulary)));
    const last = this.#beforeBreak(lines, from);
    if (last?.kind === "table" && last.rows[0]?.length === rows[0]?.length) {
      // A table goes on over the page, often below its head once more.
      const isHeadAgain = rows[0]?.join("|") === last.rows[0]?.join("|");
      last.rows.push(...rows.slice(isHeadAgain ? 1 : 0));
    } else this.#add({ kind: "table", rows });
    return 1;
  }

  /** One line of a paragraph or list. */
  #addText(lines: readonly Line[], i: number): number {
    const line = lines[i] as Line;
    const text = line.text.trim();
    const isNewItem = isItem(text);
    if (this.#open === undefined || isNewItem || !this.#isNext(lines, i)) {
      this.#close();
      // A list that goes on over the page stays one.
      if (!isNewItem || !this.#isInList()) this.#namePage();
      const { left } = this.#edges.get(line.column) ?? { left: 0 };
      const isIndented = !isNewItem && line.x > left + line.size * INDENT;
      this.#open = { text: item(text), isIndented };
    } else {
      // The page where it goes on is named by what follows.
      this.#open.text = join(this.#open.text, escaped(text), this.#vocabulary);
    }
    this.#before = line;
    return 1;
  }

  /** Whether the line goes on with the open paragraph. */
  #isNext(lines: readonly Line[], i: number): boolean {
    const [before, line] = [this.#before, lines[i] as Line];
    const gap = before === undefined ? -1 : before.y - line.y;
    if (before === undefined || gap < 0) return continues(this.#open?.text, line.text.trim());
    return (
      gap <= line.size * this.#gapMax &&
      Math.abs(before.size - line.size) < 1.5 &&
      !endsEarly(lines, i - 1, this.#edges)
    );
  }

  #add(block: Block): void {
    this.#close();
    this.#namePage();
    this.#blocks.push(block);
  }

  #push(text: string, isIndented = false): void {
    this.#blocks.push({ kind: "text", text, isIndented });
  }

  /** What is before the first line of a page or column, if it is complete. */
  #beforeBreak(lines: readonly Line[], i: number): Block | undefined {
    const isFirst = i === 0 || lines[i - 1]?.column !== lines[i]?.column;
    return isFirst && this.#open === undefined ? this.#blocks.at(-1) : undefined;
  }

  #isInList(): boolean {
    const last = this.#blocks.at(-1);
    return last?.kind === "text" && /^(?:-|\d+\.) /.test(last.text);
  }

  #close(): void {
    const text = this.#open?.text.trim() ?? "";
    if (text !== "") this.#push(text, this.#open?.isIndented);
    this.#open = undefined;
  }

  #namePage(): void {
    if (this.#isPageNamed) return;
    this.#push(`###### {#page=${this.#page}}`);
    this.#isPageNamed = true;
  }
}

interface Edges {
  readonly left: number;
  readonly right: number;
}

/** Where the lines of each column begin and end. */
function edgesOf(lines: readonly Line[]): ReadonlyMap<number, Edges> {
  const edges = new Map<number, Edges>();
  for (const { column, x, width, isCode, cells, rows } of lines) {
    if (isCode || cells.length > 1 || rows !== undefined) continue;
    const { left, right } = edges.get(column) ?? { left: x, right: 0 };
    edges.set(column, { left: Math.min(left, x), right: Math.max(right, x + width) });
  }
  return edges;
}

/**
 * Indented paragraphs in a row are a list whose signs are drawn; below a word such as "Note", they are what is in
 * its box.
 */
function shown(blocks: readonly Block[]): string[] {
  const indented = (i: number) => {
    const block = blocks[i];
    return block?.kind === "text" && block.isIndented ? block.text : undefined;
  };
  const texts: string[] = [];
  for (let i = 0; i < blocks.length; i += 1) {
    const block = blocks[i] as Block;
    const [text, next] = [indented(i), indented(i + 1)];
    const alert = text === undefined ? undefined : ALERTS.get(text.toLowerCase());
    if (block.kind === "code") texts.push(shownCode(block.lines, block.language));
    else if (block.kind === "table") texts.push(shownTable(block.rows));
    else if (alert !== undefined && next !== undefined) {
      const inside: string[] = [];
      for (let one: string | undefined = next; one !== undefined; one = indented(i + 1)) {
        inside.push(one);
        i += 1;
      }
      texts.push(`> [!${alert}]\n> ${inside.join("\n>\n> ")}`);
    } else if (text !== undefined && (next ?? indented(i - 1)) !== undefined) {
      texts.push(`- ${text.replace(/^\\(?=[#>+=~-])/, "")}`);
    } else texts.push(block.text);
  }
  return texts;
}

/**
 * Whether the next line begins something else: its first word had room on the
 * line before. The signs of lists are often drawn, and no text.
 */
function endsEarly(lines: readonly Line[], i: number, edges: ReadonlyMap<number, Edges>): boolean {
  const [above, line, next] = [lines[i - 1], lines[i], lines[i + 1]];
  if (line === undefined || next === undefined || next.column !== line.column) return false;
  if (/[-\u00ad\u2010]$/.test(line.text.trim())) return false;
  // Lines that end at the same place are set in a narrower block.
  if (endsWith(line, next) || (above !== undefined && endsWith(above, line))) return false;
  return hasRoom(line, next, edges);
}

/** Whether the first word of the next line would have fitted on this one. */
function hasRoom(line: Line, next: Line, edges: ReadonlyMap<number, Edges>): boolean {
  const text = next.text.trim();
  // No line ends after an opening bracket, even before a space (UAX 14, LB14).
  const word = startsUnspaced(text) ? 1 : (/^(?:[([{«]\s*)?\S*/.exec(text)?.[0].length ?? 0);
  const room = (edges.get(line.column)?.right ?? 0) - line.x - line.width;
  return room > (next.width / Math.max(1, text.length)) * (word + 1) * 1.2 + line.size;
}

function endsWith(one: Line, other: Line): boolean {
  return Math.abs(one.x + one.width - other.x - other.width) < 1 && one.column === other.column;
}

/** Whether a paragraph goes on over a page or column. */
function continues(open: string | undefined, next: string): boolean {
  return (
    open !== undefined &&
    !/[.!?:;。！？]["')\]]?$/.test(open.trim()) &&
    /^[\p{Ll}\p{N}(]|^\p{Lo}/u.test(next)
  );
}

/** In sizes of the font. Lines that are full tell how far apart lines of one paragraph are. */
function leadingOf(
  pages: readonly (readonly Line[])[],
  body: number,
  edges: ReadonlyMap<number, Edges>,
): number {
  const gaps = pages.flatMap((lines) =>
    lines.flatMap((line, i) => {
      const next = lines[i + 1];
      if (next === undefined || next.column !== line.column) return [];
      const areText = [line, next].every(
        ({ isCode, cells, size }) =>
          !isCode && cells.length === 1 && Math.abs(size - body) < body * 0.1,
      );
      const gap = (line.y - next.y) / line.size;
      return areText && gap > 0 && gap < LEADING_MAX && !hasRoom(line, next, edges) ? [gap] : [];
    }),
  );
  if (gaps.length < WRAPPED_MIN) return LEADING;
  return gaps.sort((a, b) => a - b)[gaps.length >> 1] ?? LEADING;
}
