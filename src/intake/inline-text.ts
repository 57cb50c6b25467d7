// What a reader sees of Markdown inside a paragraph, a heading or a
// cell, and the ids that it gives to its place. Pure.

import type { MarkdownIt, StateInline, Token } from "markdown-it";
import { attributesOf, withoutAttributes } from "./attributes.ts";
import { component, isPlaceholder, withoutTemplateTags } from "./tags.ts";
import { idOf, VisibleText } from "./visible-text.ts";
import { lose, MARKS_MAX, type Work } from "./work.ts";

/** Text without any of these is not parsed. */
const MARK = /[\n\\`*_~![\]<&{]/g;

/** What is taken off where a paragraph begins: `!> Note` of Docsify. */
const PREFIX = /^[!?]>[ \t]+/;

/** Zero-width characters, which editors and copied permalinks leave. */
const INVISIBLE_ENDS = /^[\u200b-\u200d\ufeff]+|(?<![\u200b-\u200d\ufeff])[\u200b-\u200d\ufeff]+$/g;

export interface InlineText {
  readonly text: string;
  /** The id of the place where it ends. */
  readonly idAtEnd: string | undefined;
}

export interface HeadingText {
  readonly text: string;
  readonly id: string | null;
  /** What its anchor is made of, if it is not the whole text. */
  readonly anchorText: string | undefined;
}

export class InlineReader {
  readonly #parser: MarkdownIt;

  constructor(parser: MarkdownIt) {
    this.#parser = parser;
    parser.inline.ruler.before("link", "component", componentRule);
    parser.inline.ruler.before("link", "bound_tag", boundTagRule);
    parser.inline.ruler.before("link", "braces", bracesRule);
  }

  paragraph(content: string, work: Work): InlineText {
    const tokens = this.#tokens(content.replace(PREFIX, ""), work);
    if (typeof tokens === "string") return { text: tokens, idAtEnd: undefined };
    return { text: textOf(tokens), idAtEnd: idAtEnd(tokens) };
  }

  /**
   * Images are left out, unless there is nothing else. What
   * components show, such as "optional", follows the text, except
   * in a title.
   */
  heading(content: string, depth: number, work: Work): HeadingText {
    const { text, id: listed } = withoutAttributes(content.replace(INVISIBLE_ENDS, ""));
    const tokens = this.#tokens(text, work);
    if (typeof tokens === "string") {
      return { text: tokens, id: listed ?? null, anchorText: undefined };
    }
    const { rest, id: linked } = withoutPermalinks(tokens);
    const ids = rest.filter(({ type }) => type === "html_inline").map((tag) => idOf(tag.content));
    const id = listed ?? linked ?? ids.find((found) => found !== undefined) ?? null;
    const plain = textOf(rest.filter(({ type }) => type !== "image" && type !== "component"));
    if (plain.trim() === "") return { text: textOf(rest), id, anchorText: undefined };
    const labels = rest.filter(({ type, content }) => type === "component" && content !== "");
    if (depth === 1 || labels.length === 0) return { text: plain, id, anchorText: undefined };
    const shown = labels.map((label) => label.content).join(", ");
    return { text: `${plain.trim()} (${shown})`, id, anchorText: plain };
  }

  /** The text itself if there is nothing to parse, or no time. */
  #tokens(content: string, work: Work): Token[] | string {
    const marks = content.match(MARK)?.length ?? 0;
    if (work.marks + marks > MARKS_MAX) return content;
    work.marks += marks;
    const source = withoutTemplateTags(content, work);
    if (source.search(MARK) === -1) return source;
    const tokens: Token[] = [];
    this.#parser.inline.parse(source, this.#parser, work, tokens);
    for (const token of tokens) {
      const tag = token.type === "component" ? token.markup : token.content;
      if (!/^(?:html_inline|component)$/.test(token.type) || !isPlaceholder(tag, work)) continue;
      token.type = "text";
      token.content = tag;
    }
    return tokens;
  }
}

/** `<Badge text="beta"/>` */
function componentRule(state: StateInline): boolean {
  if (state.src[state.pos] !== "<") return false;
  const tag = component(state.src, state.pos, state.env as Work);
  if (tag === undefined) return false;
  const token = state.push("component", "", 0);
  token.content = tag.labels.join(" ");
  token.markup = state.src.slice(state.pos, tag.end);
  state.pos = tag.end;
  return true;
}

/** Attributes as Vue and Angular write them, which are no HTML. */
const BOUND_TAG = /^<[a-z][\w-]*(?:\s+[^\s<>"'=]+(?:=(?:"[^"<]*"|'[^'<]*'))?)*\s*\/?>/;
const BOUND = /\s[@#*([]/;

/** `<button @click="open">` */
function boundTagRule(state: StateInline): boolean {
  const { src, pos } = state;
  if (src[pos] !== "<") return false;
  const end = src.slice(pos, pos + BOUND_TAG_MAX).indexOf(">") + 1;
  const [tag = ""] = BOUND.test(src.slice(pos, pos + end))
    ? (BOUND_TAG.exec(src.slice(pos, pos + BOUND_TAG_MAX)) ?? [])
    : [];
  if (tag === "") {
    lose(state.env as Work, end === 0 ? BOUND_TAG_MAX : end);
    return false;
  }
  state.push("html_inline", "", 0).content = tag;
  state.pos += tag.length;
  return true;
}

const BOUND_TAG_MAX = 300;
const BRACES_MAX = 500;

/**
 * `[a](b){target=_blank}`, the comments and strings of
 * MDX, and the roles of MyST before their text.
 */
function bracesRule(state: StateInline): boolean {
  const { src, pos } = state;
  if (src[pos] !== "{") return false;
  const near = src.slice(pos, pos + BRACES_MAX);
  const [comment = ""] = /^\{\/\*[\s\S]*?\*\/\}/.exec(near) ?? [];
  const [blank = ""] = /^\{(["'`])\s*\1\}/.exec(near) ?? [];
  const [role = ""] = /^\{[\w:+-]+\}(?=`)/.exec(near) ?? [];
  const [list = ""] = /[)\]`*_>}]$/.test(src[pos - 1] ?? "")
    ? (/^\{[^{}]*\}/.exec(near) ?? [])
    : [];
  const isList = list !== "" && attributesOf(list) !== undefined;
  const length = comment.length || blank.length || role.length || (isList ? list.length : 0);
  if (length === 0) {
    lose(state.env as Work, near.length);
    return false;
  }
  if (blank !== "") state.push("text", "", 0).content = " ";
  if (role !== "") state.push("role", "", 0);
  state.pos += length;
  return true;
}

function textOf(tokens: readonly Token[]): string {
  const text = new VisibleText();
  const tags = new Set(tokens.map(({ type, content }) => (type === "html_inline" ? content : "")));
  const canHide = (name: string) => tags.has(`</${name}>`);
  tokens.forEach(({ type, content, children }, i) => {
    switch (type) {
      case "softbreak":
      case "hardbreak":
        text.add("\n");
        return;
      case "html_inline":
        if (!/^<[!?]/.test(content)) text.addTag(content, canHide);
        return;
      case "image":
        text.part();
        text.add(textOf(children ?? []));
        text.part();
        return;
      case "component":
        text.part();
        text.add(content);
        text.part();
        return;
      case "link_open":
        text.beginNeighbour();
        return;
      case "link_close":
        text.endNeighbour();
        return;
      case "code_inline":
        // `{ref}` and then `Text <target>`.
        text.add(
          tokens[i - 1]?.type === "role" ? content.replace(/(?<!\s)\s*<[^<>]*>$/, "") : content,
        );
        return;
      default:
        text.add(content);
    }
  });
  return text.toString();
}

function idAtEnd(tokens: readonly Token[]): string | undefined {
  let id: string | undefined;
  for (const { type, content } of tokens) {
    if (type === "html_inline") id = idOf(content) ?? id;
    else if (content.trim() !== "") id = undefined;
  }
  return id;
}

const WORD = /[\p{L}\p{N}]/u;
const PERMALINK = /^(?:permalink|permanent link|anchor|link)$/i;

/** Without links like `[#](#id)`, which say where a heading is. */
function withoutPermalinks(tokens: readonly Token[]): { rest: Token[]; id: string | undefined } {
  const rest: Token[] = [];
  let id: string | undefined;
  let link: Token[] | undefined;
  for (const token of tokens) {
    const href = addressOf(token);
    if (link === undefined && href?.startsWith("#")) {
      link = [token];
    } else if (link !== undefined && isLinkEnd(token)) {
      link.push(token);
      const text = textOf(link).trim();
      const others = tokens.length > link.length;
      if (!WORD.test(text) || (others && PERMALINK.test(text))) {
        id ??= addressOf(link[0] as Token)?.slice(1) || undefined;
      } else {
        rest.push(...link);
      }
      link = undefined;
    } else {
      (link ?? rest).push(token);
    }
  }
  return { rest: [...rest, ...(link ?? [])], id };
}

const HTML_LINK = /^<a\s(?:[^<>]*\s)?href=["']?(#[^"'\s<>]*)/i;

/** Of the link that a token begins. */
function addressOf(token: Token): string | undefined {
  if (token.type === "link_open") return String(token.attrGet("href") ?? "");
  return token.type === "html_inline" ? HTML_LINK.exec(token.content)?.[1] : undefined;
}

function isLinkEnd({ type, content }: Token): boolean {
  return type === "link_close" || (type === "html_inline" && /^<\/a\s*>$/i.test(content));
}
