// Markdown as a tree of blocks with plain text at its leaves. The parser
// is linear, but needs seconds for 1 MiB of hostile text, and all searches
// wait. What exceeds the bounds here is read as plain paragraphs. Pure.

import MarkdownIt, { type StateBlock, type StateInline, type Token } from "markdown-it";
import { closesFence, openingFence } from "../text/code-fence.ts";
import { withoutAttributes } from "./attributes.ts";
import { htmlNodes, idAtEnd } from "./html.ts";
import { InlineReader } from "./inline-text.ts";
import { joinLabels } from "./labels.ts";
import { type Node, type NodeType, newNode } from "./node.ts";
import { openFence } from "./open-fence.ts";
import { containerHead, siteLine } from "./site-lines.ts";
import { closedElements, closedNames, withoutTemplateTags } from "./tags.ts";
import { STEPS_MAX, type Work } from "./work.ts";

/**
 * A quote or a footnote takes one level, a list two. Deeper blocks are text.
 */
const LEVELS_MAX = 24;
/** In UTF-16 units. A longer line is data or an attack. */
const LINE_LENGTH_MAX = 16 * 1024;
const TOKENS_MAX = 200_000;

const PARSER = new MarkdownIt({ html: true, maxNesting: 2 * LEVELS_MAX });
// Only the text of a link is kept.
PARSER.validateLink = () => true;
PARSER.normalizeLink = (url) => url;
PARSER.normalizeLinkText = (text) => text;
const INTERRUPTING = { alt: ["paragraph", "reference", "blockquote", "list"] };
PARSER.block.ruler.before("table", "bounds", bounds, INTERRUPTING);
PARSER.block.ruler.before("table", "site_line", siteLine, INTERRUPTING);
PARSER.block.ruler.before("fence", "open_fence", openFence, INTERRUPTING);
PARSER.block.ruler.before("reference", "footnote", footnote, INTERRUPTING);
PARSER.inline.ruler.before("link", "footnote_mark", footnoteMark);
const INLINE = new InlineReader(PARSER);

/** MDX exports, or has attributes that are code. Imports are seen later. */
const MDX =
  /^export\s+(?:const|default|function)\b|<[a-z][\w.]*\s[^<>\n]{0,300}(?:=\{|\bclassName=)/im;

export function parse(text: string): Node[] {
  const source = text.replace(/\r\n?/g, "\n").replaceAll("\0", "\ufffd");
  const work: Work = {
    steps: 0,
    marks: 0,
    footnotes: new Set(),
    closed: closedNames(source),
    closedElements: closedElements(source),
    isMdx: MDX.test(source),
    labels: false,
    elements: 0,
    components: 0,
    tabs: false,
    unclosed: new Map(),
  };
  const nodes = blocks(source, work, 0);
  if (work.labels) joinLabels(nodes);
  return nodes;
}

function blocks(source: string, work: Work, depth: number): Node[] {
  const tokens: Token[] = [];
  PARSER.block.parse(source, PARSER, work, tokens);
  return tree(tokens, work, depth);
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
  label_open: "label",
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

function tree(tokens: readonly Token[], work: Work, depth: number): Node[] {
  const root = newNode("root");
  const open = [root];
  let titled = false;
  /** The id of the place before the next block. */
  let id: string | undefined;
  for (const [i, token] of tokens.entries()) {
    const parent = open.at(-1) ?? root;
    if (token.type === "inline") {
      if (parent.type === "heading") {
        const heading = INLINE.heading(token.content, parent.depth, work);
        parent.texts.push(heading.text);
        parent.anchor = heading.id ?? id ?? null;
        parent.anchorText = heading.anchorText;
        id = undefined;
      } else {
        const { text, idAtEnd } = INLINE.paragraph(token.content, work);
        parent.texts.push(text);
        id = idAtEnd;
      }
    } else if (token.type === "html_block") {
      const html = htmlOf(token, work);
      for (const node of htmlNodesOf(html, !titled, work)) {
        if (node.type === "heading") node.anchor ??= id ?? null;
        parent.children.push(node);
      }
      const isShown = parent.children.at(-1)?.texts.some((text) => text.trim() !== "");
      id = idAtEnd(html) ?? (isShown ? undefined : id);
    } else if (token.type === "plain") {
      for (const node of plainNodes(token.content)) parent.children.push(node);
    } else if (token.type === "anchor") {
      const last = parent.children.at(-1);
      // Kramdown writes it below a heading, MyST above.
      if (tokens[i - 1]?.type === "heading_close" && last) last.anchor = token.content;
      else id = token.content;
    } else if (token.type === "fence" && DIRECTIVE.test(token.info) && depth < DIRECTIVES_MAX) {
      parent.children.push(...directive(token, work, depth));
    } else if (token.nesting === -1) {
      open.pop();
    } else {
      const type = TYPES[token.type];
      const node = type ? nodeOf(type, token) : parent;
      if (node !== parent) parent.children.push(node);
      if (token.nesting === 1) open.push(node);
      titled ||= type === "heading" && parent === root;
      if (type !== undefined && type !== "heading") id = undefined;
    }
  }
  return root.children;
}

function nodeOf(type: NodeType, token: Token): Node {
  const depth = type === "heading" ? Number(token.tag.slice(1)) : 0;
  const first = token.type === "ordered_list_open" ? Number(token.attrGet("start") ?? 1) : null;
  const texts = type === "code" ? [token.content.replace(/\n$/, "")] : [];
  const [language = ""] = type === "code" ? (LANGUAGE.exec(token.info) ?? []) : [];
  return newNode(type, texts, { depth, first, language });
}

/** The first word after a fence. Others are options of some renderer. */
const LANGUAGE = /^[\w+#.-]{1,30}/;

/** A line that ends a container. HTML takes it for its own. */
const CONTAINER_END = /^[ \t]*:{3,}[ \t]*$/gm;

function htmlOf({ content }: Token, work: Work): string {
  if (/^\s*<(?:pre|script|style|textarea)\b/i.test(content)) return content;
  return withoutTemplateTags(content.replace(CONTAINER_END, ""), work);
}

/** Elements that are more than a paragraph. */
const STRUCTURE = /<(?:h[1-6]|pre|script|style|table|textarea|ul|ol)\b/i;

function htmlNodesOf(html: string, mayBeTitle: boolean, work: Work): Node[] {
  // In MDX, Markdown may be inside HTML. Some components, such as
  // `<Frame>`, have the names of HTML blocks.
  const isMdx = work.isMdx || /^\s*<[A-Z][a-z]/.test(html);
  if (!isMdx || STRUCTURE.test(html)) return htmlNodes(html, mayBeTitle);
  const { text } = INLINE.paragraph(html, work);
  return /<\/?[a-z]/i.test(text) ? htmlNodes(html, mayBeTitle) : [newNode("html", [text])];
}

/** Fences of MyST that hold Markdown, as ```{note} does. */
const DIRECTIVE =
  /^(?:mdx-code-block$|\{(?:admonition|attention|caution|danger|error|hint|important|note|seealso|tip|todo|warning|deprecated|version\w+|dropdown|card|grid|grid-item|grid-item-card|tab-set|tab-item|tabs|topic|sidebar|margin|aside|details|exercise|solution|epigraph)\})/;
const DIRECTIVES_MAX = 4;

function directive({ info, content }: Token, work: Work, depth: number): Node[] {
  const { title } = containerHead(info.startsWith("{") ? info : "");
  const body = content.replace(/^(?:[ \t]*:[\w-]+:[^\n]*\n)+/, "");
  work.labels ||= title.length > 0;
  return [...title.map((text) => newNode("label", [text])), ...blocks(body, work, depth + 1)];
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
    if (content !== "") found.push(newNode(LAYOUT.test(content) ? "code" : "paragraph", [content]));
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
      const { text: name, id = null } = withoutAttributes(heading);
      found.push(newNode("heading", [name], { depth: signs.length, anchor: id }));
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
