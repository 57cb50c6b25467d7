// Markdown as a tree of blocks with plain text at its leaves. The parser
// is linear, but needs seconds for 1 MiB of hostile text, and all searches
// wait. What exceeds the bounds here is read as plain paragraphs. Pure.

import MarkdownIt, { type Env, type StateBlock, type StateInline, type Token } from "markdown-it";
import { closesFence, openingFence } from "../text/code-fence.ts";

/** A block. */
export interface Node {
  readonly type: NodeType;
  /** The visible text of a leaf, or of each cell of a row. */
  readonly texts: string[];
  readonly children: Node[];
  /** A heading's level, 1 to 6, else 0. */
  readonly depth: number;
  /** The number of the first item of an ordered list. */
  readonly first: number | null;
  /** The language of a code block; empty if its fence names none. */
  readonly language: string;
}

type NodeType =
  | ("heading" | "paragraph" | "row" | "code" | "html")
  | ("root" | "list" | "item" | "quote" | "footnote" | "table");

/**
 * A quote or a footnote takes one level, a list two. Deeper blocks are text.
 */
const LEVELS_MAX = 24;
/** In UTF-16 units. A longer line is data or an attack. */
const LINE_LENGTH_MAX = 16 * 1024;
/** Lines and tokens of one text, about 1 µs each. */
const STEPS_MAX = 40_000;
const TOKENS_MAX = 200_000;

/** Marks read in one text. */
const MARKS_MAX = 120_000;

/** What the parser counts during one text. */
interface Work extends Env {
  steps: number;
  marks: number;
  readonly footnotes: Set<string>;
}

const PARSER = new MarkdownIt({ html: true, maxNesting: 2 * LEVELS_MAX });
// Only the text of a link is kept.
PARSER.validateLink = () => true;
PARSER.normalizeLink = (url) => url;
PARSER.normalizeLinkText = (text) => text;
const INTERRUPTING = { alt: ["paragraph", "reference", "blockquote", "list"] };
PARSER.block.ruler.before("table", "bounds", bounds, INTERRUPTING);
PARSER.block.ruler.before("reference", "footnote", footnote, INTERRUPTING);
PARSER.inline.ruler.before("link", "footnote_mark", footnoteMark);

export function parse(text: string): Node[] {
  const source = text.replace(/\r\n?/g, "\n").replaceAll("\0", "\ufffd");
  const work: Work = { steps: 0, marks: 0, footnotes: new Set() };
  const tokens: Token[] = [];
  PARSER.block.parse(source, PARSER, work, tokens);
  return tree(tokens, work);
}

/** The first rule: takes lines as plain text beyond the bounds. */
function bounds(state: StateBlock, line: number, endLine: number, silent: boolean): boolean {
  const work = state.env as Work;
  work.steps += 1;
  const isLong = lineLength(state, line) > LINE_LENGTH_MAX;
  const isSpent = work.steps > STEPS_MAX || state.tokens.length > TOKENS_MAX;
  // May this line end a paragraph, a quote or a list?
  if (silent) return isLong || isSpent;
  let end = line + 1;
  if (isSpent || state.level >= LEVELS_MAX) {
    while (end < endLine && (state.isEmpty(end) || inBlock(state, end))) end += 1;
  } else if (!isLong) {
    return false;
  }
  state.line = end;
  const token = state.push("plain", "", 0);
  token.content = state.getLines(line, end, state.blkIndent, false);
  return true;
}

function lineLength(state: StateBlock, line: number): number {
  return (state.eMarks[line] ?? 0) - (state.bMarks[line] ?? 0);
}

function inBlock(state: StateBlock, line: number): boolean {
  return (state.sCount[line] ?? 0) >= state.blkIndent;
}

/** `[^name]:` and blocks after it that are indented by four columns. */
function footnote(state: StateBlock, line: number, endLine: number, silent: boolean): boolean {
  const begin = state.bMarks[line] ?? 0;
  const shift = state.tShift[line] ?? 0;
  const indent = state.sCount[line] ?? 0;
  const at = begin + shift;
  if (indent - state.blkIndent >= 4 || !state.src.startsWith("[^", at)) return false;
  const [mark, name = ""] =
    /^\[\^([^\s[\]]+)\]:[ \t]*/.exec(state.src.slice(at, state.eMarks[line])) ?? [];
  if (mark === undefined) return false;
  if (silent) return true;
  (state.env as Work).footnotes.add(name);
  state.push("footnote_open", "", 1);
  state.blkIndent += 4;
  state.bMarks[line] = at + mark.length;
  state.tShift[line] = 0;
  state.sCount[line] = state.blkIndent;
  state.md.block.tokenize(state, line, endLine);
  state.blkIndent -= 4;
  state.bMarks[line] = begin;
  state.tShift[line] = shift;
  state.sCount[line] = indent;
  state.push("footnote_close", "", -1);
  return true;
}

const FOOTNOTE_MARK = /\[\^([^\s[\]]+)\]/y;

/** `[^name]`, if that footnote exists. It is left out. */
function footnoteMark(state: StateInline): boolean {
  FOOTNOTE_MARK.lastIndex = state.pos;
  const [mark, name = ""] = FOOTNOTE_MARK.exec(state.src) ?? [];
  if (mark === undefined || !(state.env as Work).footnotes.has(name)) return false;
  state.pos += mark.length;
  return true;
}

const TYPES: Readonly<Record<string, NodeType>> = {
  heading_open: "heading",
  paragraph_open: "paragraph",
  bullet_list_open: "list",
  ordered_list_open: "list",
  list_item_open: "item",
  blockquote_open: "quote",
  footnote_open: "footnote",
  table_open: "table",
  tr_open: "row",
  fence: "code",
  code_block: "code",
};

function tree(tokens: readonly Token[], work: Work): Node[] {
  const root = newNode("root");
  const open = [root];
  let titled = false;
  for (const token of tokens) {
    const parent = open.at(-1) ?? root;
    if (token.type === "inline") {
      parent.texts.push(visible(token.content, work, parent.type === "heading"));
    } else if (token.type === "html_block") {
      for (const node of htmlNodes(token.content, !titled)) parent.children.push(node);
    } else if (token.type === "plain") {
      for (const node of plainNodes(token.content)) parent.children.push(node);
    } else if (token.nesting === -1) {
      open.pop();
    } else {
      const type = TYPES[token.type];
      const node = type ? newNode(type, token) : parent;
      if (node !== parent) parent.children.push(node);
      if (token.nesting === 1) open.push(node);
      titled ||= type === "heading" && parent === root;
    }
  }
  return root.children;
}

function newNode(type: NodeType, token?: Token): Node {
  const depth = type === "heading" ? Number(token?.tag.slice(1)) : 0;
  const first = token?.type === "ordered_list_open" ? Number(token.attrGet("start") ?? 1) : null;
  const texts = type === "code" ? [token?.content.replace(/\n$/, "") ?? ""] : [];
  const [language = ""] = type === "code" ? (LANGUAGE.exec(token?.info ?? "") ?? []) : [];
  return { type, texts, children: [], depth, first, language };
}

function leaf(type: NodeType, text: string, depth = 0): Node {
  return { type, texts: [text], children: [], depth, first: null, language: "" };
}

/** The first word after a fence. Others are options of some renderer. */
const LANGUAGE = /^[\w+#.-]{1,30}/;

/** Text without any of these is not parsed. */
const MARK = /[\n\\`*_~![\]<&]/g;

/** The visible text of inline Markdown. A heading's images are left out. */
function visible(content: string, work: Work, isHeading: boolean): string {
  if (content.search(MARK) === -1) return content;
  const text = seen(content, work, !isHeading);
  // A heading of images only is named by their descriptions.
  return isHeading && text.trim() === "" ? seen(content, work, true) : text;
}

/** With images by their descriptions, or without. */
function seen(content: string, work: Work, withImages: boolean): string {
  const marks = content.match(MARK)?.length ?? 0;
  if (work.marks + marks > MARKS_MAX) return content;
  work.marks += marks;
  const tokens: Token[] = [];
  PARSER.inline.parse(content, PARSER, work, tokens);
  return textOf(tokens, withImages);
}

function textOf(tokens: readonly Token[], withImages: boolean): string {
  return tokens
    .map(({ type, content, children }) => {
      if (type === "softbreak" || type === "hardbreak") return "\n";
      if (type === "html_inline") return PARTING.test(content) ? " " : "";
      if (type === "image") return withImages ? textOf(children ?? [], true) : "";
      return content;
    })
    .join("");
}

/** Tags between words. `<sub>` and comments may be inside a word. */
const PARTING =
  /^<\/?(?:address|article|aside|blockquote|br|button|caption|center|dd|details|div|dl|dt|figcaption|figure|footer|h[1-6]|header|hr|img|input|kbd|li|main|nav|ol|option|p|pre|section|select|summary|table|tbody|td|tfoot|th|thead|tr|ul|video)\b/i;

const HIDDEN = /<!--[\s\S]*?(?:-->|$)|<(script|style)\b[\s\S]*?(?:<\/\1\s*>|$)/gi;
const HTML_HEADING = /<h([1-6])(?:\s[^<>]*)?>((?:(?!<h[1-6])[\s\S])*?)<\/h\1\s*>/gi;

/**
 * The text of an HTML block, and its headings if the title may
 * be among them: later in a document they are mostly examples.
 */
function htmlNodes(html: string, mayBeTitle: boolean): Node[] {
  const shown = html.replace(HIDDEN, " ");
  const found: Node[] = [];
  let end = 0;
  const headings = mayBeTitle ? shown.matchAll(HTML_HEADING) : [];
  for (const { 0: heading, 1: depth, 2: content = "", index } of headings) {
    found.push(leaf("html", htmlText(shown.slice(end, index))));
    const text = htmlText(content);
    if (text.trim() !== "") found.push(leaf("heading", text, Number(depth)));
    end = index + heading.length;
  }
  found.push(leaf("html", htmlText(shown.slice(end))));
  return found;
}

function htmlText(html: string): string {
  return html
    .replace(/<[^<>]*>/g, (tag) => (PARTING.test(tag) ? " " : ""))
    .replace(/&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z\d]{1,31});/gi, PARSER.utils.unescapeAll);
}

const HEADING = /^(#{1,6})[ \t]+/;
const INDENTATION = /^ {0,3}/;
/** Lines that mean little without their neighbours, or several paragraphs. */
const LAYOUT = /^[ \t]*(?:[|>`~]|[-+*][ \t]|\d{1,9}[.)][ \t]|\r?\n)/m;
/** Shorter paragraphs are joined, to bound the number of blocks. */
const PLAIN_LENGTH_MIN = 100;

/** Text without a parser: headings, and paragraphs between empty lines. */
function plainNodes(text: string): Node[] {
  const found: Node[] = [];
  let start = 0;
  let end = 0;
  const close = () => {
    const content = text.slice(start, end);
    if (content !== "") found.push(leaf(LAYOUT.test(content) ? "code" : "paragraph", content));
  };
  let fence: string | undefined;
  for (const { 0: line, index: at } of text.matchAll(/[^\n]+|\n(?=\n)/g)) {
    const inside = fence !== undefined;
    fence = fenceAfter(line.replace(INDENTATION, ""), fence);
    const [mark, signs = ""] = (inside ? null : HEADING.exec(line)) ?? [];
    const content = line.trim();
    if (mark !== undefined) {
      close();
      const heading = content.slice(mark.length).replace(/(?:^|[ \t])#+$/, "");
      found.push(leaf("heading", heading, signs.length));
      start = end = at + line.length;
    } else if (content !== "") {
      if (start === end) start = at + line.indexOf(content);
      end = at + line.trimEnd().length;
    } else if (!inside && end - start >= PLAIN_LENGTH_MIN) {
      close();
      start = end;
    }
  }
  close();
  return found;
}

/** The mark of the fence that is open after a line. */
function fenceAfter(line: string, fence: string | undefined): string | undefined {
  if (fence === undefined) return openingFence(line);
  return closesFence(line, fence) ? undefined : fence;
}
