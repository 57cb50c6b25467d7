// An answer as it grows: Markdown in, elements out, each put in place once and never parsed again.
// It makes no element that fetches or runs anything: HTML is text, an image is a link, and `[n]` is
// what opens a source.

import * as smd from "streaming-markdown";
import { copyButton } from "./clipboard.ts";
import { button, element } from "./element.ts";
import { pointTo, safeAddress } from "./link.ts";

/** What a citation of a source looks like; undefined where there is no such source. */
export interface Citation {
  readonly name: string;
  open(): void;
}

const NUMBERS = /^\s*\d{1,3}(?:\s*[,，、]\s*\d{1,3})*\s*$/;
/** In the middle of a word, underscores emphasize nothing; the parser takes them for marks all the same. */
const WITHIN_WORD = /(?<=[\p{L}\p{N}])_+(?=[\p{L}\p{N}])/gu;
/** Stands for one of these while the parser has it: no character, and so in no text. */
const UNDERSCORE = "\uFDD0";
/** What begins no line, and so stays with the citation before it. */
const CLOSING = /^[\p{Pe}\p{Pf}.,;:!?…、。，．；：！？]+/u;
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
  readonly #say: (words: string) => void;
  readonly #parser: smd.Parser;
  /** From the root to where text goes now. */
  readonly #open: HTMLElement[];
  /** What has come, and waits for what follows it; and the last character that did not wait. */
  #held = "";
  #before = "";

  /** `say` tells the reader that code was copied. */
  constructor(
    root: HTMLElement,
    cite: (n: number) => Citation | undefined,
    say: (words: string) => void,
  ) {
    this.#root = root;
    this.#cite = cite;
    this.#say = say;
    this.#open = [root];
    this.#parser = smd.parser({
      data: undefined,
      add_token: (_data, token) => this.#begin(token),
      end_token: () => this.#end(),
      add_text: (_data, text) => this.#append(withUnderscores(text)),
      set_attr: (_data, attribute, value) => this.#set(attribute, withUnderscores(value)),
    });
  }

  write(text: string): void {
    const all = (this.#held + text).replace(LENTICULAR, "[$1]");
    const mark = all.lastIndexOf("【");
    const marked = mark !== -1 && all.length - mark <= HELD_LENGTH_MAX ? mark : all.length;
    const cut = Math.min(marked, all.length - (/_*$/.exec(all)?.[0].length ?? 0));
    this.#held = all.slice(cut);
    this.#parse(all.slice(0, cut));
  }

  /** No more comes: what was held back is text. */
  end(): void {
    this.#parse(this.#held);
    this.#held = "";
    smd.parser_end(this.#parser);
  }

  #parse(text: string): void {
    const seen = this.#before + text;
    const guarded = seen.replace(WITHIN_WORD, (run) => UNDERSCORE.repeat(run.length));
    smd.parser_write(this.#parser, guarded.slice(this.#before.length));
    this.#before = seen.slice(-1);
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
      case smd.CODE_FENCE:
      case smd.EQUATION_BLOCK: {
        const code = element("code");
        const copy = copyButton("Copy the code", () => code.textContent ?? "", this.#say);
        // What may scroll must be reached by the keyboard.
        const pre = element("pre", { tabindex: "0", dir: "ltr" }, code);
        parent.append(element("div", { class: "code" }, pre, copy));
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

  #append(text: string): void {
    const last = this.#top.lastElementChild;
    const cited = last === this.#top.lastChild && last?.className === "cited";
    const closing = cited ? (CLOSING.exec(text)?.[0] ?? "") : "";
    if (cited) last.append(closing);
    const rest = text.slice(closing.length);
    // Not even an empty text: it would stand behind the citation.
    if (rest !== "") this.#top.append(rest);
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
      if (!(top instanceof HTMLAnchorElement)) return;
      const safe = safeAddress(value);
      if (safe === undefined) top.dataset.refused = "";
      else pointTo(top, safe);
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
      const marks = citations.map(([n, citation]) =>
        citation === undefined
          ? `[${n}]`
          : button(
              { class: "cite", "aria-label": citation.name },
              () => citation.open(),
              String(n),
            ),
      );
      link.replaceWith(element("span", { class: "cited" }, ...marks));
      return;
    }
    link.replaceWith("[", ...link.childNodes, "]");
  }
}

function withUnderscores(text: string): string {
  return text.replaceAll(UNDERSCORE, "_");
}
