// Markdown as blocks, line by line as the text grows: CommonMark with the tables and tasks of GitHub,
// without HTML and reference definitions, which stay text. A block that is closed never changes. The
// time is linear in the text: a line's length, the depth and a paragraph's length are bounded. Pure.

import { closesFence, openingFence } from "./code-fence.ts";
import { CodeSpans } from "./code-spans.ts";

export type BlockKind =
  | "document"
  | "quote"
  | "list"
  | "item"
  | "paragraph"
  | "heading"
  | "code"
  | "rule"
  | "table"
  | "row";

export type Align = "left" | "center" | "right" | "";

export interface Block {
  kind: BlockKind;
  readonly children: Block[];
  /** Of a paragraph, a heading or code: its lines, with a line feed between two. */
  text: string;
  /** Of a heading: 1 to 6. */
  level: number;
  /** Of an ordered list: its first number. */
  start: number | undefined;
  /** Of an item that is a task: whether it is done. */
  checked: boolean | undefined;
  /** Of a table: its columns. */
  columns: readonly Align[];
  /** Of a row: its cells, as many as were written. The first row of a table is its head. */
  cells: readonly string[];
  /** Of a list: the kind of its markers. Of a fence: what opened it. */
  mark: string;
  /** Of an item or a fence: how many columns its lines may be indented by. */
  indent: number;
  /** Of code: whether it has a line, and the empty lines that count only if another line follows. */
  begun: boolean;
  blanks: string;
}

/** A longer line is cut, and the rest is a paragraph of its own; so is a longer paragraph. In UTF-16 units. */
const TEXT_MAX = 4_096;
/** A mark that would open a deeper container is text. */
const DEPTH_MAX = 16;
const COLUMNS_MAX = 64;
/** More empty lines within code are left out. */
const BLANKS_MAX = 100;

const LEAVES: ReadonlySet<BlockKind> = new Set([
  "paragraph",
  "heading",
  "code",
  "rule",
  "table",
  "row",
]);

const HEADING = /^(#{1,6})(?:[ \t]+|$)/;
const UNDERLINE = /^(?:=+|-+)[ \t]*$/;
const RULE = /^(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})$/;
const MARKER = /^(?:([-+*])|(\d{1,9})([.)]))(?=[ \t]|$)/;
const TASK = /^\[([ xX])\](?=[ \t]+\S)/;
const DELIMITER = /^:?-+:?$/;
/** Part of the character before it. */
const JOINED = /^(?:\p{M}|\p{EMod}|\u200D|[\uDC00-\uDFFF])/u;

export class MarkdownBlocks {
  readonly root = block("document");
  /** The open blocks, from the root to where text goes. */
  #open: Block[] = [this.root];
  /** The line that has not ended, and whether it is the rest of one that was cut. */
  #line = "";
  #isRest = false;
  #endsInCr = false;

  /** Whether more text may still change the block. */
  isOpen(block: Block): boolean {
    return this.#open.includes(block);
  }

  /** CR LF, CR and LF end a line, also where a text ends between CR and LF. */
  write(text: string): void {
    if (text === "") return;
    let from = this.#endsInCr && text.startsWith("\n") ? 1 : 0;
    this.#endsInCr = text.endsWith("\r");
    const ends = /\r\n?|\n/g;
    ends.lastIndex = from;
    for (let end = ends.exec(text); end !== null; end = ends.exec(text)) {
      this.#grow(text.slice(from, end.index));
      this.#endLine();
      from = ends.lastIndex;
    }
    this.#grow(text.slice(from));
  }

  /** No more comes: the last line has ended, and every block is closed. */
  end(): void {
    if (this.#line !== "" || this.#isRest) this.#endLine();
    this.#open = [];
  }

  /** Calls `read` while the blocks are as if the last line ended here. */
  peek(read: () => void): void {
    const open = this.#open;
    const before = open.map((block) => ({ ...block, count: block.children.length }));
    this.#open = [...open];
    if (this.#line !== "") this.#take(this.#line);
    read();
    open.forEach((block, i) => {
      const { count, children: _, ...rest } = before[i] as (typeof before)[number];
      Object.assign(block, rest);
      block.children.length = count;
    });
    this.#open = open;
  }

  /** What has come of a line that has not ended. */
  get line(): string {
    return this.#line;
  }

  #grow(text: string): void {
    this.#line += text;
    while (this.#line.length > TEXT_MAX) {
      const cut = cutOf(this.#line);
      this.#take(this.#line.slice(0, cut));
      this.#line = this.#line.slice(cut);
      this.#isRest = true;
    }
  }

  #endLine(): void {
    this.#take(this.#line);
    this.#line = "";
    this.#isRest = false;
  }

  #take(line: string): void {
    if (!this.#isRest) this.#process(new Cursor(line.replaceAll("\0", "\uFFFD")));
    else if (this.#tip.kind === "code") this.#tip.text += line;
    else if (line.trim() !== "") this.#add(block("paragraph", { text: line.trim() }));
  }

  get #tip(): Block {
    return this.#open.at(-1) ?? this.root;
  }

  /** Closes what cannot hold the block, and opens it. */
  #add(added: Block): void {
    for (;;) {
      const tip = this.#tip;
      const holds = !LEAVES.has(tip.kind) && (tip.kind === "list") === (added.kind === "item");
      if (holds) break;
      this.#open.pop();
    }
    this.#tip.children.push(added);
    this.#open.push(added);
  }

  #process(at: Cursor): void {
    let matched = 1;
    for (; matched < this.#open.length; matched += 1) {
      const continued = continues(this.#open[matched] as Block, at);
      if (continued === "ends") {
        this.#open.length = matched;
        return;
      }
      if (!continued) break;
    }
    const before = this.#open.length;
    const tip = this.#tip;
    let isNew = false;
    for (let container = this.#open[matched - 1]; ; container = this.#tip) {
      if (container?.kind === "code") {
        addLine(container, at.rest());
        return;
      }
      if (at.isBlank) break;
      // What was not matched is closed by the first block that begins here.
      const opened = this.#begin(at, container as Block, isNew ? this.#open.length : matched, tip);
      if (opened === "none") break;
      isNew = true;
      if (opened === "leaf") return;
    }
    const isLazy = !isNew && matched < before && !at.isBlank && tip.kind === "paragraph";
    if (!isNew && !isLazy) this.#open.length = matched;
    if (!at.isBlank) this.#addText(at.text.slice(at.next).trimEnd());
  }

  #addText(text: string): void {
    const tip = this.#tip;
    if (tip.kind === "table") {
      tip.children.push(block("row", { cells: cellsOf(text, tip.columns.length) }));
    } else if (tip.kind === "paragraph" && tip.text.length + text.length < TEXT_MAX) {
      tip.text += `\n${text}`;
    } else {
      this.#add(block("paragraph", { text }));
    }
  }

  /** Opens what begins here, if something does: a container, in which more may begin, or a leaf. */
  #begin(at: Cursor, container: Block, matched: number, tip: Block): "none" | "container" | "leaf" {
    const open = (added: Block) => {
      this.#open.length = matched;
      this.#add(added);
    };
    if (at.indent >= 4) {
      if (tip.kind === "paragraph" && this.#open.includes(tip)) return "none";
      at.skip(4);
      open(block("code", { text: at.rest(), begun: true }));
      return "leaf";
    }
    const text = at.text.slice(at.next);
    const inParagraph = container.kind === "paragraph";

    if (text.startsWith(">")) {
      if (matched >= DEPTH_MAX) return "none";
      at.to(at.next + 1);
      if (at.indent > 0) at.skip(1);
      open(block("quote"));
      return "container";
    }
    const heading = HEADING.exec(text);
    if (heading !== null) {
      const level = heading[1]?.length ?? 1;
      const words = withoutClosing(text.slice(heading[0].length).trim());
      open(block("heading", { level, text: words }));
      this.#open.pop();
      return "leaf";
    }
    const fence = openingFence(text);
    if (fence !== undefined) {
      open(block("code", { mark: fence, indent: at.indent }));
      return "leaf";
    }
    if (inParagraph && this.#becomesTable(container, text)) return "leaf";
    if (inParagraph && UNDERLINE.test(text)) {
      container.kind = "heading";
      container.level = text.startsWith("=") ? 1 : 2;
      this.#open.pop();
      return "leaf";
    }
    if (RULE.test(text)) {
      open(block("rule"));
      this.#open.pop();
      return "leaf";
    }
    const marker = MARKER.exec(text);
    if (marker === null) return "none";
    const [all, bullet = "", number, delimiter = ""] = marker;
    const mark = bullet + delimiter;
    const isSameList = container.kind === "list" && container.mark === mark;
    if (!isSameList && matched >= DEPTH_MAX - 1) return "none";
    // What would be a list of one empty item, or begin with another number, is more often a line of text.
    const isText = text.slice(all.length).trim() === "" || (number !== undefined && +number !== 1);
    if (inParagraph && isText) return "none";
    if (isSameList) this.#open.length = matched;
    else open(block("list", { mark, start: number === undefined ? undefined : +number }));
    const before = at.indent + all.length;
    at.to(at.next + all.length);
    // Text that begins 5 columns on is code, which begins after one.
    const after = at.isBlank || at.indent >= 5 ? 1 : at.indent;
    const isBlank = at.isBlank;
    at.skip(after);
    const task = isBlank ? null : TASK.exec(at.text.slice(at.next));
    this.#add(
      block("item", {
        indent: before + after,
        checked: task === null ? undefined : task[1] !== " ",
      }),
    );
    if (task !== null) at.to(at.next + task[0].length);
    return "container";
  }

  /** Whether the line makes a table of the paragraph's last one, which is then its head. */
  #becomesTable(paragraph: Block, line: string): boolean {
    if (!/^[-:|][-:|\s]*$/.test(line) || !/[:|]/.test(line)) return false;
    const delimiters = cellsOf(line);
    if (delimiters.length > COLUMNS_MAX || !delimiters.every((cell) => DELIMITER.test(cell))) {
      return false;
    }
    const cut = paragraph.text.lastIndexOf("\n");
    const head = cellsOf(paragraph.text.slice(cut + 1), delimiters.length);
    if (head.length !== delimiters.length) return false;
    const columns = delimiters.map(alignOf);
    if (cut === -1) {
      Object.assign(paragraph, { kind: "table", text: "", columns });
    } else {
      paragraph.text = paragraph.text.slice(0, cut);
      this.#add(block("table", { columns }));
    }
    this.#tip.children.push(block("row", { cells: head }));
    return true;
  }
}

function block(kind: BlockKind, more: Partial<Block> = {}): Block {
  return {
    kind,
    children: [],
    text: "",
    level: 0,
    start: undefined,
    checked: undefined,
    columns: [],
    cells: [],
    mark: "",
    indent: 0,
    begun: false,
    blanks: "",
    ...more,
  };
}

/** Whether a line goes on with an open block, past whose marks the cursor then is. */
function continues(block: Block, at: Cursor): boolean | "ends" {
  switch (block.kind) {
    case "quote":
      if (at.indent >= 4 || at.text[at.next] !== ">") return false;
      at.to(at.next + 1);
      if (at.indent > 0) at.skip(1);
      return true;
    case "item":
      if (at.isBlank) return block.children.length > 0;
      if (at.indent < block.indent) return false;
      at.skip(block.indent);
      return true;
    case "code": {
      if (block.mark === "") {
        if (at.indent < 4 && !at.isBlank) return false;
        at.skip(4);
        return true;
      }
      if (at.indent < 4 && closesFence(at.text.slice(at.next), block.mark)) return "ends";
      at.skip(block.indent);
      return true;
    }
    case "paragraph":
    case "table":
      return !at.isBlank;
    default:
      return true;
  }
}

/** To code. The empty lines at the end of code that has no fence are none of it. */
function addLine(code: Block, line: string): void {
  if (code.mark === "" && line.trim() === "") {
    if (code.blanks.length < BLANKS_MAX) code.blanks += `\n${line}`;
    return;
  }
  code.text += code.blanks + (code.begun ? "\n" : "") + line;
  code.blanks = "";
  code.begun = true;
}

/** A heading may end in as many `#` as it likes, after a blank. */
function withoutClosing(text: string): string {
  let end = text.length;
  while (text[end - 1] === "#") end -= 1;
  if (end === 0) return "";
  return /[ \t]/.test(text[end - 1] ?? "") ? text.slice(0, end).trimEnd() : text;
}

/**
 * The cells of a row of a table. A bar within inline code parts cells, as everywhere on GitHub, unless
 * the row has as many cells as `wanted` only without that.
 */
function cellsOf(line: string, wanted?: number): string[] {
  const row = line.trim();
  const bars = Array.from(row.matchAll(/(?<!\\)\|/g), ({ index }) => index);
  const cells = parted(row, bars);
  if (wanted === undefined || cells.length <= wanted) return cells;
  const spans = new CodeSpans(row);
  const outside: number[] = [];
  let next = 0;
  let after = 0;
  for (const { index, 0: run } of row.matchAll(/`+/g)) {
    if (index < after) continue;
    const end = spans.closing(run.length, index + run.length);
    if (end === undefined) continue;
    for (; (bars[next] ?? index) < index; next += 1) outside.push(bars[next] as number);
    after = end + run.length;
    while ((bars[next] ?? after) < after) next += 1;
  }
  const fewer = parted(row, [...outside, ...bars.slice(next)]);
  return fewer.length === wanted ? fewer : cells;
}

function parted(row: string, bars: readonly number[]): string[] {
  const inner = bars.filter((at) => at > 0 && at < row.length - 1);
  const from = bars[0] === 0 ? 1 : 0;
  const to = bars.length > 0 && bars.at(-1) === row.length - 1 ? row.length - 1 : row.length;
  const edges = [from - 1, ...inner, to];
  return edges
    .slice(1)
    .map((end, i) => row.slice((edges[i] ?? 0) + 1, end).trim())
    .map((cell) => cell.replaceAll("\\|", "|"));
}

function alignOf(delimiter: string): Align {
  const left = delimiter.startsWith(":");
  const right = delimiter.endsWith(":");
  if (left && right) return "center";
  if (left) return "left";
  return right ? "right" : "";
}

/** Where a line that is too long is cut: after a blank, or at least not inside a character. */
function cutOf(line: string): number {
  const blank = line.lastIndexOf(" ", TEXT_MAX - 1);
  if (blank > TEXT_MAX / 2) return blank + 1;
  let cut = TEXT_MAX;
  const least = TEXT_MAX - 64;
  while (cut > least && (JOINED.test(line.slice(cut, cut + 2)) || line[cut - 1] === "\u200D")) {
    cut -= 1;
  }
  return cut > least ? cut : TEXT_MAX;
}

/** A place in a line. Blanks are counted in columns, of which a tab fills up to 4. */
class Cursor {
  readonly text: string;
  #pos = 0;
  #column = 0;
  /** Columns of the tab before this place that are not passed yet. */
  #spare = 0;
  /** Of the first character that is no blank. */
  #next = -1;
  #nextColumn = 0;

  constructor(text: string) {
    this.text = text;
    this.#look();
  }

  /** The offset of the first character from here on that is no blank. */
  get next(): number {
    return this.#next;
  }

  /** How many columns before it are blank. */
  get indent(): number {
    return this.#nextColumn - this.#column;
  }

  get isBlank(): boolean {
    return this.#next === this.text.length;
  }

  /** Goes to an offset, from the first character that is no blank on. */
  to(offset: number): void {
    this.#column = this.#nextColumn + offset - this.#next;
    this.#pos = offset;
    this.#spare = 0;
    this.#look();
  }

  /** Passes as many blank columns, or all there are. */
  skip(columns: number): void {
    for (let left = Math.min(columns, this.indent); left > 0; ) {
      if (this.#spare === 0) {
        this.#spare = this.text[this.#pos] === "\t" ? 4 - (this.#column % 4) : 1;
        this.#pos += 1;
      }
      const step = Math.min(left, this.#spare);
      this.#spare -= step;
      this.#column += step;
      left -= step;
    }
  }

  /** What is left of the line, with blanks in place of the part of a tab. */
  rest(): string {
    return " ".repeat(this.#spare) + this.text.slice(this.#pos);
  }

  #look(): void {
    let next = this.#pos;
    let column = this.#column;
    for (; ; next += 1) {
      const char = this.text[next];
      if (char === "\t") column += 4 - (column % 4);
      else if (char === " ") column += 1;
      else break;
    }
    this.#next = next;
    this.#nextColumn = column;
  }
}
