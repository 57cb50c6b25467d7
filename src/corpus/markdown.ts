// A document's text, Markdown or plain, as sections under their headings, each a list of blocks of
// plain text. The mark-up is gone; what it set apart, a table or some code, stays apart. How blocks
// are gathered into passages is in passages.ts.

import type { List, ListItem, Nodes, RootContent, Table } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { frontmatterFromMarkdown } from "mdast-util-frontmatter";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { frontmatter } from "micromark-extension-frontmatter";
import { gfm } from "micromark-extension-gfm";
import { UNSPACED } from "../text/analyzer.ts";
import { fenceAfter, HEADING, lines, stretches } from "./stretches.ts";

interface Section {
  /** The headings it stands under, outermost first. */
  readonly heading: readonly string[];
  /** The anchor that renderers of Markdown give the innermost of them; null under none. */
  readonly anchor: string | null;
  readonly blocks: readonly Block[];
}

/** Offsets are into the document's text, in UTF-16 units. */
export interface Block {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Where it may be cut if it must: prose between sentences, code and tables between lines. */
  readonly kind: "prose" | "lines";
  /** A table's first row, to be said again over each part of a table that was cut. */
  readonly head: string;
  /** One item of a list follows another without an empty line. */
  readonly tight: boolean;
}

/**
 * How much mark-up of one document is parsed, counted in characters that may be some: about half a
 * second's worth, since nothing else is answered meanwhile. What lies beyond is read without a parser.
 */
const MARKS_MAX = 24_000;
const MARK = /[\n`*_~[\]<>&\\|#@:!]/g;
/** An item of a list or a footnote: the parser spends as much on it as on so many other marks. */
const DEAR_MARK = /^[ \t>]*(?:[-+*]|\d{1,9}[.)])[ \t]|\[\^/gm;
const DEAR_MARK_COST = 4;
/** Further headings are text like any other: each that stands alone would be a passage. */
const HEADINGS_MAX = 5_000;

// What no one writes, and what would take the parser minutes or its whole stack: lines without end,
// lists in lists in lists, paragraphs of nothing but mark-up.
const LINE_LENGTH_MAX = 16 * 1024;
const TOO_DEEP = /^(?:[ \t]*(?:[-+*>]|\d{1,9}[.)])){24}/m;
const DELIMITERS_MAX = 2_000;

/** What is longer is no heading, but a paragraph that was marked as one. */
const HEADING_LENGTH_MAX = 200;

// A bare address is text to us, link or not, and to look for them is a third of all parsing.
const NO_BARE_ADDRESSES = {
  disable: { null: ["wwwAutolink", "protocolAutolink", "emailAutolink"] },
};
const SYNTAX = [gfm(), NO_BARE_ADDRESSES];
const TREE = gfmFromMarkdown().filter((extension) => !("transforms" in extension));
const SYNTAX_OF_HEAD = [...SYNTAX, frontmatter()];
const TREE_OF_HEAD = [...TREE, frontmatterFromMarkdown()];

export function sections(text: string): Section[] {
  const outline = new Outline();
  const found: Section[] = [];
  let blocks: Block[] = [];
  // A heading with nothing under it, not even a lesser heading, is what there is to find.
  let lone: { readonly block: Block; readonly depth: number } | null = null;
  const close = (depth: number) => {
    if (lone !== null && blocks.length === 0 && depth <= lone.depth) blocks = [lone.block];
    if (blocks.length > 0) found.push({ ...outline.place(), blocks });
    blocks = [];
  };
  let headings = 0;
  for (const [offset, node] of nodes(text)) {
    const heading = node.type === "heading" ? oneLine(plain(node)) : "";
    if (
      node.type === "heading" &&
      heading.length <= HEADING_LENGTH_MAX &&
      headings < HEADINGS_MAX
    ) {
      headings += 1;
      close(node.depth);
      outline.enter(node.depth, heading);
      lone = heading === "" ? null : { block: prose(node, heading, offset), depth: node.depth };
    } else {
      collect(node, offset, blocks);
    }
  }
  close(0);
  return found;
}

/** Where one is in a document's tree of headings. */
class Outline {
  readonly #open: { readonly depth: number; readonly text: string; readonly anchor: string }[] = [];
  readonly #slugs = new Map<string, number>();

  enter(depth: number, text: string): void {
    while ((this.#open.at(-1)?.depth ?? 0) >= depth) this.#open.pop();
    this.#open.push({ depth, text, anchor: this.#anchor(text) });
  }

  place(): Pick<Section, "heading" | "anchor"> {
    return {
      heading: this.#open.map((heading) => heading.text).filter((text) => text !== ""),
      anchor: this.#open.at(-1)?.anchor ?? null,
    };
  }

  /** As GitHub does it: letters, digits, hyphens and underscores; the second of a name is `name-1`. */
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

/** The upper nodes of the text's tree, each with the offset that its place is counted from. */
function* nodes(text: string): Generator<[offset: number, node: RootContent]> {
  let marks = 0;
  for (const { start, end, plain } of stretches(text)) {
    const stretch = text.slice(start, end);
    if (!plain) marks += count(stretch, MARK) + DEAR_MARK_COST * count(stretch, DEAR_MARK);
    const tree =
      plain || marks > MARKS_MAX || unreasonable(stretch)
        ? read(stretch)
        : parse(stretch, start === 0);
    for (const node of tree) yield [start, node];
  }
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

function parse(text: string, first: boolean): RootContent[] {
  // Front matter stands at the head of the text; anywhere else its fence is a mere rule.
  return fromMarkdown(text, {
    extensions: first ? SYNTAX_OF_HEAD : SYNTAX,
    mdastExtensions: first ? TREE_OF_HEAD : TREE,
  }).children;
}

function unreasonable(text: string): boolean {
  return (
    TOO_DEEP.test(text) ||
    text.split("\n").some((line) => line.length > LINE_LENGTH_MAX) ||
    text.split(/\n[ \t]*\n/).some((part) => count(part, /[*_~[<]/g) > DELIMITERS_MAX)
  );
}

/** A line that says nothing without the lines around it. */
const LAYOUT = /^[ \t]*(?:[|>`~]|[-+*][ \t]|\d{1,9}[.)][ \t])/m;

/** Text as anyone reads it, without a parser: headings, and between empty lines paragraphs. */
function read(text: string): RootContent[] {
  const found: RootContent[] = [];
  let start = 0;
  let end = 0;
  const close = () => {
    const value = text.slice(start, end);
    const position = { start: place(start), end: place(end) };
    if (LAYOUT.test(value)) found.push({ type: "code", value, position });
    else if (value !== "") {
      found.push({ type: "paragraph", children: [{ type: "text", value }], position });
    }
    start = end;
  };
  let fence = "";
  for (const { at, line } of lines(text)) {
    const inside = fence !== "";
    fence = fenceAfter(line, fence);
    const [mark, signs] = (inside ? null : HEADING.exec(line)) ?? [];
    const content = line.trim();
    if (mark !== undefined && signs !== undefined) {
      close();
      const value = content.slice(mark.length).replace(/(?:^|[ \t])#+$/, "");
      const position = { start: place(at), end: place(at + line.trimEnd().length) };
      const depth = signs.length as 1 | 2 | 3 | 4 | 5 | 6;
      found.push({ type: "heading", depth, children: [{ type: "text", value }], position });
      start = end = at + line.length;
    } else if (content !== "") {
      if (start === end) start = at + line.indexOf(content);
      end = at + line.trimEnd().length;
    } else if (!inside) {
      close();
    }
  }
  close();
  return found;
}

/** Only offsets are read: lines and columns are made up. */
function place(offset: number) {
  return { line: 1, column: 1, offset };
}

/** Adds the blocks of a node to those found so far. */
function collect(node: Nodes, offset: number, blocks: Block[]): void {
  switch (node.type) {
    case "list":
      node.children.forEach((item, i) => {
        blocks.push({ ...prose(item, itemLayout(node, item, i), offset), tight: i > 0 });
      });
      return;
    case "blockquote":
    case "footnoteDefinition":
      for (const child of node.children) collect(child, offset, blocks);
      return;
    case "table": {
      const text = tableLayout(node);
      const head = text.slice(0, text.indexOf("\n") + 1);
      blocks.push({ ...prose(node, text, offset), kind: "lines", head });
      return;
    }
    case "code":
      if (node.value.trim() !== "") {
        blocks.push({ ...prose(node, node.value, offset), kind: "lines" });
      }
      return;
    default: {
      const text = layout(node);
      if (text !== "") blocks.push(prose(node, text, offset));
    }
  }
}

function prose(node: Nodes, text: string, offset: number): Block {
  // The parser gives every node its place; only trees made by hand lack it.
  const start = offset + (node.position?.start.offset ?? 0);
  const end = offset + (node.position?.end.offset ?? 0);
  return { text, start, end, kind: "prose", head: "", tight: false };
}

/** A node of the tree's upper part, as plain text in lines. */
function layout(node: Nodes): string {
  switch (node.type) {
    case "paragraph":
    case "heading":
      return oneLine(plain(node));
    case "code":
      return node.value;
    case "html":
      return oneLine(withoutTags(node.value));
    case "table":
      return tableLayout(node);
    case "list":
      return node.children.map((item, i) => itemLayout(node, item, i)).join("\n");
    case "blockquote":
      return node.children.map(layout).join("\n");
    default:
      // Rules, front matter, and the definitions that links refer to say nothing to a reader.
      return "";
  }
}

function itemLayout(list: List, item: ListItem, i: number): string {
  const mark = list.ordered ? `${(list.start ?? 1) + i}. ` : "- ";
  const lines = item.children.map(layout).filter((text) => text !== "");
  return mark + lines.join("\n").replaceAll("\n", "\n  ");
}

function tableLayout(table: Table): string {
  return table.children
    .map((row) => row.children.map((cell) => oneLine(plain(cell))).join(" | "))
    .join("\n");
}

/** The text of a node of the tree's lower part: what a reader would see of it. */
function plain(node: Nodes): string {
  switch (node.type) {
    case "text":
      // A link whose definition stands in another stretch was left as it is.
      return node.value.replace(/\[([^[\]\n]+)\]\[[^[\]\n]*\]/g, "$1");
    case "inlineCode":
      return node.value;
    case "break":
      return "\n";
    case "image":
    case "imageReference":
      return node.alt ?? "";
    default:
      return "children" in node ? node.children.map(plain).join("") : "";
  }
}

function withoutTags(html: string): string {
  return html
    .replace(/<!--[\s\S]*?(?:-->|$)|<(script|style)\b[\s\S]*?(?:<\/\1\s*>|$)/gi, " ")
    .replace(/<[^<>]*>/g, " ");
}

const JOINED_LINES = new RegExp(
  `(?<=[${UNSPACED}\\u3000-\\u303f\\uff00-\\uffef])[ \\t]*\\n[ \\t]*(?=[${UNSPACED}])`,
  "gv",
);

/** A line's end inside a paragraph is a space, or nothing in a script that knows no spaces. */
function oneLine(text: string): string {
  return text.replace(JOINED_LINES, "").replace(/\s+/g, " ").trim();
}
