// A Markdown text as a tree of blocks with plain text at its leaves. The time that it takes is linear
// in the text's length, whatever the text says: how deep blocks may nest and how much is parsed has
// bounds here, and what is beyond them is read as plain paragraphs. Pure.

import MarkdownIt, { type Env, type StateBlock, type StateInline, type Token } from "markdown-it";

/** A block. Offsets are into the text, in UTF-16 units. */
export interface Node {
  readonly type: NodeType;
  readonly start: number;
  readonly end: number;
  /** What a reader sees of a leaf: one text, or one for each cell of a row. */
  readonly texts: string[];
  readonly children: Node[];
  /** Of a heading, from 1 to 6. */
  readonly depth: number;
  /** Of an ordered list, the number of its first item. */
  readonly first: number | null;
}

type NodeType =
  | ("heading" | "paragraph" | "row" | "code" | "html")
  | ("root" | "list" | "item" | "quote" | "footnote" | "table");

/** A quote or a footnote takes one level, a list takes two: what nests deeper is text. */
const LEVELS_MAX = 24;
/** A longer line is text: it is data, minified code, or an attack. In UTF-16 units. */
const LINE_LENGTH_MAX = 16 * 1024;
/** Lines that are looked at and tokens that are made, in one text; each takes about a microsecond. */
const STEPS_MAX = 40_000;
const TOKENS_MAX = 200_000;

/** Marks inside a paragraph are looked for in parts of at most this length, or single lines. */
const PART_LENGTH_MAX = 8 * 1024;
/** Marks that are read, in one text. */
const MARKS_MAX = 120_000;
/** To find the end of a link the parser may read its whole part: links times marks, in one text. */
const LINK_STEPS_MAX = 2_000_000;

/** What the parser carries through one text. */
interface Work extends Env {
  steps: number;
  marks: number;
  linkSteps: number;
  readonly footnotes: Set<string>;
}

const PARSER = new MarkdownIt({ html: true, maxNesting: 2 * LEVELS_MAX });
// A link is its text here: its address is not checked, decoded or followed.
PARSER.validateLink = () => true;
PARSER.normalizeLink = (url) => url;
PARSER.normalizeLinkText = (text) => text;
const INTERRUPTING = { alt: ["paragraph", "reference", "blockquote", "list"] };
PARSER.block.ruler.before("table", "bounds", bounds, INTERRUPTING);
PARSER.block.ruler.before("reference", "footnote", footnote, INTERRUPTING);
PARSER.inline.ruler.before("link", "footnote_mark", footnoteMark);

/** @param from Where the text begins, after any front matter. */
export function parse(text: string, from: number): Node[] {
  const source = text.slice(from).replace(/\r\n?/g, "\n").replaceAll("\0", "\ufffd");
  const work: Work = { steps: 0, marks: 0, linkSteps: 0, footnotes: new Set() };
  const tokens: Token[] = [];
  PARSER.block.parse(source, PARSER, work, tokens);
  return tree(tokens, new Lines(text, from), work);
}

/** The parser's first rule: takes what is not to be parsed as plain text. */
function bounds(state: StateBlock, line: number, endLine: number, silent: boolean): boolean {
  const work = state.env as Work;
  work.steps += 1;
  const isLong = lineLength(state, line) > LINE_LENGTH_MAX;
  const isSpent = work.steps > STEPS_MAX || state.tokens.length > TOKENS_MAX;
  // Whether a paragraph, a quote or a list ends before this line.
  if (silent) return isLong || isSpent;
  let end = line + 1;
  if (isSpent || state.level >= LEVELS_MAX) {
    while (end < endLine && (state.isEmpty(end) || inBlock(state, end))) end += 1;
  } else if (!isLong) {
    return false;
  }
  state.line = end;
  const token = state.push("plain", "", 0);
  token.map = [line, end];
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
  const open = state.push("footnote_open", "", 1);
  state.blkIndent += 4;
  state.bMarks[line] = at + mark.length;
  state.tShift[line] = 0;
  state.sCount[line] = state.blkIndent;
  state.md.block.tokenize(state, line, endLine);
  state.blkIndent -= 4;
  state.bMarks[line] = begin;
  state.tShift[line] = shift;
  state.sCount[line] = indent;
  open.map = [line, state.line];
  state.push("footnote_close", "", -1);
  return true;
}

/** `[^name]` where there is such a footnote: readers see a small number. */
function footnoteMark(state: StateInline): boolean {
  if (!state.src.startsWith("[^", state.pos)) return false;
  const end = state.src.indexOf("]", state.pos);
  const name = state.src.slice(state.pos + 2, end);
  if (end === -1 || !(state.env as Work).footnotes.has(name)) return false;
  state.pos = end + 1;
  return true;
}

type Place = Pick<Node, "start" | "end">;

/** Where the lines of a text are, in UTF-16 units. */
class Lines {
  readonly #text: string;
  readonly #starts: number[];

  constructor(text: string, from: number) {
    this.#text = text;
    this.#starts = [from];
    const ends = /\r\n?|\n/g;
    ends.lastIndex = from;
    while (ends.test(text)) this.#starts.push(ends.lastIndex);
  }

  text({ start, end }: Place): string {
    return this.#text.slice(start, end);
  }

  /** Of some lines, without the white space around them. */
  place([first, after]: readonly [number, number]): Place {
    const from = this.#starts[first] ?? this.#text.length;
    const text = this.#text.slice(from, this.#starts[after]);
    const start = from + text.length - text.trimStart().length;
    return { start, end: Math.max(start, from + text.trimEnd().length) };
  }
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

function tree(tokens: readonly Token[], lines: Lines, work: Work): Node[] {
  const root = newNode("root", { start: 0, end: 0 });
  const open = [root];
  let titled = false;
  for (const token of tokens) {
    const parent = open.at(-1) ?? root;
    const place = lines.place(token.map ?? [0, 0]);
    if (token.type === "inline") {
      parent.texts.push(visible(token.content, work, parent.type === "heading"));
    } else if (token.type === "html_block") {
      for (const node of htmlNodes(token.content, place, !titled)) parent.children.push(node);
    } else if (token.type === "plain") {
      const text = token.level > 0 ? token.content : lines.text(place);
      for (const node of plainNodes(text, place.start)) parent.children.push(node);
    } else if (token.nesting === -1) {
      open.pop();
    } else {
      const type = TYPES[token.type];
      const node = type ? newNode(type, place, token) : parent;
      if (node !== parent) parent.children.push(node);
      if (token.nesting === 1) open.push(node);
      titled ||= type === "heading" && parent === root;
    }
  }
  return root.children;
}

function newNode(type: NodeType, { start, end }: Place, token?: Token): Node {
  const depth = type === "heading" ? Number(token?.tag.slice(1)) : 0;
  const first = token?.type === "ordered_list_open" ? Number(token.attrGet("start") ?? 1) : null;
  const texts = type === "code" ? [token?.content.replace(/\n$/, "") ?? ""] : [];
  return { type, start, end, texts, children: [], depth, first };
}

function leaf(type: NodeType, { start, end }: Place, text: string, depth = 0): Node {
  return { type, start, end, texts: [text], children: [], depth, first: null };
}

/** Text without any of these needs no parser. */
const MARK = /[\n\\`*_~![\]<&]/g;

/** The text that a reader sees of some inline Markdown: of a heading, without its images. */
function visible(content: string, work: Work, isHeading: boolean): string {
  if (content.search(MARK) === -1) return content;
  const text = parts(content)
    .map((part) => seen(part, work, !isHeading))
    .join("");
  // A heading that is nothing but images still has a name.
  return isHeading && text.trim() === "" ? seen(content, work, true) : text;
}

/** Whole lines, as many as fit a part. */
function parts(content: string): string[] {
  const found: string[] = [];
  for (let start = 0; start < content.length; ) {
    const isLast = content.length - start <= PART_LENGTH_MAX;
    const fitting = isLast ? -1 : content.lastIndexOf("\n", start + PART_LENGTH_MAX - 1);
    const newline = isLast || fitting > start ? fitting : content.indexOf("\n", start);
    const end = newline === -1 ? content.length : newline + 1;
    found.push(content.slice(start, end));
    start = end;
  }
  return found;
}

/** The text that a reader sees of a part: images by their description, or not at all. */
function seen(part: string, work: Work, withImages: boolean): string {
  const marks = count(part, MARK);
  const linkSteps = count(part, /[[<]/g) * marks;
  if (work.marks + marks > MARKS_MAX || work.linkSteps + linkSteps > LINK_STEPS_MAX) return part;
  work.marks += marks;
  work.linkSteps += linkSteps;
  const tokens: Token[] = [];
  PARSER.inline.parse(part, PARSER, work, tokens);
  return textOf(tokens, withImages);
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
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

/** Tags that part words: `<br>` and `<kbd>` do, `<sub>` and comments may stand inside a word. */
const PARTING =
  /^<\/?(?:address|article|aside|blockquote|br|button|caption|center|dd|details|div|dl|dt|figcaption|figure|footer|h[1-6]|header|hr|img|input|kbd|li|main|nav|ol|option|p|pre|section|select|summary|table|tbody|td|tfoot|th|thead|tr|ul|video)\b/i;

const HIDDEN = /<!--[\s\S]*?(?:-->|$)|<(script|style)\b[\s\S]*?(?:<\/\1\s*>|$)/gi;
const HTML_HEADING = /<h([1-6])(?:\s[^<>]*)?>((?:(?!<h[1-6])[\s\S])*?)<\/h\1\s*>/gi;

/**
 * A block of HTML as its text, and as the headings in it where a title may be: in the middle of a document
 * they are mostly examples.
 */
function htmlNodes(html: string, place: Place, mayBeTitle: boolean): Node[] {
  const shown = html.replace(HIDDEN, " ");
  const found: Node[] = [];
  let end = 0;
  const headings = mayBeTitle ? shown.matchAll(HTML_HEADING) : [];
  for (const { 0: heading, 1: depth, 2: content = "", index } of headings) {
    found.push(leaf("html", place, htmlText(shown.slice(end, index))));
    const text = htmlText(content);
    if (text.trim() !== "") found.push(leaf("heading", place, text, Number(depth)));
    end = index + heading.length;
  }
  found.push(leaf("html", place, htmlText(shown.slice(end))));
  return found;
}

function htmlText(html: string): string {
  return html
    .replace(/<[^<>]*>/g, (tag) => (PARTING.test(tag) ? " " : ""))
    .replace(/&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z\d]{1,31});/gi, PARSER.utils.unescapeAll);
}

const HEADING = /^(#{1,6})[ \t]+/;
const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/;
/** Lines that mean little without the lines around them, or several paragraphs. */
const LAYOUT = /^[ \t]*(?:[|>`~]|[-+*][ \t]|\d{1,9}[.)][ \t]|\r?\n)/m;
/** A shorter paragraph is joined with the next one: a million of them are no million blocks. */
const PLAIN_LENGTH_MIN = 100;

/** Text as people read it, without a parser: headings, and paragraphs between empty lines. */
function plainNodes(text: string, offset: number): Node[] {
  const found: Node[] = [];
  let start = 0;
  let end = 0;
  const close = () => {
    const content = text.slice(start, end);
    const place = { start: offset + start, end: offset + end };
    if (content !== "")
      found.push(leaf(LAYOUT.test(content) ? "code" : "paragraph", place, content));
  };
  let fence = "";
  for (const { 0: line, index: at } of text.matchAll(/[^\n]+|\n(?=\n)/g)) {
    const inside = fence !== "";
    fence = fenceAfter(line, fence);
    const [mark, signs = ""] = (inside ? null : HEADING.exec(line)) ?? [];
    const content = line.trim();
    if (mark !== undefined) {
      close();
      const place = { start: offset + at, end: offset + at + line.trimEnd().length };
      const heading = content.slice(mark.length).replace(/(?:^|[ \t])#+$/, "");
      found.push(leaf("heading", place, heading, signs.length));
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

/** The fence that code is in after a line, given the one before it; "" is none. */
function fenceAfter(line: string, fence: string): string {
  const mark = FENCE.exec(line)?.[1] ?? "";
  if (fence === "") return mark;
  return mark.startsWith(fence) && line.trim() === mark ? "" : fence;
}
