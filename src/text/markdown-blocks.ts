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
  readonly start?: number | undefined;
  /** Of an item that is a task. */
  readonly checked?: boolean | undefined;
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

/** They hold blocks. A list holds items, and nothing else does. */
const CONTAINERS: readonly BlockKind[] = ["document", "quote", "item", "list"];

const HEADING = /^(#{1,6})(?:[ \t]+|$)/;
/** A heading may end in any number of `#` after a blank. */
const HEADING_END = /(?:^|[ \t])#+$/;
const UNDERLINE = /^(?:=+|-+)[ \t]*$/;
const RULE = /^(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})$/;
const MARKER = /^(?:[-+*]|(\d{1,9})[.)])(?=[ \t]|$)/;
const TASK = /^\[([ xX])\](?=[ \t]+\S)/;

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
    const isSecondHalf = this.#endsInCr && text.startsWith("\n");
    this.#endsInCr = text.endsWith("\r");
    text
      .slice(isSecondHalf ? 1 : 0)
      .split(/\r\n?|\n/)
      .forEach((part, i) => {
        if (i > 0) this.#endLine();
        this.#grow(part);
      });
  }

  /** Ends the last line and closes every block. */
  end(): void {
    if (this.#line !== "" || this.#isRest) this.#endLine();
    this.#open = [];
  }

  /** Calls `read` with the blocks as if the last line ended here. */
  peek(read: () => void): void {
    const open = this.#open;
    const before = open.map((block) => ({ ...block, children: [...block.children] }));
    this.#open = [...open];
    if (this.#line !== "") this.#take(this.#line);
    read();
    open.forEach((block, i) => {
      Object.assign(block, before[i]);
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
  #add(added: Block): Block {
    const holds = ({ kind }: Block) =>
      CONTAINERS.includes(kind) && (kind === "list") === (added.kind === "item");
    while (!holds(this.#tip)) this.#open.pop();
    this.#tip.children.push(added);
    // These end with their line.
    if (added.kind !== "heading" && added.kind !== "rule") this.#open.push(added);
    return added;
  }

  #process(line: LineCursor): void {
    let matched = 1;
    for (; matched < this.#open.length; matched += 1) {
      const continued = continues(this.#open[matched] as Block, line);
      if (continued === "ends") {
        this.#open.length = matched;
        return;
      }
      if (!continued) break;
    }
    for (;;) {
      const container = this.#open[matched - 1] as Block;
      if (container.kind === "code") {
        addLine(container, line.rest);
        return;
      }
      if (line.isBlank) break;
      const begun = this.#begin(line, container, matched);
      if (begun === undefined) break;
      if (!CONTAINERS.includes(begun.kind)) return;
      matched = this.#open.length;
    }
    // A paragraph goes on without the marks of its containers.
    const isLazy = !line.isBlank && this.#tip.kind === "paragraph";
    if (!isLazy) this.#open.length = matched;
    if (!line.isBlank) this.#addText(line.content.trimEnd());
  }

  #addText(text: string): void {
    const tip = this.#tip;
    if (tip.kind === "table") {
      const { length } = tip.columns;
      const cells = cellsOf(text, length);
      // A short row is filled up, as far as its own text is long.
      while (cells.length < Math.min(length, text.length)) cells.push("");
      tip.children.push(block("row", { cells }));
    } else if (tip.kind === "paragraph" && tip.text.length + text.length < TEXT_MAX) {
      tip.text += `\n${text}`;
    } else {
      this.#add(block("paragraph", { text }));
    }
  }

  /** The block that begins here in a container, if one does. */
  #begin(line: LineCursor, container: Block, matched: number): Block | undefined {
    /** Closes the blocks that the line does not continue. */
    const open = (kind: BlockKind, more: Partial<Block> = {}) => {
      this.#open.length = matched;
      return this.#add(block(kind, more));
    };
    const { indent, content } = line;
    if (indent >= 4) {
      if (this.#tip.kind === "paragraph") return undefined;
      line.skip(4);
      return open("code", { text: line.rest, begun: true });
    }
    if (matched < DEPTH_MAX && isQuoted(line)) return open("quote");
    const heading = HEADING.exec(content);
    if (heading !== null) {
      const [all, marks = ""] = heading;
      const text = content.slice(all.length).trim().replace(HEADING_END, "").trimEnd();
      return open("heading", { level: marks.length, text });
    }
    const mark = openingFence(content);
    if (mark !== undefined) return open("code", { mark, indent });
    const isInParagraph = container.kind === "paragraph";
    if (isInParagraph && this.#becomesTable(container, content)) return container;
    if (isInParagraph && UNDERLINE.test(content)) {
      container.kind = "heading";
      container.level = content.startsWith("=") ? 1 : 2;
      return this.#open.pop();
    }
    if (RULE.test(content)) return open("rule");
    return this.#beginItem(line, container, matched);
  }

  #beginItem(line: LineCursor, container: Block, matched: number): Block | undefined {
    const { indent, content } = line;
    const [marker, number] = MARKER.exec(content) ?? [];
    if (marker === undefined) return undefined;
    const mark = marker.slice(-1);
    const start = number === undefined ? undefined : +number;
    const isNew = container.kind !== "list" || container.mark !== mark;
    if (isNew && matched >= DEPTH_MAX - 1) return undefined;
    // In a paragraph, an empty item or a number other than 1 is most
    // often text.
    const isText = content.slice(marker.length).trim() === "" || (start ?? 1) !== 1;
    if (container.kind === "paragraph" && isText) return undefined;
    this.#open.length = matched;
    if (isNew) this.#add(block("list", { mark, start }));
    line.take(marker.length);
    // After 5 columns the item begins with code, which is indented by one less.
    const after = line.isBlank || line.indent >= 5 ? 1 : line.indent;
    line.skip(after);
    const task = TASK.exec(line.content);
    if (task !== null) line.take(task[0].length);
    const checked = task === null ? undefined : task[1] !== " ";
    return this.#add(block("item", { indent: indent + marker.length + after, checked }));
  }

  /**
   * Whether the line below the paragraph's last line makes that the
   * head of a table.
   */
  #becomesTable(paragraph: Block, line: string): boolean {
    if (!/[:|]/.test(line)) return false;
    const columns = cellsOf(line).map(alignOf);
    if (columns.length > COLUMNS_MAX || !columns.every((align) => align !== undefined))
      return false;
    const cut = paragraph.text.lastIndexOf("\n");
    const cells = cellsOf(paragraph.text.slice(cut + 1), columns.length);
    if (cells.length !== columns.length) return false;
    if (cut === -1) {
      Object.assign(paragraph, { kind: "table", text: "", columns });
    } else {
      paragraph.text = paragraph.text.slice(0, cut);
      this.#add(block("table", { columns }));
    }
    this.#tip.children.push(block("row", { cells }));
    return true;
  }
}

function block(kind: BlockKind, more: Partial<Block> = {}): Block {
  return {
    kind,
    children: [],
    text: "",
    level: 0,
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
function continues(block: Block, line: LineCursor): boolean | "ends" {
  switch (block.kind) {
    case "quote":
      return isQuoted(line);
    case "item":
      if (line.isBlank) return block.children.length > 0;
      if (line.indent < block.indent) return false;
      line.skip(block.indent);
      return true;
    case "code": {
      const isFenced = block.mark !== "";
      if (line.indent < 4) {
        if (isFenced && closesFence(line.content, block.mark)) return "ends";
        if (!isFenced && !line.isBlank) return false;
      }
      line.skip(isFenced ? block.indent : 4);
      return true;
    }
    case "paragraph":
    case "table":
      return !line.isBlank;
    default:
      return true;
  }
}

/** Whether a quote's mark is here. Moves the cursor past it. */
function isQuoted(line: LineCursor): boolean {
  if (line.indent >= 4 || !line.content.startsWith(">")) return false;
  line.take(1);
  line.skip(1);
  return true;
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

/** Where a long line is cut: after a blank, or at least not in a character. */
function cutOf(line: string): number {
  const blank = line.lastIndexOf(" ", TEXT_MAX - 1);
  if (blank > TEXT_MAX / 2) return blank + 1;
  const characters = new Intl.Segmenter().segment(line.slice(0, TEXT_MAX + 2));
  // A character of any number of marks is cut.
  return characters.containing(TEXT_MAX)?.index || TEXT_MAX;
}
