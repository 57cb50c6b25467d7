// The lines of a PDF as Markdown: headings, paragraphs, lists, code, tables,
// without what repeats at the top and bottom of pages. Pure.

import type { Line } from "./pdf-lines.ts";

/** A larger font than that of the text by this factor is a heading. */
const HEADING_SIZE = 1.12;
const HEADING_LENGTH_MAX = 160;
const HEADING_LEVELS = 5;
/** In sizes of the font, from line to line. */
const PARAGRAPH_GAP = 1.75;
/** Lines at the top and the bottom of a page that may repeat. */
const EDGE_LINES = 2;
const REPEATED_SHARE = 0.4;
const REPEATED_MIN = 3;
/** Of the height of a page. Small print there is a running head or foot. */
export const MARGIN = 0.06;
const SMALL = 0.85;
/** In sizes of the font, from the edge of the column. */
const INDENT = 0.8;
/** Begins a block that is indented, until all are known. */
const INDENTED = "\u0001";
const BULLET = /^[•●▪◦‣·](?:\s+|$)|^[–*-]\s+/;
const NUMBER = /^\(?(\d{1,3})[.)]\s+/;

export function paragraphs(all: readonly (readonly Line[])[], heights: readonly number[]): string {
  const pages = withoutEdges(all, heights);
  const body = bodySize(pages.flat());
  const sizes = headingSizes(pages.flat(), body);
  const words = new Set(
    pages.flatMap((lines) =>
      lines.flatMap(({ text }) => text.match(/[\p{L}\p{N}]+(?:-[\p{L}\p{N}]+)*/gu) ?? []),
    ),
  );
  const edges = edgesOf(pages.flat());
  const blocks: string[] = [];
  /** A paragraph that may go on on the next page. */
  let open: { text: string; isIndented: boolean } | undefined;
  const close = () => {
    const text = open?.text.trim() ?? "";
    if (text !== "") blocks.push((open?.isIndented ? INDENTED : "") + text);
    open = undefined;
  };
  pages.forEach((lines, index) => {
    let isPageNamed = false;
    const namePage = () => {
      if (isPageNamed) return;
      blocks.push(`###### {#page=${index + 1}}`);
      isPageNamed = true;
    };
    let before: Line | undefined;
    for (let i = 0; i < lines.length; i += 1) {
      const line = lines[i] as Line;
      const level = levelOf(line, body, sizes);
      if (level !== undefined) {
        close();
        let text = line.text.trim();
        let next = lines[i + 1];
        let last = line;
        // A heading of several lines.
        while (
          next !== undefined &&
          Math.abs(next.size - line.size) < 0.3 &&
          last.y - next.y > 0 &&
          last.y - next.y < line.size * 1.5 &&
          text.length + next.text.length < HEADING_LENGTH_MAX
        ) {
          text = join(text, next.text.trim(), words);
          last = next;
          i += 1;
          next = lines[i + 1];
        }
        blocks.push(`${"#".repeat(level)} ${escaped(text)} {#page=${index + 1}}`);
        isPageNamed = true;
        before = undefined;
        continue;
      }
      const code = codeFrom(lines, i);
      if (code > 0) {
        close();
        const text = fenced(lines.slice(i, i + code));
        const isSplit = i === 0 && index > 0 && /^```\n[\s\S]*\n```$/.test(blocks.at(-1) ?? "");
        if (isSplit && text.startsWith("```\n")) {
          // Code goes on over the page.
          blocks.push(`${(blocks.pop() ?? "").slice(0, -3)}${text.slice(4)}`);
        } else {
          namePage();
          blocks.push(text);
        }
        i += code - 1;
        before = undefined;
        continue;
      }
      const rows = tableFrom(lines, i, body);
      if (rows > 0) {
        close();
        namePage();
        blocks.push(table(lines.slice(i, i + rows)));
        i += rows - 1;
        before = undefined;
        continue;
      }
      const text = line.text.trim();
      const isItem = BULLET.test(text) || NUMBER.test(text);
      const gap = before === undefined ? 0 : before.y - line.y;
      const isNext =
        before === undefined
          ? continues(open?.text, text)
          : gap < 0
            ? continues(open?.text, text)
            : gap <= line.size * PARAGRAPH_GAP &&
              Math.abs(before.size - line.size) < 1.5 &&
              !endsEarly(lines, i - 1, edges);
      if (open === undefined || isItem || !isNext) {
        close();
        namePage();
        const { left } = edges.get(line.column) ?? { left: 0 };
        open = { text: item(text), isIndented: !isItem && line.x > left + line.size * INDENT };
      } else {
        // The page where it goes on is named by what follows.
        open.text = join(open.text, escaped(text), words);
      }
      before = line;
    }
  });
  close();
  return `${withLists(blocks)
    .join("\n\n")
    .replace(/(^- .*)\n\n(?=- )/gm, "$1\n")
    .replace(/(^\d+\. .*)\n\n(?=\d+\. )/gm, "$1\n")
    .replace(/(?:^|\n\n)###### \{#page=1\}(?=\n\n# )/, "")
    .trim()}\n`;
}

interface Edges {
  readonly left: number;
  readonly right: number;
}

/** Where the lines of each column begin and end. */
function edgesOf(lines: readonly Line[]): ReadonlyMap<number, Edges> {
  const edges = new Map<number, Edges>();
  for (const { column, x, width, isCode, cells } of lines) {
    if (isCode || cells.length > 1) continue;
    const { left, right } = edges.get(column) ?? { left: x, right: 0 };
    edges.set(column, { left: Math.min(left, x), right: Math.max(right, x + width) });
  }
  return edges;
}

/** Indented paragraphs in a row are a list whose signs are drawn. */
function withLists(blocks: readonly string[]): string[] {
  const isIndented = (i: number) => blocks[i]?.startsWith(INDENTED) === true;
  return blocks.map((block, i) => {
    if (!isIndented(i)) return block;
    const text = block.slice(INDENTED.length);
    return isIndented(i - 1) || isIndented(i + 1)
      ? `- ${text.replace(/^\\(?=[#>+=~-])/, "")}`
      : text;
  });
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
  const text = next.text.trim();
  const word = /^[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}]/u.test(text) ? 1 : text.search(/\s|$/);
  const room = (edges.get(line.column)?.right ?? 0) - line.x - line.width;
  return room > (next.width / Math.max(1, text.length)) * (word + 1) * 1.2 + line.size;
}

function endsWith(one: Line, other: Line): boolean {
  return Math.abs(one.x + one.width - other.x - other.width) < 1 && one.column === other.column;
}

function item(text: string): string {
  if (BULLET.test(text)) return `- ${escaped(text.replace(BULLET, ""))}`;
  const number = NUMBER.exec(text);
  if (number !== null) return `${number[1]}. ${escaped(text.slice(number[0].length))}`;
  return escaped(text).replace(/^([#>+=~-])/, "\\$1");
}

/** Without characters that Markdown would read as mark-up. */
function escaped(text: string): string {
  return text
    .replace(/[\\*<`[\]{}]/g, "\\$&")
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\_");
}

/** Whether a paragraph goes on over a page or column. */
function continues(open: string | undefined, next: string): boolean {
  return (
    open !== undefined &&
    !/[.!?:;。！？]["')\]]?$/.test(open.trim()) &&
    /^[\p{Ll}\p{N}(]|^\p{Lo}/u.test(next)
  );
}

/** A word cut at a line end is joined, unless it has a hyphen elsewhere. */
function join(before: string, next: string, words: ReadonlySet<string>): string {
  const start = /([\p{L}\p{N}]+)[-\u00ad\u2010]$/u.exec(before)?.[1];
  const end = /^\p{Ll}[\p{L}\p{N}]*/u.exec(next)?.[0];
  if (start !== undefined && end !== undefined) {
    const keeps = words.has(`${start}-${end}`) && !words.has(start + end);
    return before.slice(0, keeps ? undefined : -1).replace(/\u00ad$/, "") + next;
  }
  const isUnspaced =
    /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}]$/u.test(before) &&
    /^[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}]/u.test(next);
  return `${before}${isUnspaced ? "" : " "}${next}`;
}

function bodySize(lines: readonly Line[]): number {
  const counts = new Map<number, number>();
  for (const { size, text, isCode } of lines) {
    if (isCode) continue;
    const key = Math.round(size * 2) / 2;
    counts.set(key, (counts.get(key) ?? 0) + text.length);
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 10;
}

function headingSizes(lines: readonly Line[], body: number): number[] {
  const sizes = new Set<number>();
  for (const line of lines) {
    if (isHeading(line, body)) sizes.add(Math.round(line.size * 2) / 2);
  }
  return [...sizes].sort((a, b) => b - a);
}

function isHeading({ size, text, isCode, cells }: Line, body: number): boolean {
  return (
    !isCode &&
    cells.length === 1 &&
    size >= body * HEADING_SIZE &&
    text.trim().length <= HEADING_LENGTH_MAX &&
    /[\p{L}\p{N}]{2}|\p{Lo}/u.test(text)
  );
}

function levelOf(line: Line, body: number, sizes: readonly number[]): number | undefined {
  if (!isHeading(line, body)) return undefined;
  const rank = sizes.indexOf(Math.round(line.size * 2) / 2);
  return Math.min(HEADING_LEVELS, rank + 1);
}

/** The number of lines of code from a line on. */
function codeFrom(lines: readonly Line[], from: number): number {
  let count = 0;
  while (lines[from + count]?.isCode) count += 1;
  return count;
}

function fenced(lines: readonly Line[]): string {
  const left = Math.min(...lines.map(({ x }) => x));
  const text = lines.map(({ x, y, size, text }, i) => {
    const before = lines[i - 1];
    const isApart = before !== undefined && before.y - y > size * 2.2;
    return `${isApart ? "\n" : ""}${" ".repeat(Math.max(0, Math.round((x - left) / (size * 0.6))))}${text.trim()}`;
  });
  const fence = text.some((line) => line.includes("```")) ? "````" : "```";
  return [fence, ...text, fence].join("\n");
}

/** The number of rows of a table from a line on. */
function tableFrom(lines: readonly Line[], from: number, body: number): number {
  const first = lines[from];
  if (first === undefined || first.cells.length < 2) return 0;
  let count = 1;
  let full = 1;
  for (let line = lines[from + count]; line !== undefined; line = lines[from + count]) {
    const before = lines[from + count - 1] as Line;
    if (before.y < line.y || before.y - line.y > body * 4) break;
    const areAligned = line.cells.every(({ x }) =>
      first.cells.some((cell) => Math.abs(cell.x - x) < body),
    );
    if (!areAligned || (line.cells.length === 1 && before.y - line.y > body * 1.6)) break;
    if (line.cells.length > 1) full += 1;
    count += 1;
  }
  return full < 2 || full * 2 < count ? 0 : count;
}

function table(lines: readonly Line[]): string {
  const columns = [...new Set(lines[0]?.cells.map(({ x }) => x))];
  const rows: string[][] = [];
  for (const line of lines) {
    const row = columns.map(() => "");
    for (const { text, x } of line.cells) {
      const column = columns.reduce(
        (best, at, i) => (Math.abs(at - x) < Math.abs((columns[best] ?? 0) - x) ? i : best),
        0,
      );
      row[column] = escaped(text).replaceAll("|", "\\|");
    }
    const last = rows.at(-1);
    // The rest of a cell that has several lines.
    if (last !== undefined && row[0] === "" && rows.length > 1) {
      row.forEach((text, i) => {
        if (text !== "") last[i] = `${last[i]} ${text}`.trim();
      });
    } else rows.push(row);
  }
  const show = (row: readonly string[]) => `| ${row.join(" | ")} |`;
  const [head = [], ...others] = rows;
  return [show(head), show(head.map(() => "---")), ...others.map(show)].join("\n");
}

/** Takes off running heads and feet, and page numbers. */
function withoutEdges(pages: readonly (readonly Line[])[], heights: readonly number[]): Line[][] {
  const isInMargin = (line: Line, page: number) => {
    const height = heights[page] ?? 0;
    return line.y < height * MARGIN || line.y > height * (1 - MARGIN);
  };
  const body = bodySize(
    pages.flatMap((lines, page) => lines.filter((line) => !isInMargin(line, page))),
  );
  const counts = new Map<string, Set<number>>();
  const key = (line: Line) =>
    `${Math.round(line.y / 4)} ${line.text.replace(/\d+|\b[ivxl]+\b/gi, "#").trim()}`;
  const edges = pages.map((lines) => {
    const byHeight = [...lines].sort((a, b) => b.y - a.y);
    return new Set([...byHeight.slice(0, EDGE_LINES), ...byHeight.slice(-EDGE_LINES)]);
  });
  edges.forEach((lines, page) => {
    for (const line of lines) {
      const on = counts.get(key(line)) ?? new Set();
      on.add(page);
      counts.set(key(line), on);
    }
  });
  const least = Math.max(REPEATED_MIN, pages.length * REPEATED_SHARE);
  return pages.map((lines, page) =>
    lines.filter((line) => {
      if (!edges[page]?.has(line)) return true;
      if ((counts.get(key(line))?.size ?? 0) >= least) return false;
      if (isInMargin(line, page) && line.size < body * SMALL) return false;
      return !(
        pages.length > 1 &&
        /^[-–—\s]*(?:page\s+)?\d{1,4}(?:\s*(?:\/|of)\s*\d{1,4})?[-–—\s]*$/i.test(line.text)
      );
    }),
  );
}
