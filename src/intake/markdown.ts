// The reader of Markdown and plain text. It drops the
// mark-up; a table or code that the mark-up set apart stays
// a block of its own. The parser is in markdown-tree.ts.

import { UNSPACED } from "../text/analyzer.ts";
import type { BlockKind } from "../text/blocks.ts";
import { isVisible } from "../text/visible.ts";
import { decoded } from "./entities.ts";
import { frontMatter } from "./front-matter.ts";
import { parse } from "./markdown-tree.ts";
import type { Node } from "./node.ts";
import type { Block, Content, Reader, Section } from "./reader.ts";

/**
 * Each heading may become a passage that repeats the headings
 * above it. A heading costs this plus the length of what is
 * repeated. Headings beyond the sum are read as text.
 */
const HEADING_COST = 200;
const HEADING_COSTS_MAX = 1_000_000;

/** A longer heading is a paragraph marked as one. */
const HEADING_LENGTH_MAX = 200;

export const markdown = { read } satisfies Reader<string>;

function read(source: string): Content {
  const { title, isDraft = false, text } = frontMatter(source);
  const outline = new Outline();
  const headings: Heading[] = [];
  const sections: Section[] = [];
  let blocks: Block[] = [];
  // A heading with nothing below it becomes a block.
  let lone: { readonly block: Block; readonly depth: number } | undefined;
  const close = (depth: number) => {
    if (lone !== undefined && blocks.length === 0 && depth <= lone.depth) blocks = [lone.block];
    if (blocks.length > 0) sections.push({ ...outline.place(), blocks });
    blocks = [];
  };
  let costs = 0;
  for (const node of parse(text)) {
    const heading = headingOf(node);
    if (node.type === "heading") {
      headings.push({ depth: node.depth, text: heading });
    }
    if (
      node.type === "heading" &&
      heading.length <= HEADING_LENGTH_MAX &&
      costs < HEADING_COSTS_MAX
    ) {
      close(node.depth);
      outline.enter(node.depth, heading, node.anchor, oneLine(node.anchorText ?? heading));
      costs += HEADING_COST + outline.length();
      lone =
        heading === "" ? undefined : { block: newBlock("heading", heading), depth: node.depth };
    } else {
      collect(node, blocks);
    }
  }
  close(0);
  return { title: titleOf(headings, decoded(title ?? "")), isDraft, text, sections };
}

function headingOf(node: Node): string {
  return node.type === "heading" ? oneLine(node.texts.join("")) : "";
}

interface Heading {
  readonly depth: number;
  readonly text: string;
}

/**
 * The first heading if it is of the top level, else the front
 * matter's title, else the first top-level heading, else the first
 * heading. Titles in which a reader sees nothing do not count.
 */
function titleOf(headings: readonly Heading[], frontMatterTitle: string): string | undefined {
  const first = headings.find(({ text }) => isVisible(text));
  if (first?.depth === 1) return first.text;
  if (isVisible(frontMatterTitle)) return frontMatterTitle;
  const top = headings.find(({ depth, text }) => depth === 1 && isVisible(text));
  return (top ?? first)?.text;
}

/** The headings that are open at a place in the document. */
class Outline {
  readonly #open: { readonly depth: number; readonly text: string; readonly anchor: string }[] = [];
  readonly #slugs = new Map<string, number>();

  /**
   * @param anchor The explicit one, if any.
   * @param anchorText What another one is made of.
   */
  enter(depth: number, text: string, anchor: string | null, anchorText: string): void {
    while ((this.#open.at(-1)?.depth ?? 0) >= depth) this.#open.pop();
    this.#open.push({ depth, text, anchor: anchor ?? this.#anchor(anchorText) });
  }

  /** The length of all open headings, in UTF-16 units. */
  length(): number {
    return this.#open.reduce((sum, heading) => sum + heading.text.length, 0);
  }

  place(): Pick<Section, "heading" | "anchor"> {
    return {
      heading: this.#open.map((heading) => heading.text).filter((text) => text !== ""),
      anchor: this.#open.at(-1)?.anchor ?? null,
    };
  }

  /**
   * As GitHub makes anchors: letters, digits, hyphens and
   * underscores. The second heading of one name gets `name-1`.
   */
  #anchor(text: string): string {
    const slug = text
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
      .replaceAll(" ", "-");
    const before = this.#slugs.get(slug) ?? 0;
    this.#slugs.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  }
}

/** Appends the blocks of a node. */
function collect(node: Node, blocks: Block[]): void {
  switch (node.type) {
    case "list":
      node.children.forEach((item, i) => {
        collectItem(node, item, i, blocks);
      });
      return;
    case "quote":
    case "footnote": {
      const from = blocks.length;
      for (const child of node.children) collect(child, blocks);
      if (node.type === "footnote") return;
      for (const [i, block] of blocks.entries()) {
        if (i >= from && block.kind === "paragraph") blocks[i] = { ...block, kind: "quote" };
      }
      return;
    }
    case "table": {
      const text = layout(node);
      const head = text.slice(0, text.indexOf("\n") + 1);
      blocks.push({ ...newBlock("table", text), head });
      return;
    }
    default: {
      const text = layout(node);
      const kind = node.type === "code" ? "code" : "paragraph";
      if (text.trim() === "") return;
      blocks.push({ ...newBlock(kind, text), language: node.language });
    }
  }
}

function newBlock(kind: BlockKind, text: string): Block {
  return { text, kind, language: "", nested: false, head: "", tight: false };
}

/** An item of a list. Code in it becomes a block of its own. */
function collectItem(list: Node, item: Node, i: number, blocks: Block[]): void {
  let children: Node[] = [];
  let mark = true;
  const close = () => {
    if (children.length === 0 && !mark) return;
    const layout = itemLayout(list, { ...item, children }, i);
    const text = mark ? layout : `  ${layout.replace(/^\S+ /, "")}`;
    const tight = i > 0 || !mark;
    if (mark || text.trim() !== "")
      blocks.push({ ...newBlock("item", text), tight, nested: !mark });
    children = [];
    mark = false;
  };
  for (const child of item.children) {
    if (child.type === "code" && child.texts.join("").trim() !== "") {
      close();
      const text = layout(child).replace(/^/gm, "  ");
      const { language } = child;
      blocks.push({ ...newBlock("code", text), language, nested: true, tight: true });
    } else children.push(child);
  }
  close();
}

/** A node as lines of plain text. */
function layout(node: Node): string {
  switch (node.type) {
    case "row":
      return node.texts.map((cell) => oneLine(cell).replaceAll("|", "\\|")).join(" | ");
    case "code":
      return node.texts.join("");
    case "list":
      return node.children.map((item, i) => itemLayout(node, item, i)).join("\n");
    case "quote":
    case "footnote":
    case "table":
      return node.children.map(layout).join("\n");
    case "heading":
      return headingOf(node);
    default:
      return oneLine(node.texts.join(""));
  }
}

function itemLayout({ first }: Node, item: Node, i: number): string {
  const mark = first === null ? "- " : `${first + i}. `;
  const lines = item.children.map(layout).filter((text) => text !== "");
  return mark + lines.join("\n").replace(TASK, "").replaceAll("\n", "\n  ");
}

/** The checkbox of a task list item. */
const TASK = /^\[[ xX]\] /;

const JOINED_LINES = new RegExp(
  `(?<=[${UNSPACED}\\u3000-\\u303f\\uff00-\\uffef])[ \\t]*\\n[ \\t]*(?=[${UNSPACED}])`,
  "gv",
);

/**
 * A line end inside a paragraph becomes a
 * space, or nothing in a script without spaces.
 */
function oneLine(text: string): string {
  return text.replace(JOINED_LINES, "").replace(/\s+/g, " ").trim();
}
