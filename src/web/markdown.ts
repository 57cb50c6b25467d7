// An answer as it grows: Markdown in, elements out, each put in place once and never parsed again.
// It makes no element that fetches or runs anything: HTML is text, an image is a link, and `[n]` is
// what opens a source.

import * as smd from "streaming-markdown";
import { button, element } from "./element.ts";
import { pointTo, safeAddress } from "./link.ts";

/** What a citation of a source looks like; undefined where there is no such source. */
export interface Citation {
  readonly name: string;
  open(): void;
}

const NUMBERS = /^\s*\d{1,3}(?:\s*[,，、]\s*\d{1,3})*\s*$/;
/** Some models cite so. An unfinished mark is held back, but not for longer than this. */
const LENTICULAR = /【\s*(\d{1,3}(?:\s*[,，、]\s*\d{1,3})*)\s*(?:†[^】\n]{0,80})?】/g;
const HELD_LENGTH_MAX = 100;

const HEADING_LEVEL: Readonly<Record<number, "h3" | "h4" | "h5" | "h6">> = {
  // Below the page's own headings, the second of which is the question.
  [smd.HEADING_1]: "h3",
  [smd.HEADING_2]: "h4",
  [smd.HEADING_3]: "h5",
  [smd.HEADING_4]: "h6",
  [smd.HEADING_5]: "h6",
  [smd.HEADING_6]: "h6",
};

const TAGS: Readonly<Record<number, keyof HTMLElementTagNameMap>> = {
  ...HEADING_LEVEL,
  [smd.PARAGRAPH]: "p",
  [smd.BLOCKQUOTE]: "blockquote",
  [smd.LIST_UNORDERED]: "ul",
  [smd.LIST_ORDERED]: "ol",
  [smd.LIST_ITEM]: "li",
  [smd.LINE_BREAK]: "br",
  [smd.RULE]: "hr",
  [smd.ITALIC_AST]: "em",
  [smd.ITALIC_UND]: "em",
  [smd.STRONG_AST]: "strong",
  [smd.STRONG_UND]: "strong",
  [smd.STRIKE]: "s",
  [smd.CODE_INLINE]: "code",
  [smd.EQUATION_INLINE]: "code",
};

export class Markdown {
  readonly #root: HTMLElement;
  readonly #cite: (n: number) => Citation | undefined;
  readonly #parser: smd.Parser;
  /** From the root to where text goes now. */
  readonly #open: HTMLElement[];
  #held = "";

  constructor(root: HTMLElement, cite: (n: number) => Citation | undefined) {
    this.#root = root;
    this.#cite = cite;
    this.#open = [root];
    this.#parser = smd.parser({
      data: undefined,
      add_token: (_data, token) => this.#begin(token),
      end_token: () => this.#end(),
      add_text: (_data, text) => this.#top.append(text),
      set_attr: (_data, attribute, value) => this.#set(attribute, value),
    });
  }

  write(text: string): void {
    const all = (this.#held + text).replace(LENTICULAR, "[$1]");
    const mark = all.lastIndexOf("【");
    const cut = mark === -1 || all.length - mark > HELD_LENGTH_MAX ? all.length : mark;
    this.#held = all.slice(cut);
    smd.parser_write(this.#parser, all.slice(0, cut));
  }

  /** No more comes: what was held back is text. */
  end(): void {
    smd.parser_write(this.#parser, this.#held);
    this.#held = "";
    smd.parser_end(this.#parser);
  }

  get #top(): HTMLElement {
    return this.#open.at(-1) ?? this.#root;
  }

  #begin(token: smd.Token): void {
    if (token === smd.DOCUMENT) return;
    const parent = this.#top;
    switch (token) {
      case smd.LINK:
      case smd.RAW_URL:
      case smd.IMAGE:
        this.#push(parent, element("a"));
        break;
      case smd.CODE_BLOCK:
      case smd.CODE_FENCE: {
        const code = element("code");
        // What may scroll must be reached by the keyboard.
        parent.append(element("pre", { tabindex: "0", dir: "ltr" }, code));
        this.#open.push(code);
        break;
      }
      case smd.EQUATION_BLOCK: {
        const code = element("code");
        parent.append(element("pre", { tabindex: "0", dir: "ltr" }, code));
        this.#open.push(code);
        break;
      }
      case smd.CHECKBOX:
        this.#push(parent, element("span", { class: "task" }, "☐"));
        break;
      case smd.TABLE: {
        const table = element("table");
        parent.append(element("div", { class: "table", tabindex: "0" }, table));
        this.#open.push(table);
        break;
      }
      case smd.TABLE_ROW: {
        const tag = parent.childElementCount === 0 ? "thead" : "tbody";
        const last = parent.lastElementChild;
        const rows = tag === "tbody" && last?.localName === "tbody" ? last : element(tag);
        parent.append(rows);
        this.#push(rows, element("tr"));
        break;
      }
      case smd.TABLE_CELL:
        this.#push(parent, element(parent.parentElement?.localName === "thead" ? "th" : "td"));
        break;
      default:
        this.#push(parent, element(TAGS[token] ?? "span"));
    }
  }

  #push(parent: Element, child: HTMLElement): void {
    parent.append(child);
    this.#open.push(child);
  }

  #end(): void {
    const ended = this.#open.length > 1 ? this.#open.pop() : undefined;
    if (ended instanceof HTMLAnchorElement) this.#settle(ended);
  }

  #set(attribute: smd.Attr, value: string): void {
    const top = this.#top;
    if (attribute === smd.HREF || attribute === smd.SRC) {
      const safe = top instanceof HTMLAnchorElement ? safeAddress(value) : undefined;
      if (safe !== undefined) pointTo(top as HTMLAnchorElement, safe);
      else top.dataset.refused = "";
    } else if (attribute === smd.CHECKED) {
      top.textContent = "☑";
    } else if (attribute === smd.START && top instanceof HTMLOListElement) {
      top.start = Number.parseInt(value, 10) || 1;
    }
    // CLASS names a code block's language, for which we have no colours.
  }

  /** What looked like a link turns out to be one, a citation, or brackets. */
  #settle(link: HTMLAnchorElement): void {
    const text = link.textContent ?? "";
    if (link.hasAttribute("href")) {
      if (text === "") link.textContent = link.href;
      return;
    }
    if (link.dataset.refused !== undefined) {
      link.replaceWith(...link.childNodes);
      return;
    }
    const numbers = NUMBERS.test(text) ? text.split(/[,，、]/).map(Number) : [];
    const citations = numbers.map((n) => [n, this.#cite(n)] as const);
    if (citations.some(([, citation]) => citation !== undefined)) {
      link.replaceWith(
        ...citations.map(([n, citation]) =>
          citation === undefined
            ? `[${n}]`
            : button(
                { class: "cite", "aria-label": citation.name },
                () => citation.open(),
                String(n),
              ),
        ),
      );
      return;
    }
    link.replaceWith("[", ...link.childNodes, "]");
  }
}
