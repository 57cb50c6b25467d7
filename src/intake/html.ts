// A block of HTML in Markdown, as nodes. Pure.

import { decoded } from "./entities.ts";
import { type Node, newNode } from "./node.ts";
import { idOf, VisibleText } from "./visible-text.ts";

const HIDDEN = /<!--[\s\S]*?(?:-->|$)|<(script|style)\b[\s\S]*?(?:<\/\1\s*>|$)/gi;
const HTML_HEADING = /<h([1-6])(\s[^<>]*)?>((?:(?!<h[1-6])[\s\S])*?)<\/h\1\s*>/gi;
/** A tag, whose attributes may hold `>`, or text. */
const TAG_OR_TEXT =
  /<[/a-z][^<>"']*(?:"[^"<]{0,500}"[^<>"']*|'[^'<]{0,500}'[^<>"']*)*>|<[^<>]*>|<?[^<]+|</gi;

/**
 * The nodes of an HTML block. Its headings count if the title may
 * be among them: later in a document they are mostly examples.
 */
export function htmlNodes(html: string, mayBeTitle: boolean): Node[] {
  const shown = html.replace(HIDDEN, (hidden) => (hidden.startsWith("<!") ? "" : " "));
  const found: Node[] = [];
  let end = 0;
  const headings = mayBeTitle ? shown.matchAll(HTML_HEADING) : [];
  for (const { 0: heading, 1: depth, 2: attributes = "", 3: content = "", index } of headings) {
    found.push(...contentNodes(shown.slice(end, index)));
    const text = htmlText(content);
    const anchor = idOf(`<h1${attributes}>`) ?? idsOf(content).inside ?? null;
    if (text.trim() !== "") {
      found.push(newNode("heading", [text], { depth: Number(depth), anchor }));
    }
    end = index + heading.length;
  }
  found.push(...contentNodes(shown.slice(end)));
  return found;
}

/** The id of the place where a block of HTML ends. */
export function idAtEnd(html: string): string | undefined {
  return idsOf(html.replace(HIDDEN, "")).atEnd;
}

function idsOf(html: string): { inside: string | undefined; atEnd: string | undefined } {
  let inside: string | undefined;
  let atEnd: string | undefined;
  let opened: { name: string; id: string } | undefined;
  for (const [part] of html.matchAll(TAG_OR_TEXT)) {
    const [, slash, name = ""] = /^<(\/?)([a-z][\w-]*)/i.exec(part) ?? [];
    if (slash === undefined) {
      if (part.trim() !== "") atEnd = opened = undefined;
    } else if (slash === "/") {
      // An empty element marks a place, another one may be a wrapper.
      if (opened?.name === name) atEnd = opened.id;
      opened = undefined;
    } else {
      const id = idOf(part);
      opened = id === undefined ? undefined : { name, id };
      if (id !== undefined && /^(?:a|span|section)$/i.test(name)) atEnd = id;
      inside ??= id;
    }
  }
  return { inside, atEnd };
}

const HIDDEN_END = /<\/(?:rp|rt|script|style|template)/gi;

function htmlText(html: string): string {
  const text = new VisibleText();
  const ends = new Set(Array.from(html.matchAll(HIDDEN_END), ([end]) => end.toLowerCase()));
  for (const [part] of html.matchAll(TAG_OR_TEXT)) {
    if (/^<[/a-z]/i.test(part) && part.endsWith(">")) {
      text.addTag(part, (name) => ends.has(`</${name}`));
    } else if (!/^<[!?]/.test(part)) {
      text.add(decoded(part));
    }
  }
  return text.toString();
}

const STRUCTURE = /<(\/?)(pre|table|tr|t[dh]|[uo]l|li)(?=[\s/>])[^<>]*>/gi;
const LANGUAGE = /(?:lang(?:uage)?-|\slang=["']?)([\w+#.-]{1,30})/i;

/** Code, tables and lists as such, other HTML as a paragraph. */
function contentNodes(html: string): Node[] {
  const content = new Content();
  let from = 0;
  for (const { 0: tag, 1: slash, 2: name = "", index } of html.matchAll(STRUCTURE)) {
    content.pending += html.slice(from, index);
    content.take(tag, name.toLowerCase(), slash === "/");
    from = index + tag.length;
  }
  content.pending += html.slice(from);
  content.end();
  return content.nodes;
}

class Content {
  readonly nodes: Node[] = [];
  /** What was read since the last tag that counts. */
  pending = "";
  /** The language of the code that is open. */
  #code: string | undefined;
  /** The table or the list that is open, and how many are in it. */
  #open: Node | undefined;
  #depth = 0;

  take(tag: string, name: string, isEnd: boolean): void {
    if (name === "pre" || this.#code !== undefined) {
      if (name === "pre" && isEnd) this.#endCode();
      else if (name === "pre" && this.#depth === 0 && this.#code === undefined) {
        this.#flush();
        this.#code = tag;
      } else this.pending += tag;
    } else if (/^(?:table|[uo]l)$/.test(name)) {
      if (this.#depth === 0 && !isEnd) {
        this.#flush();
        const first = name === "ol" ? 1 : null;
        this.#open = newNode(name === "table" ? "table" : "list", [], { first });
      }
      if (this.#depth === 1 && isEnd) this.#endOpen();
      else this.pending += " <br>";
      this.#depth = Math.max(0, this.#depth + (isEnd ? -1 : 1));
    } else if (this.#depth === 1 && (name === "li") === (this.#open?.type === "list")) {
      this.#part();
      if (name === "tr" && !isEnd) this.#open?.children.push(newNode("row"));
    } else {
      this.pending += "<br>";
    }
  }

  end(): void {
    if (this.#code !== undefined) this.#endCode();
    if (this.#depth > 0) this.#endOpen();
    this.#flush();
  }

  /** Ends an item, or a cell of the last row. */
  #part(): void {
    const text = htmlText(this.pending);
    this.pending = "";
    if (this.#open?.type === "table") {
      if (text.trim() !== "") this.#open.children.at(-1)?.texts.push(text);
    } else if (text.trim() !== "") {
      const children = [newNode("paragraph", [text])];
      this.#open?.children.push(newNode("item", [], { children }));
    }
  }

  #endOpen(): void {
    this.#part();
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    const children = open.children.filter(
      (child) => child.type === "item" || child.texts.length > 0,
    );
    // A single row is layout.
    if (open.type === "table" && children.length === 1) {
      this.nodes.push(newNode("html", [children[0]?.texts.join(" ") ?? ""]));
    } else if (children.length > 0) {
      this.nodes.push({ ...open, children });
    }
  }

  #endCode(): void {
    const [, language = ""] =
      LANGUAGE.exec(`${this.#code}${/<code[^<>]*>/i.exec(this.pending)?.[0]}`) ?? [];
    const text = decoded(this.pending.replace(/<[^<>]*>/g, ""))
      .replace(/^\n/, "")
      .trimEnd();
    if (text.trim() !== "") this.nodes.push(newNode("code", [text], { language }));
    this.#code = undefined;
    this.pending = "";
  }

  #flush(): void {
    this.nodes.push(newNode("html", [htmlText(this.pending)]));
    this.pending = "";
  }
}
