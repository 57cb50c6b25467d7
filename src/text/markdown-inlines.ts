// The inlines of one Markdown block: CommonMark with strikethrough,
// bare addresses and citations, without HTML. Linear in the text. Pure.

import { AFTER_ADDRESS } from "./bare-addresses.ts";
import { CodeSpans } from "./code-spans.ts";
import { Emphasis, isBoundary, type Run } from "./emphasis.ts";
import { decoded, ENTITY } from "./entities.ts";
import { type Inline, type Piece, treeOf } from "./inline-tree.ts";

export interface InlineOptions {
  /** Whether a number belongs to a source. A mark without one is text. */
  readonly isSource?: (n: number) => boolean;
  /** More text follows. Open code and strong text end here for now. */
  readonly unfinished?: boolean;
  /** It is a table's cell: only `<br>` breaks a line. */
  readonly isCell?: boolean;
}

/** The inside of a citation mark. */
export const NUMBERS = String.raw`\s{0,2}([1-9]\d{0,2}(?:\s{0,2}[,，、]\s{0,2}[1-9]\d{0,2})*)\s{0,2}`;
const ONLY_NUMBERS = new RegExp(`^${NUMBERS}$`);
const ONLY_CITATIONS = new RegExp(String.raw`^\s*\[${NUMBERS}\](?:[\s,，、]*\[${NUMBERS}\])*\s*$`);
/** The marks of some models. `†` adds a place in the source. */
const LENTICULAR = new RegExp(String.raw`【${NUMBERS}(?:†[^】\n]{0,80})?】`, "y");
/** A longer mark is no citation. */
const CITATION_LENGTH_MAX = 200;

const PLAIN = /[^\\`*_~[\]!<&\n【]+/y;
/** Web and mail only: `<std::string>` is no address. */
const ANGLED = /<((?:https?:\/\/|mailto:)[^\s<>]*|[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w.-]{1,255})>/iy;
const BREAK = /<br ?\/?>/iy;
/** A reference definition. It is shown as text, and its label cites nothing. */
const DEFINITION =
  /\[([^\]\n]{1,80})\]:(?=[ \t]*<?(?:[A-Za-z][A-Za-z\d+.-]*:|[/.#])\S*>?(?:[ \t]+(?:"[^"\n]*"|'[^'\n]*'|\([^()\n]*\)))?[ \t]*(?:\n|$))/y;

const TARGET_START = /\([ \t\n]*/y;
const TARGET_ANGLED = /<((?:[^<>\n\\]|\\.)*)>/y;
const TITLE =
  /[ \t\n]+(?:"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'|\((?:[^()\\]|\\[\s\S])*\))/y;
const TARGET_END = /[ \t\n]*\)/y;
/** An address ends before white space, a control character or the end. */
const NO_ADDRESS = /^[\s\p{Cc}]?$/u;
const ADDRESS_LENGTH_MAX = 2_048;
const PARENTHESES_MAX = 32;

/** Characters of a sentence that no address of a citation has. */
const SENTENCE = new RegExp(`${AFTER_ADDRESS.source}|\\]`);
const ESCAPABLE = /^[!-/:-@[-`{-~]$/;
const ESCAPED = /\\([!-/:-@[-`{-~])|&(?:#\w{1,7}|\w{2,32});/g;

interface Bracket {
  /** Its index among the pieces, and the offset of the text within it. */
  readonly piece: number;
  readonly start: number;
  readonly isImage: boolean;
  /** The last run before the bracket. */
  readonly run: Run | undefined;
}

export function inlinesOf(text: string, options: InlineOptions = {}): Inline[] {
  return treeOf(new Pieces(text, options).pieces);
}

/** The numbers in a mark like `1, 2`; none if it is something else. */
export function numbersOf(mark: string): number[] {
  if (mark.length > CITATION_LENGTH_MAX) return [];
  return (
    ONLY_NUMBERS.exec(mark)?.[1]
      ?.split(/[,，、]/)
      .map(Number) ?? []
  );
}

class Pieces {
  readonly pieces: Piece[] = [];
  readonly #text: string;
  readonly #isSource: (n: number) => boolean;
  readonly #unfinished: boolean;
  readonly #isCell: boolean;
  readonly #spans: CodeSpans;
  readonly #emphasis = new Emphasis();
  readonly #brackets: Bracket[] = [];
  /** A link holds no link: earlier brackets than this open none. */
  #inactive = 0;
  #pos = 0;

  constructor(text: string, { isSource, unfinished, isCell }: InlineOptions) {
    this.#text = text;
    this.#isSource = isSource ?? (() => true);
    this.#unfinished = unfinished ?? false;
    this.#isCell = isCell ?? false;
    this.#spans = new CodeSpans(text);
    while (this.#pos < text.length) this.#step();
    this.#emphasize(undefined);
  }

  #step(): void {
    const plain = this.#match(PLAIN)?.[0];
    const char = this.#text[this.#pos] ?? "";
    if (plain !== undefined) this.#add(plain);
    else if (char === "\\") this.#escape();
    else if (char === "`") this.#code();
    else if (char === "*" || char === "_" || char === "~") this.#run(char);
    else if (char === "[") this.#open("[");
    else if (char === "]") this.#close();
    else if (char === "<") this.#angled();
    else if (char === "&") this.#entity();
    else if (char === "【") this.#lenticular();
    else if (char === "\n") {
      this.#node({ kind: "break" });
      this.#pos += 1;
    } else if (this.#text[this.#pos + 1] === "[") this.#open("![");
    else this.#take(char);
  }

  /** Matches a sticky pattern here, and moves past it. */
  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#pos;
    const found = pattern.exec(this.#text) ?? undefined;
    if (found !== undefined) this.#pos = pattern.lastIndex;
    return found;
  }

  #node(node: Inline): void {
    this.pieces.push({ kind: "node", node });
  }

  #add(text: string): void {
    this.#node({ kind: "text", text });
  }

  /** As text. */
  #take(text: string): void {
    this.#add(text);
    this.#pos += text.length;
  }

  #escape(): void {
    const next = this.#text[this.#pos + 1] ?? "";
    if (next === "\n") this.#pos += 1;
    else if (ESCAPABLE.test(next)) {
      this.#pos += 1;
      this.#take(next);
    } else this.#take("\\");
  }

  #code(): void {
    const from = this.#pos;
    let to = from;
    while (this.#text[to] === "`") to += 1;
    const length = to - from;
    const end = this.#spans.closing(length, to);
    const before = this.#text[from - 1] ?? " ";
    // Open code of an unfinished text ends where the text does.
    const isBegun = this.#unfinished && isBoundary(before);
    if (end === undefined && !(isBegun && /^\S/.test(this.#text.slice(to, to + 1)))) {
      this.#take(this.#text.slice(from, to));
      return;
    }
    const code = this.#text.slice(to, end).replaceAll("\n", " ");
    const isPadded = code.startsWith(" ") && code.endsWith(" ") && code.trim() !== "";
    this.#node({ kind: "code", text: isPadded ? code.slice(1, -1) : code });
    this.#pos = end === undefined ? this.#text.length : end + length;
  }

  #run(char: string): void {
    const from = this.#pos;
    let to = from;
    while (this.#text[to] === char) to += 1;
    const length = to - from;
    if (char === "~" && length !== 2) {
      this.#take(this.#text.slice(from, to));
      return;
    }
    this.#pos = to;
    this.pieces.push({ kind: "run", run: this.#emphasis.add(this.#text, from, to) });
  }

  #open(mark: "[" | "!["): void {
    const from = this.#pos;
    if (from === 0 || this.#text[from - 1] === "\n") {
      const label = this.#match(DEFINITION);
      if (label !== undefined) {
        this.#add(label[0]);
        return;
      }
    }
    const start = from + mark.length;
    this.#brackets.push({
      ...{ piece: this.pieces.length, start, isImage: mark === "![", run: this.#emphasis.last },
    });
    this.#take(mark);
  }

  #close(): void {
    const bracket = this.#brackets.pop();
    if (bracket === undefined) {
      this.#take("]");
      return;
    }
    const isActive = this.#brackets.length >= this.#inactive;
    this.#inactive = Math.min(this.#inactive, this.#brackets.length);
    const { piece, start, isImage } = bracket;
    const end = this.#pos;
    const within = this.#text.slice(start, end);
    this.#pos = end + 1;

    const numbers = numbersOf(within);
    if (numbers.some(this.#isSource) && !(isImage && this.#target() !== undefined)) {
      // `[1](address)` is a citation. A target that is a sentence stays text.
      if (!isImage && SENTENCE.test(this.#target() ?? "")) this.#pos = end + 1;
      this.pieces.length = piece;
      if (isImage) this.#add("!");
      this.#node({ kind: "citation", numbers, closing: "" });
      this.#inactive = this.#brackets.length;
      return;
    }
    this.#pos = end + 1;
    const isCitations =
      !isActive && within.length <= CITATION_LENGTH_MAX && ONLY_CITATIONS.test(within);
    const address = isActive || isImage || isCitations ? this.#target() : undefined;
    if (address === undefined) {
      this.#pos = end;
      this.#take("]");
      return;
    }
    if (isCitations) {
      this.pieces[piece] = { kind: "node", node: { kind: "text", text: "" } };
      return;
    }
    this.#emphasize(bracket.run);
    const mark = isImage ? "![" : "[";
    this.pieces[piece] = { kind: "begin", mark, address };
    this.pieces.push({ kind: "end", mark: this.#text.slice(end, this.#pos) });
    if (!isImage) this.#inactive = this.#brackets.length;
  }

  /** Reads the address in parentheses after a link's text. */
  #target(): string | undefined {
    const from = this.#pos;
    const address = this.#match(TARGET_START) && this.#address();
    if (address !== undefined && address !== "") {
      this.#match(TITLE);
      if (this.#match(TARGET_END) !== undefined) return unescaped(address);
    }
    this.#pos = from;
    return undefined;
  }

  /** An address has no white space, and balanced parentheses. */
  #address(): string | undefined {
    const angled = this.#match(TARGET_ANGLED);
    if (angled !== undefined) return angled[1];
    const from = this.#pos;
    if (this.#text[from] === "<") return undefined;
    let open = 0;
    for (let at = from; at - from <= ADDRESS_LENGTH_MAX; at += 1) {
      const char = this.#text[at] ?? "";
      if (char === "\\" && ESCAPABLE.test(this.#text[at + 1] ?? "")) at += 1;
      else if (char === "(") {
        open += 1;
        if (open > PARENTHESES_MAX) return undefined;
      } else if (NO_ADDRESS.test(char) || (char === ")" && open === 0)) {
        if (open > 0) return undefined;
        this.#pos = at;
        return this.#text.slice(from, at);
      } else if (char === ")") open -= 1;
    }
    return undefined;
  }

  #angled(): void {
    if (this.#isCell && this.#match(BREAK) !== undefined) {
      this.#node({ kind: "break" });
      return;
    }
    const address = this.#match(ANGLED)?.[1];
    if (address === undefined) {
      this.#take("<");
      return;
    }
    const isMail = /^[^:]*@/.test(address);
    const children: Inline[] = [{ kind: "text", text: address }];
    this.#node({ kind: "link", address: isMail ? `mailto:${address}` : address, children });
  }

  #entity(): void {
    const entity = this.#match(ENTITY)?.[0];
    if (entity === undefined) this.#take("&");
    else this.#add(decoded(entity));
  }

  #lenticular(): void {
    const numbers = this.#match(LENTICULAR)?.[1]
      ?.split(/[,，、]/)
      .map(Number);
    if (numbers === undefined) this.#take("【");
    else if (numbers.some(this.#isSource)) this.#node({ kind: "citation", numbers, closing: "" });
    else this.#add(`【${numbers.join(", ")}】`);
  }

  /** Pairs the runs after this one. */
  #emphasize(bottom: Run | undefined): void {
    if (this.#unfinished && bottom === undefined) {
      this.pieces.push({ kind: "run", run: this.#emphasis.pairUnfinished() });
    } else this.#emphasis.pair(bottom);
  }
}

function unescaped(address: string): string {
  return address.replace(ESCAPED, (all, char) => char ?? decoded(all));
}
