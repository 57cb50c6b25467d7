// Markdown as blocks, line by line as the text grows: CommonMark with
// GitHub's tables and tasks. HTML and reference definitions stay text.
// A closed block never changes. Linear in the text: the length of a
// line and of a paragraph and the depth are bounded. Pure.

import { closesFence, openingFence } from "./code-fence.ts";
import { LineCursor } from "./line-cursor.ts";
import { type Align, alignOf, cellsOf } from "./table-cells.ts";

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

export interface Block {
  kind: BlockKind;
  readonly children: Block[];
  /** Of a paragraph, a heading or code: its lines, joined by line feeds. */
  text: string;
  /** Of a heading: 1 to 6. */
  level: number;
  /** Of an ordered list: its first number. */
  start: number | undefined;
  /** Of an item that is a task. */
  checked: boolean | undefined;
  /** Of a table: its columns. */
  columns: readonly Align[];
  /** Of a row: the cells as written. The first row of a table is its head. */
  cells: readonly string[];
  /** Of a list: its marker. Of fenced code: the opening fence. */
  mark: string;
  /** Of an item or fenced code: the columns its lines are indented by. */
  indent: number;
  /** Of code: it has a line. `blanks`: empty lines, kept if a line follows. */
  begun: boolean;
  blanks: string;
}

/** UTF-16 units of a line and of a paragraph. The rest is another paragraph. */
const TEXT_MAX = 4_096;
/** The mark of a deeper container is text. */
const DEPTH_MAX = 16;
const COLUMNS_MAX = 64;
/** Further empty lines in code are dropped. */
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
/** Joined to the character before it. */
const JOINED = /^(?:\p{M}|\p{EMod}|\u200D|[\uDC00-\uDFFF])/u;

export class MarkdownBlocks {
  readonly root = block("document");
  /** The open blocks, from the root to the one that takes text. */
  #open: Block[] = [this.root];
  /** The line that has not ended. `isRest`: it is the rest of a cut line. */
  #line = "";
  #isRest = false;
  #endsInCr = false;

  /** Whether more text may change the block. */
  isOpen(block: Block): boolean {
    return this.#open.includes(block);
  }

  /** CR LF, CR and LF end a line, even if CR and LF come in two texts. */
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

  /** Ends the last line and closes every block. */
  end(): void {
    if (this.#line !== "" || this.#isRest) this.#endLine();
    this.#open = [];
  }

  /** Calls `read` with the blocks as if the last line ended here. */
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

  /** The beginning of a line that has not ended. */
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
    if (!this.#isRest) this.#process(new LineCursor(line.replaceAll("\0", "\uFFFD")));
    else if (this.#tip.kind === "code") this.#tip.text += line;
    else if (line.trim() !== "") this.#add(block("paragraph", { text: line.trim() }));
  }

  get #tip(): Block {
    return this.#open.at(-1) ?? this.root;
  }

  /** Closes blocks that cannot hold the added one, and opens it. */
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

  #process(at: LineCursor): void {
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
      // The first block that begins here closes those that did not match.
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

  /**
   * Opens the block that begins here, if one does. More may begin in a
   * container.
   */
  #begin(
    at: LineCursor,
    container: Block,
    matched: number,
    tip: Block,
  ): "none" | "container" | "leaf" {
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
    // In a paragraph, an empty item or a number other than 1 is most
    // often text.
    const isText = text.slice(all.length).trim() === "" || (number !== undefined && +number !== 1);
    if (inParagraph && isText) return "none";
    if (isSameList) this.#open.length = matched;
    else open(block("list", { mark, start: number === undefined ? undefined : +number }));
    const before = at.indent + all.length;
    at.to(at.next + all.length);
    // After 5 columns the item begins with code, which is indented by one less.
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

  /**
   * Whether the line below the paragraph's last line makes that the
   * head of a table.
   */
  #becomesTable(paragraph: Block, line: string): boolean {
    if (!/^[-:|][-:|\s]*$/.test(line) || !/[:|]/.test(line)) return false;
    const columns = cellsOf(line).map(alignOf);
    if (columns.length > COLUMNS_MAX || !isWhole(columns)) return false;
    const cut = paragraph.text.lastIndexOf("\n");
    const head = cellsOf(paragraph.text.slice(cut + 1), columns.length);
    if (head.length !== columns.length) return false;
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

/** Whether a line continues an open block. Moves the cursor past its marks. */
function continues(block: Block, at: LineCursor): boolean | "ends" {
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

/** Adds a line of code. Indented code does not end in empty lines. */
function addLine(code: Block, line: string): void {
  if (code.mark === "" && line.trim() === "") {
    if (code.blanks.length < BLANKS_MAX) code.blanks += `\n${line}`;
    return;
  }
  code.text += code.blanks + (code.begun ? "\n" : "") + line;
  code.blanks = "";
  code.begun = true;
}

/** A heading may end in any number of `#` after a blank. */
function withoutClosing(text: string): string {
  let end = text.length;
  while (text[end - 1] === "#") end -= 1;
  if (end === 0) return "";
  return /[ \t]/.test(text[end - 1] ?? "") ? text.slice(0, end).trimEnd() : text;
}

/** Where a long line is cut: after a blank, or at least not in a character. */
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

function isWhole(columns: readonly (Align | undefined)[]): columns is readonly Align[] {
  return !columns.includes(undefined);
}
