// A Markdown text as lines of a terminal, while it grows. Pure.

import type { Inline } from "../../src/text/inline-tree.ts";
import { type Block, MarkdownBlocks } from "../../src/text/markdown-blocks.ts";
import { inlinesOf } from "../../src/text/markdown-inlines.ts";
import { asIfWhole, isUndecided } from "../../src/web/unfinished.ts";
import { columnsOf, indented, type Line, painted, type Run, run, wrap } from "./lines.ts";

export interface Look {
  readonly width: number;
  /** Whether the terminal has styles. Without them, marks remain. */
  readonly isStyled: boolean;
}

const RULE_WIDTH_MAX = 40;
const CELL_GAP = " │ ";
const BLANK: Line = [];
const STYLES = { strong: "bold", emphasis: "italic", strike: "strikethrough" } as const;
const MARKS = { strong: "**", emphasis: "*", strike: "~~" } as const;

export class Markdown {
  readonly #blocks = new MarkdownBlocks();
  readonly #isSource: (n: number) => boolean;
  #layout: Layout | undefined;

  constructor(isSource: (n: number) => boolean) {
    this.#isSource = isSource;
  }

  write(text: string): void {
    this.#blocks.write(text);
  }

  end(): void {
    this.#blocks.end();
  }

  /** All lines so far. */
  lines(look: Look): string[] {
    const before = this.#layout?.look;
    if (before?.width !== look.width || before.isStyled !== look.isStyled) {
      this.#layout = new Layout(look, this.#isSource, (block) => this.#blocks.isOpen(block));
    }
    const layout = this.#layout as Layout;
    const { root, line } = this.#blocks;
    let lines: Line[] = [];
    const read = (isPeek: boolean) => {
      layout.isPeek = isPeek;
      lines = root.children.flatMap((block, i) => {
        const own = layout.linesOf(block, look.width);
        return i > 0 && own.length > 0 ? [BLANK, ...own] : own;
      });
    };
    read(false);
    // Else its kind is not known yet.
    if (!isUndecided(line)) this.#blocks.peek(() => read(true));
    return lines.map((line) => layout.painted(line));
  }
}

class Layout {
  readonly look: Look;
  /** Whether blocks may be closed only for now. */
  isPeek = false;
  readonly #isStyled: boolean;
  readonly #isSource: (n: number) => boolean;
  readonly #isOpen: (block: Block) => boolean;
  /** Closed blocks never change. */
  readonly #closed = new Map<Block, Line[]>();
  readonly #painted = new WeakMap<Line, string>();

  constructor(look: Look, isSource: (n: number) => boolean, isOpen: (block: Block) => boolean) {
    this.look = look;
    this.#isStyled = look.isStyled;
    this.#isSource = isSource;
    this.#isOpen = isOpen;
  }

  painted(line: Line): string {
    const text = this.#painted.get(line) ?? painted(line, this.#isStyled);
    this.#painted.set(line, text);
    return text;
  }

  linesOf(block: Block, width: number): Line[] {
    const known = this.#closed.get(block);
    if (known !== undefined) return known;
    if (this.#isOpen(block)) {
      // The widths of an open table change. An open paragraph may become one.
      if (block.kind === "table") return [];
      if (block.kind === "paragraph" && isUndecided(block.text)) return [];
      return this.#lines(block, width);
    }
    const lines = this.#lines(block, width);
    if (!this.isPeek) this.#closed.set(block, lines);
    return lines;
  }

  #lines(block: Block, width: number): Line[] {
    switch (block.kind) {
      case "heading":
        return wrap(this.#heading(block), width);
      case "code":
        return this.#code(block);
      case "rule":
        return [[run("─".repeat(Math.min(RULE_WIDTH_MAX, width)), "dim")]];
      case "quote": {
        const bar = run("│ ", "dim");
        return indented(this.#parted(block, width - 2), bar, bar);
      }
      case "list":
        return this.#list(block, width);
      case "table":
        return this.#table(block, width);
      case "paragraph":
        return wrap(this.#inlines(block.text, this.#isOpen(block)), width);
      default:
        return this.#parted(block, width);
    }
  }

  /** The blocks inside, with empty lines between them. */
  #parted(block: Block, width: number): Line[] {
    return block.children.flatMap((child, i) => {
      const lines = this.linesOf(child, Math.max(1, width));
      // A list belongs to the text above it.
      const isPart = i === 0 || (block.kind === "item" && child.kind === "list");
      return isPart ? lines : [BLANK, ...lines];
    });
  }

  #heading({ text, level }: Block): Run[] {
    const runs = this.#inlines(text, false, "bold");
    return this.#isStyled ? runs : [run(`${"#".repeat(level)} `), ...runs];
  }

  /** Longer lines than the terminal's are broken by it: so they can be copied. */
  #code({ text, mark }: Block): Line[] {
    const style = this.#isStyled ? (["yellow"] as const) : [];
    const lines = text.split("\n").flatMap((line) => wrap([run(line, ...style)], Infinity));
    if (this.#isStyled) return indented(lines, run("  "), run("  "));
    const fence = [run(mark.startsWith("~") ? "~~~" : "```")];
    return [fence, ...lines, fence];
  }

  #list(list: Block, width: number): Line[] {
    const isLoose = list.children.some(
      ({ children }) => children.filter(({ kind }) => kind !== "list").length > 1,
    );
    const last = (list.start ?? 0) + list.children.length - 1;
    return list.children.flatMap((item, i) => {
      const number = `${(list.start ?? 0) + i}.`.padStart(String(last).length + 1);
      const box = item.checked === undefined ? "•" : item.checked ? "☑" : "☐";
      const mark = `${list.start === undefined ? box : number} `;
      const space = " ".repeat(columnsOf(mark));
      const inside = this.#parted(item, width - space.length);
      const lines = indented(inside.length > 0 ? inside : [BLANK], run(mark), run(space));
      return isLoose && i > 0 ? [BLANK, ...lines] : lines;
    });
  }

  #table(table: Block, width: number): Line[] {
    const rows = table.children.map(({ cells }, i) =>
      table.columns.map((_, n) => this.#cell(cells[n] ?? "", i === 0)),
    );
    const widths = table.columns.map((_, n) => Math.max(...rows.map((row) => lengthOf(row[n]))));
    const total = widths.reduce((sum, width) => sum + width + CELL_GAP.length, -CELL_GAP.length);
    if (total > width) return records(rows, width);
    const lines = rows.map((row) =>
      row.flatMap((cell, n) => {
        const free = (widths[n] as number) - lengthOf(cell);
        const align = table.columns[n];
        const left = align === "right" ? free : align === "center" ? Math.floor(free / 2) : 0;
        const right = n === row.length - 1 ? 0 : free - left;
        const gap = n === 0 ? [] : [run(CELL_GAP, "dim")];
        return [...gap, run(" ".repeat(left)), ...cell, run(" ".repeat(right))];
      }),
    );
    const rule = run(widths.map((width) => "─".repeat(width)).join("─┼─"), "dim");
    return [...lines.slice(0, 1), [rule], ...lines.slice(1)];
  }

  #cell(text: string, isHead: boolean): Line {
    const options = { isSource: this.#isSource, isCell: true };
    const runs = this.#runsOf(inlinesOf(text, options), isHead ? ["bold"] : []);
    return (
      wrap(
        runs.map((part) => ({ ...part, text: part.text.replaceAll("\n", " ") })),
        Infinity,
      )[0] ?? []
    );
  }

  #inlines(text: string, isOpen: boolean, ...style: Run["style"]): Run[] {
    const options = { isSource: this.#isSource, unfinished: isOpen };
    return this.#runsOf(inlinesOf(isOpen ? asIfWhole(text) : text, options), style);
  }

  #runsOf(inlines: readonly Inline[], style: Run["style"]): Run[] {
    return inlines.flatMap((inline): Run[] => {
      switch (inline.kind) {
        case "text":
          return [run(inline.text.replaceAll("\n", " "), ...style)];
        case "code":
          return [
            this.#isStyled ? run(inline.text, ...style, "yellow") : run(`\`${inline.text}\``),
          ];
        case "break":
          return [run("\n")];
        case "citation": {
          const marks = inline.numbers.map((n) => `[${n}]`).join("");
          return [run(marks, ...style, "cyan"), run(inline.closing, ...style)];
        }
        case "link": {
          const words = this.#runsOf(inline.children, [...style, "underline"]);
          const isBare = words.map(({ text }) => text).join("") === inline.address;
          return isBare ? words : [...words, run(` (${inline.address})`, ...style, "dim")];
        }
        default: {
          if (this.#isStyled) return this.#runsOf(inline.children, [...style, STYLES[inline.kind]]);
          const mark = run(MARKS[inline.kind]);
          return [mark, ...this.#runsOf(inline.children, style), mark];
        }
      }
    });
  }
}

/** A table that is wider than the terminal: one row below the other. */
function records([head = [], ...rows]: readonly Line[][], width: number): Line[] {
  return rows.flatMap((row, i) => {
    const lines = row.flatMap((cell, n) => {
      const name = head[n] ?? [];
      const label = lengthOf(name) > 0 ? [...name, run(": ")] : [];
      return lengthOf(cell) > 0 ? hanging([...label, ...cell], width) : [];
    });
    return i > 0 ? [BLANK, ...lines] : lines;
  });
}

/** All lines but the first are indented. */
function hanging(runs: Line, width: number): Line[] {
  return indented(wrap(runs, width - 2), run(""), run("  "));
}

function lengthOf(line: Line = BLANK): number {
  return line.reduce((sum, { text }) => sum + columnsOf(text), 0);
}
