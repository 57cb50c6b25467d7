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

export interface Section {
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

/** Parsing time grows faster than its input, so a long text is parsed in stretches of about this length. */
const STRETCH_LENGTH = 16 * 1024;
/** And cut at any line's end where it offers no better place. */
const STRETCH_LENGTH_MAX = 64 * 1024;

// What no one writes, and what would take the parser minutes or its whole stack: lines without end,
// lists in lists in lists, paragraphs of nothing but mark-up.
const LINE_LENGTH_MAX = STRETCH_LENGTH;
const TOO_DEEP = /^(?:[ \t]*(?:[-+*>]|\d{1,9}[.)])){24}/m;
const DELIMITERS_MAX = 2_000;

const HEADING_LENGTH_MAX = 200;

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
  for (const stretch of stretches(text)) {
    for (const node of parse(text.slice(stretch.start, stretch.end), stretch.start === 0)) {
      if (node.type === "heading") {
        close(node.depth);
        const block = prose(node, oneLine(plain(node)).slice(0, HEADING_LENGTH_MAX), stretch.start);
        outline.enter(node.depth, block.text);
        lone = block.text === "" ? null : { block, depth: node.depth };
      } else {
        collect(node, stretch.start, blocks);
      }
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

/**
 * Parts of the text that mean the same when parsed alone: each but the first begins with a heading
 * or, after an empty line, with something at the margin that no list can claim; never inside a fence.
 */
function* stretches(text: string): Generator<{ start: number; end: number }> {
  let start = 0;
  let fence = "";
  let afterEmpty = false;
  for (let at = 0; text.length - start > STRETCH_LENGTH && at < text.length; ) {
    const newline = text.indexOf("\n", at);
    const next = newline === -1 ? text.length : newline + 1;
    const line = text.slice(at, next);
    const length = at - start;
    const fits = /^#{1,6}[ \t]/.test(line) || (afterEmpty && /^[^\s\-+*>|\d]/.test(line));
    const due = length >= STRETCH_LENGTH_MAX || (length >= STRETCH_LENGTH && fits);
    if (fence === "" && due) {
      yield { start, end: at };
      start = at;
    }
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1] ?? "";
    if (fence === "") fence = mark;
    else if (mark.startsWith(fence) && line.trim() === mark) fence = "";
    afterEmpty = line.trim() === "";
    at = next;
  }
  yield { start, end: text.length };
}

function parse(text: string, first: boolean): RootContent[] {
  if (unreasonable(text)) return paragraphs(text);
  // Front matter stands at the head of the text; anywhere else its fence is a mere rule.
  return fromMarkdown(text, {
    extensions: first ? [gfm(), frontmatter()] : [gfm()],
    mdastExtensions: first ? [gfmFromMarkdown(), frontmatterFromMarkdown()] : [gfmFromMarkdown()],
  }).children;
}

function unreasonable(text: string): boolean {
  return (
    TOO_DEEP.test(text) ||
    text.split("\n").some((line) => line.length > LINE_LENGTH_MAX) ||
    text.split(/\n[ \t]*\n/).some((part) => (part.match(/[*_~[<]/g)?.length ?? 0) > DELIMITERS_MAX)
  );
}

/** Text as anyone reads it, for what the parser cannot be given: paragraphs between empty lines. */
function paragraphs(text: string): RootContent[] {
  return Array.from(text.matchAll(/\S.*(?:\n.*\S.*)*/g), ({ 0: value, index }) => ({
    type: "paragraph",
    children: [{ type: "text", value }],
    position: { start: place(index), end: place(index + value.length) },
  }));
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
