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
/** In a word, and where somebody is to sign, underscores emphasize nothing; the parser takes them for marks all the same. */
const BLANK_LENGTH = 4;
const NO_MARKS = new RegExp(`(?<=[\\p{L}\\p{N}])_+(?=[\\p{L}\\p{N}])|_{${BLANK_LENGTH},}`, "gu");
/** Each has a stand-in for the parser, which then takes it for text: no character, and so in no text. */
const MARKS = "_*~`$<>[]|\\";
const STAND_IN_FIRST = 0xfdd0;
const STAND_INS = /[\uFDD0-\uFDDA]/g;
/** The rest of a longer run of one mark is text: each would cost an element, and nobody means so many. */
const RUN_LENGTH_MAX = 100;
/** Likewise for quotes within quotes: the parser looks through all of them at each. */
const QUOTES_MAX = 10;
/** Deeper elements are left out, and their text goes into this one. The parser forgets what is below 24. */
const DEPTH_MAX = 20;
/** Where an address in running text is over: white space ends it for the parser, and only that. */
const AFTER_ADDRESS =
  /[\u3000-\u3003\u3008-\u301F\uFF01-\uFF0F\uFF1A-\uFF1F\uFF3B-\uFF3D\uFF5B-\uFF65“”‘’…<>"]/;
/** What ends a sentence, or closes what was opened before the address. */
const SENTENCE_END = ".,;:!?'*_~";
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

/** The marks that begin these, which are text again if the marks that end them never come. */
const OPENING: Readonly<Record<number, string>> = {
  [smd.ITALIC_AST]: "*",
  [smd.ITALIC_UND]: "_",
  [smd.STRONG_AST]: "**",
  [smd.STRONG_UND]: "__",
  [smd.STRIKE]: "~~",
  [smd.LINK]: "[",
  [smd.IMAGE]: "![",
};

/** What one character of the mark that ends it is. */
const EMPHASIS: Readonly<Record<number, string>> = {
  [smd.ITALIC_AST]: "*",
  [smd.ITALIC_UND]: "_",
  [smd.STRONG_AST]: "*",
  [smd.STRONG_UND]: "_",
  [smd.STRIKE]: "~",
};

/** What is not over yet: the element that its text goes into, and the mark that began it. */
interface Open {
  readonly element: HTMLElement;
  readonly token: smd.Token;
  readonly mark: string;
}

export class Markdown {
  readonly #root: HTMLElement;
  readonly #cite: (n: number) => Citation | undefined;
  readonly #say: (words: string) => void;
  readonly #parser: smd.Parser;
  /** From the root to where text goes now. */
  readonly #open: Open[] = [];
  /** What has come, and waits for what follows it; and the last characters that did not wait. */
  #held = "";
  #before = "";
  /** How often the last character came in a row, and how many quotes this line has begun. */
  #last = "";
  #run = 0;
  #quotes = 0;
  /** The parser ends an address at the first parenthesis. This one lacks its last, if that comes next. */
  #short: { readonly link: HTMLAnchorElement; readonly address: string } | undefined;

  /** `say` tells the reader that code was copied. */
  constructor(
    root: HTMLElement,
    cite: (n: number) => Citation | undefined,
    say: (words: string) => void,
  ) {
    this.#root = root;
    this.#cite = cite;
    this.#say = say;
    this.#parser = smd.parser({
      data: undefined,
      add_token: (_data, token) => this.#begin(token),
      end_token: () => this.#end(),
      add_text: (_data, text) => this.#append(withMarks(text)),
      set_attr: (_data, attribute, value) => this.#set(attribute, withMarks(value)),
    });
  }

  write(text: string): void {
    const all = (this.#held + text).replace(LENTICULAR, "[$1]");
    const mark = all.lastIndexOf("【");
    const marked = mark !== -1 && all.length - mark <= HELD_LENGTH_MAX ? mark : all.length;
    const cut = Math.min(marked, all.length - waiting(all));
    this.#held = all.slice(cut);
    this.#parse(all.slice(0, cut));
  }

  /** No more comes: what was held back is text. */
  end(): void {
    this.#parse(this.#held);
    this.#held = "";
    // The parser keeps an address to itself until it is over.
    const { pending } = this.#parser;
    if (pending.startsWith("](")) this.#top.append(withMarks(pending));
    smd.parser_end(this.#parser);
    while (this.#open.length > 0) this.#end(false);
  }

  #parse(text: string): void {
    const seen = this.#before + text;
    const guarded = seen.replace(NO_MARKS, (run) => standIn("_").repeat(run.length));
    smd.parser_write(this.#parser, this.#bounded(guarded.slice(this.#before.length)));
    this.#before = seen.slice(-BLANK_LENGTH);
  }

  #bounded(text: string): string {
    let bounded = "";
    for (const char of text) {
      this.#run = char === this.#last ? this.#run + 1 : 1;
      this.#last = char;
      if (char === ">") this.#quotes += 1;
      else if (char !== " " && char !== "\t") this.#quotes = 0;
      const tooMany = this.#run > RUN_LENGTH_MAX || this.#quotes > QUOTES_MAX;
      bounded += tooMany ? standIn(char) : char;
    }
    return bounded;
  }

  get #top(): HTMLElement {
    return this.#open.at(-1)?.element ?? this.#root;
  }

  #begin(token: smd.Token): void {
    if (token === smd.DOCUMENT) return;
    const parent = this.#top;
    if (this.#open.length >= DEPTH_MAX && token !== smd.LINE_BREAK && token !== smd.RULE) {
      this.#open.push({ element: parent, token, mark: "" });
      const mark = this.#opening(token);
      if (mark !== "") parent.append(mark);
      return;
    }
    this.#open.push({ element: this.#make(parent, token), token, mark: this.#opening(token) });
  }

  /** In place, and where its text goes. */
  #make(parent: HTMLElement, token: smd.Token): HTMLElement {
    switch (token) {
      case smd.LINK:
      case smd.RAW_URL:
      case smd.IMAGE:
        return placed(parent, element("a"));
      case smd.CODE_BLOCK:
      case smd.CODE_FENCE:
      case smd.EQUATION_BLOCK: {
        const code = element("code");
        const copy = copyButton("Copy the code", () => code.textContent ?? "", this.#say);
        // What may scroll must be reached by the keyboard.
        const pre = element("pre", { tabindex: "0", dir: "ltr" }, code);
        parent.append(element("div", { class: "code" }, pre, copy));
        return code;
      }
      case smd.CHECKBOX:
        return placed(parent, element("span", { class: "task" }, "☐"));
      case smd.TABLE: {
        const table = element("table");
        parent.append(element("div", { class: "table", tabindex: "0" }, table));
        return table;
      }
      case smd.TABLE_ROW: {
        const tag = parent.childElementCount === 0 ? "thead" : "tbody";
        const last = parent.lastElementChild;
        const rows = tag === "tbody" && last?.localName === "tbody" ? last : element(tag);
        parent.append(rows);
        return placed(rows, element("tr"));
      }
      case smd.TABLE_CELL:
        return placed(parent, element(parent.parentElement?.localName === "thead" ? "th" : "td"));
      default:
        return placed(parent, element(TAGS[token] ?? "span"));
    }
  }

  #opening(token: smd.Token): string {
    if (token !== smd.EQUATION_INLINE) return OPENING[token] ?? "";
    return this.#parser.pending.startsWith("$") ? "$" : "\\(";
  }

  #append(text: string): void {
    // Not lastElementChild, which looks through all the text behind it.
    const last = this.#top.lastChild;
    const cited = last instanceof HTMLElement && last.className === "cited";
    const closing = cited ? (CLOSING.exec(text)?.[0] ?? "") : this.#completed(last, text);
    if (cited) last.append(closing);
    const rest = text.slice(closing.length);
    // Not even an empty text: it would stand behind the citation.
    if (rest !== "") this.#top.append(rest);
  }

  /** Gives the address before this text the parenthesis it lacks, and says what that took of the text. */
  #completed(last: ChildNode | null, text: string): string {
    const short = this.#short;
    this.#short = undefined;
    if (short === undefined || short.link !== last || !text.startsWith(")")) return "";
    const safe = safeAddress(`${short.address})`);
    if (safe !== undefined) pointTo(short.link, safe);
    return ")";
  }

  #end(closed?: boolean): void {
    const ended = this.#open.pop();
    if (ended === undefined || ended.element === this.#top) return;
    const { element, token, mark } = ended;
    const marked = closed ?? this.#closes(token);
    if (element instanceof HTMLAnchorElement) {
      if (token === smd.RAW_URL) settleAddress(element);
      else if (marked) this.#settle(element, mark);
      else unwrap(element, mark, "");
    } else if (mark !== "" && !marked) {
      unwrap(element, mark, "");
    } else if (token in EMPHASIS && /\s$/.test(element.lastChild?.textContent ?? "")) {
      // As in "*.ts and *.js": a mark after a space ends nothing.
      unwrap(element, mark, mark);
    }
  }

  /** Whether it ends because its mark came, which the parser still holds; a block that ends, ends all within it. */
  #closes(token: smd.Token): boolean {
    const { pending } = this.#parser;
    const symbol = EMPHASIS[token];
    if (symbol !== undefined) return pending === symbol || pending === symbol + symbol;
    if (token === smd.LINK || token === smd.IMAGE) return pending.startsWith("]");
    return true;
  }

  #set(attribute: smd.Attr, value: string): void {
    const top = this.#top;
    if (attribute === smd.HREF || attribute === smd.SRC) {
      if (!(top instanceof HTMLAnchorElement)) return;
      // What follows in quotes is a title.
      const address = value.split(/\s["']/, 1)[0] ?? "";
      const safe = safeAddress(address);
      if (safe === undefined) {
        top.dataset.refused = "";
        return;
      }
      pointTo(top, safe);
      if (surplus(address, "(", ")") === 1) this.#short = { link: top, address };
    } else if (attribute === smd.CHECKED && top.className === "task") {
      top.textContent = "☑";
    } else if (attribute === smd.START && top instanceof HTMLOListElement) {
      top.start = Number.parseInt(value, 10) || 1;
    }
    // CLASS names a code block's language, for which we have no colours.
  }

  /** What looked like a link turns out to be one, a citation, or brackets. */
  #settle(link: HTMLAnchorElement, mark: string): void {
    const text = link.textContent ?? "";
    if (link.hasAttribute("href")) {
      if (text === "") link.textContent = link.href;
      return;
    }
    if (link.dataset.refused !== undefined) {
      unwrap(link, "", "");
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
    unwrap(link, mark, "]");
  }
}

/** An address in running text, without what the parser took along. */
function settleAddress(link: HTMLAnchorElement): void {
  const text = link.textContent ?? "";
  const over = text.search(AFTER_ADDRESS);
  let length = over === -1 ? text.length : over;
  let open = surplus(text.slice(0, length), "(", ")");
  for (; length > 0; length -= 1) {
    const char = text.charAt(length - 1);
    if (char === ")" && open < 0) open += 1;
    else if (!SENTENCE_END.includes(char)) break;
  }
  const address = text.slice(0, length);
  const safe = safeAddress(address);
  link.textContent = address;
  link.after(text.slice(length));
  if (safe === undefined) unwrap(link, "", "");
  else pointTo(link, safe);
}

/** What is in it takes its place, between these texts. */
function unwrap(element: HTMLElement, before: string, after: string): void {
  element.before(before);
  // One at a time: there may be more than a call can be given.
  while (element.firstChild !== null) element.before(element.firstChild);
  element.before(after);
  element.remove();
}

function placed(parent: Element, child: HTMLElement): HTMLElement {
  parent.append(child);
  return child;
}

/** How many characters at the end wait for the next: underscores, unless they are marks no more. */
function waiting(text: string): number {
  let length = 0;
  while (length < BLANK_LENGTH && text.at(-1 - length) === "_") length += 1;
  return length < BLANK_LENGTH ? length : 0;
}

/** How many more there are of the one than of the other. */
function surplus(text: string, one: string, other: string): number {
  return text.split(one).length - text.split(other).length;
}

function standIn(char: string): string {
  const i = MARKS.indexOf(char);
  return i === -1 ? char : String.fromCharCode(STAND_IN_FIRST + i);
}

function withMarks(text: string): string {
  return text.replace(STAND_INS, (char) => MARKS.charAt(char.charCodeAt(0) - STAND_IN_FIRST));
}
