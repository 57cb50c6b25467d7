// The text of one Markdown block as what it shows: CommonMark with strikethrough and bare addresses,
// without HTML, and with citations. Emphasis next to Chinese or Japanese needs no blanks. The time is
// linear in the text. Pure.

import { CodeSpans } from "./code-spans.ts";

export type Inline =
  | { readonly kind: "text" | "code"; readonly text: string }
  | { readonly kind: "break" }
  /** `closing` is the punctuation after it, which begins no line. */
  | { readonly kind: "citation"; readonly numbers: readonly number[]; readonly closing: string }
  | { readonly kind: "link"; readonly address: string; readonly children: readonly Inline[] }
  | { readonly kind: "emphasis" | "strong" | "strike"; readonly children: readonly Inline[] };

export interface Reading {
  /** Whether a number belongs to a source: a mark of which none does is text. */
  readonly isSource?: (n: number) => boolean;
  /** More text is to come: code and strong text that have begun count as if they ended here. */
  readonly unfinished?: boolean;
  /** It is a table's cell, in which only `<br>` can begin a new line. */
  readonly isCell?: boolean;
}

/** What the brackets of a citation hold. */
export const NUMBERS = String.raw`\s{0,2}([1-9]\d{0,2}(?:\s{0,2}[,，、]\s{0,2}[1-9]\d{0,2})*)\s{0,2}`;
const ONLY_NUMBERS = new RegExp(`^${NUMBERS}$`);
const ONLY_CITATIONS = new RegExp(String.raw`^\s*\[${NUMBERS}\](?:[\s,，、]*\[${NUMBERS}\])*\s*$`);
/** Some models cite so, and add `†` and a place in the source. */
const LENTICULAR = new RegExp(String.raw`【${NUMBERS}(?:†[^】\n]{0,80})?】`, "y");
/** Longer brackets hold no citation. */
const CITATION_LENGTH_MAX = 200;

const PLAIN = /[^\\`*_~[\]!<&\n【]+/y;
const ENTITY = /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([A-Za-z]\w{1,31}));/y;
/** Of the web or of mail: `<std::string>` is no address. */
const ANGLED = /<((?:https?:\/\/|mailto:)[^\s<>]*|[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w.-]{1,255})>/iy;
const BREAK = /<br ?\/?>/iy;
/** Where reference links lead. It is not supported, so it is shown; but its label cites nothing. */
const DEFINITION =
  /\[([^\]\n]{1,80})\]:(?=[ \t]*<?(?:[A-Za-z][A-Za-z\d+.-]*:|[/.#])\S*>?(?:[ \t]+(?:"[^"\n]*"|'[^'\n]*'|\([^()\n]*\)))?[ \t]*(?:\n|$))/y;

const TARGET_START = /\([ \t\n]*/y;
const TARGET_ANGLED = /<((?:[^<>\n\\]|\\.)*)>/y;
const TITLE =
  /[ \t\n]+(?:"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'|\((?:[^()\\]|\\[\s\S])*\))/y;
const TARGET_END = /[ \t\n]*\)/y;
/** The end of the text, white space or a control character: an address ends before it. */
const NO_ADDRESS = /^[\s\p{Cc}]?$/u;
const ADDRESS_LENGTH_MAX = 2_048;
const PARENTHESES_MAX = 32;

/** Bare addresses, but for that of a link which never ended. */
const ADDRESS = /(?<![A-Za-z\d_]|\]\(|\]\(<)https?:\/\/[^\s<>]+/g;
/** Where an address in running text is over, besides white space. */
const AFTER_ADDRESS =
  /[\u3000-\u3003\u3008-\u301F\uFF01-\uFF0F\uFF1A-\uFF1F\uFF3B-\uFF3D\uFF5B-\uFF65“”‘’…"`]/;
/** What the address of a citation does not hold, but a sentence may. */
const SENTENCE = new RegExp(`${AFTER_ADDRESS.source}|\\]`);
/** What ends a sentence, or closes what was opened before the address. */
const SENTENCE_END = ".,;:!?'*_~";
const CLOSING = /^[\p{Pe}\p{Pf}.,;:!?…、。，．；：！？]+/u;

const BLANK = /^\s?$/u;
const PUNCTUATION = /^[\p{P}\p{S}]$/u;
const CJK =
  /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Bopomofo}\u3000-\u303F\uFF00-\uFFEF]$/u;
const ESCAPABLE = /^[!-/:-@[-`{-~]$/;
const ESCAPED = /\\([!-/:-@[-`{-~])|&(?:#\w{1,7}|\w{2,32});/g;

/** Elements deeper than this are left out, and their marks are text. */
const DEPTH_MAX = 10;

/** The ones that models write. */
const ENTITIES: Readonly<Record<string, string>> = {
  ...{ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00A0", ensp: "\u2002" },
  ...{ emsp: "\u2003", thinsp: "\u2009", ndash: "–", mdash: "—", hellip: "…", bull: "•" },
  ...{ middot: "·", lsquo: "‘", rsquo: "’", ldquo: "“", rdquo: "”", laquo: "«", raquo: "»" },
  ...{ copy: "©", reg: "®", trade: "™", deg: "°", sect: "§", para: "¶", plusmn: "±" },
  ...{ times: "×", divide: "÷", minus: "−", le: "≤", ge: "≥", ne: "≠", asymp: "≈", infin: "∞" },
  ...{ larr: "←", uarr: "↑", rarr: "→", darr: "↓", harr: "↔", check: "✓", euro: "€" },
  ...{ pound: "£", yen: "¥", cent: "¢", frac12: "½", micro: "µ", shy: "\u00AD", zwj: "\u200D" },
};

type Kind = "emphasis" | "strong" | "strike";

/** A run of one mark that may begin or end emphasis. */
interface Run {
  readonly char: string;
  readonly length: number;
  readonly opens: boolean;
  readonly closes: boolean;
  /** Marks that are not used up: they are text. */
  left: number;
  /** What ends here, and then what begins here, each from the inside out. */
  readonly ended: Kind[];
  readonly begun: Kind[];
  before: Run | undefined;
  after: Run | undefined;
}

interface Bracket {
  /** Where it is among the pieces, and where the text within it begins. */
  readonly piece: number;
  readonly start: number;
  readonly isImage: boolean;
  /** The last run before it. */
  readonly run: Run | undefined;
}

/** What a text is cut into, before it is known what belongs together. */
type Piece =
  | { kind: "node"; node: Inline }
  | { kind: "run"; run: Run }
  | { kind: "begin"; mark: string; address: string }
  | { kind: "end"; mark: string };

export function inlinesOf(text: string, reading: Reading = {}): Inline[] {
  return treeOf(new Pieces(text, reading).pieces);
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
  readonly #brackets: Bracket[] = [];
  /** Links hold no links: brackets before this one begin none. */
  #inactive = 0;
  #lastRun: Run | undefined;
  #pos = 0;

  constructor(text: string, { isSource, unfinished, isCell }: Reading) {
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

  /** What a sticky pattern finds here, which is passed then. */
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
    // As if it ended where the text does.
    const isBegun = this.#unfinished && (BLANK.test(before) || PUNCTUATION.test(before));
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
    const [before, after] = [characterBefore(this.#text, from), characterAt(this.#text, to)];
    const [blankBefore, blankAfter] = [BLANK.test(before), BLANK.test(after)];
    const [markBefore, markAfter] = [PUNCTUATION.test(before), PUNCTUATION.test(after)];
    const left = !blankAfter && (!markAfter || blankBefore || markBefore || CJK.test(before));
    const right = !blankBefore && (!markBefore || blankAfter || markAfter || CJK.test(after));
    const opens = left && (char !== "_" || !right || markBefore);
    const closes = right && (char !== "_" || !left || markAfter);
    const run: Run = {
      ...{ char, length, opens, closes, left: length, ended: [], begun: [] },
      ...{ before: this.#lastRun, after: undefined },
    };
    if (this.#lastRun !== undefined) this.#lastRun.after = run;
    this.#lastRun = run;
    this.pieces.push({ kind: "run", run });
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
      ...{ piece: this.pieces.length, start, isImage: mark === "![", run: this.#lastRun },
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
      // A link whose text is a citation is one. Where its target is a sentence, nothing of it is lost.
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

  /** The address in parentheses that makes a link of the brackets before it, which is passed then. */
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

  /** It holds no white space, and as many parentheses open as close. */
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

  /** Finds which runs after this one belong together, and forgets them: the algorithm of CommonMark. */
  #emphasize(bottom: Run | undefined): void {
    /** Below these, nothing was found for a run like it. */
    const searched = new Map<string, Run | undefined>();
    let closer = this.#lastRun;
    while (closer !== undefined && closer.before !== bottom) closer = closer.before;
    while (closer !== undefined) {
      if (!closer.closes) {
        closer = closer.after;
        continue;
      }
      const key = `${closer.char}${closer.opens}${closer.length % 3}`;
      const least = searched.has(key) ? searched.get(key) : bottom;
      let opener = closer.before;
      while (opener !== bottom && opener !== least && opener !== undefined) {
        if (matches(opener, closer)) break;
        opener = opener.before;
      }
      if (opener === bottom || opener === least || opener === undefined) {
        searched.set(key, closer.before);
        const next: Run | undefined = closer.after;
        if (!closer.opens) this.#forget(closer);
        closer = next;
        continue;
      }
      const isStrong = opener.left >= 2 && closer.left >= 2;
      const kind = closer.char === "~" ? "strike" : isStrong ? "strong" : "emphasis";
      opener.begun.push(kind);
      closer.ended.push(kind);
      opener.left -= isStrong ? 2 : 1;
      closer.left -= isStrong ? 2 : 1;
      opener.after = closer;
      closer.before = opener;
      if (opener.left === 0) this.#forget(opener);
      if (closer.left > 0) continue;
      const next: Run | undefined = closer.after;
      this.#forget(closer);
      closer = next;
    }
    if (this.#unfinished && bottom === undefined) this.#endWhatBegan();
    this.#lastRun = bottom;
    if (bottom !== undefined) bottom.after = undefined;
  }

  #forget(run: Run): void {
    if (run.before !== undefined) run.before.after = run.after;
    if (run.after !== undefined) run.after.before = run.before;
    else if (this.#lastRun === run) this.#lastRun = run.before;
  }

  /** Of an unfinished text: single marks seldom begin anything, and are left as they are. */
  #endWhatBegan(): void {
    const run: Run = {
      ...{ char: "", length: 0, opens: false, closes: true, left: 0, ended: [], begun: [] },
      ...{ before: undefined, after: undefined },
    };
    for (let begun = this.#lastRun; begun !== undefined; begun = begun.before) {
      if (!begun.opens || begun.closes || begun.left < 2) continue;
      const kind = begun.char === "~" ? "strike" : "strong";
      begun.left -= 2;
      begun.begun.push(kind);
      run.ended.push(kind);
    }
    this.pieces.push({ kind: "run", run });
  }
}

function matches(opener: Run, closer: Run): boolean {
  if (opener.char !== closer.char || !opener.opens) return false;
  const isEither = closer.opens || opener.closes;
  const isThird = (opener.length + closer.length) % 3 === 0;
  return !isEither || !isThird || (opener.length % 3 === 0 && closer.length % 3 === 0);
}

function unescaped(address: string): string {
  return address.replace(ESCAPED, (all, char) => char ?? decoded(all));
}

/** What an entity is written for; the ones that are not known stay as they are. */
function decoded(entity: string): string {
  ENTITY.lastIndex = 0;
  const [, decimal, hexadecimal, name = ""] = ENTITY.exec(entity) ?? [];
  const digits = decimal ?? hexadecimal;
  if (digits === undefined) return Object.hasOwn(ENTITIES, name) ? `${ENTITIES[name]}` : entity;
  const code = Number.parseInt(digits, decimal === undefined ? 16 : 10);
  const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : "\uFFFD";
}

function characterBefore(text: string, at: number): string {
  const code = text.charCodeAt(at - 1);
  return code >= 0xdc00 && code <= 0xdfff ? text.slice(at - 2, at) : text.slice(at - 1, at);
}

function characterAt(text: string, at: number): string {
  return at < text.length ? String.fromCodePoint(text.codePointAt(at) ?? 0) : "";
}

interface Frame {
  readonly children: Inline[];
  readonly finish: (children: Inline[]) => Inline;
  readonly isLink: boolean;
}

/** What was found, as a tree. */
function treeOf(pieces: readonly Piece[]): Inline[] {
  const root: Inline[] = [];
  const open: Frame[] = [];
  /** How many that are open have no element, since they are too deep or links within a link. */
  const marks: (string | undefined)[] = [];
  let links = 0;

  const top = () => open.at(-1)?.children ?? root;
  const begin = (mark: string, isLink: boolean, finish: (children: Inline[]) => Inline) => {
    const isTooDeep = open.length >= DEPTH_MAX;
    if (isTooDeep || (isLink && links > 0)) {
      marks.push(isTooDeep ? mark : "");
      if (isTooDeep) append(top(), { kind: "text", text: mark });
      return;
    }
    marks.push(undefined);
    if (isLink) links += 1;
    open.push({ children: [], finish, isLink });
  };
  const end = (mark: string) => {
    const began = marks.pop();
    if (began !== undefined) {
      if (began !== "") append(top(), { kind: "text", text: mark });
      return;
    }
    const frame = open.pop() as Frame;
    if (frame.isLink) links -= 1;
    const { children } = frame;
    append(top(), frame.finish(frame.isLink || links > 0 ? children : withLinks(children)));
  };

  for (const piece of pieces) {
    switch (piece.kind) {
      case "node":
        append(top(), links > 0 ? withoutAction(piece.node) : piece.node);
        break;
      case "begin":
        begin(piece.mark, true, (words) => linkTo(piece.address, words));
        break;
      case "end":
        end(piece.mark);
        break;
      case "run": {
        const { ended, begun, char, left } = piece.run;
        for (const kind of ended) end(markOf(char, kind));
        if (left > 0) append(top(), { kind: "text", text: char.repeat(left) });
        for (const kind of begun.toReversed()) {
          begin(markOf(char, kind), false, (children) => ({ kind, children }));
        }
      }
    }
  }
  return withLinks(root);
}

/** A link without words is called what it leads to. */
function linkTo(address: string, words: readonly Inline[]): Inline {
  const children: readonly Inline[] = words.length > 0 ? words : [{ kind: "text", text: address }];
  return { kind: "link", address, children };
}

function markOf(char: string, kind: Kind): string {
  return kind === "emphasis" ? char : char + char;
}

/** Adds it; text goes with the text before it, and punctuation with the citation before it. */
function append(children: Inline[], node: Inline): void {
  if (node.kind !== "text") {
    children.push(node);
    return;
  }
  let { text } = node;
  const last = children.at(-1);
  if (last?.kind === "citation") {
    const closing = CLOSING.exec(text)?.[0] ?? "";
    children[children.length - 1] = { ...last, closing: last.closing + closing };
    text = text.slice(closing.length);
  } else if (last?.kind === "text") {
    children.pop();
    text = last.text + text;
  }
  if (text !== "") children.push({ kind: "text", text });
}

/** Within a link nothing else can be opened. */
function withoutAction(node: Inline): Inline {
  if (node.kind === "citation") return { kind: "text", text: `[${node.numbers.join(", ")}]` };
  return node.kind === "link" ? (node.children[0] ?? node) : node;
}

/** With bare addresses as links. */
function withLinks(children: readonly Inline[]): Inline[] {
  return children.flatMap((child) => (child.kind === "text" ? linked(child.text) : [child]));
}

function linked(text: string): Inline[] {
  const parts: Inline[] = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = addressIn(found);
    parts.push({ kind: "text", text: text.slice(from, index) });
    parts.push({ kind: "link", address, children: [{ kind: "text", text: address }] });
    from = index + address.length;
  }
  parts.push({ kind: "text", text: text.slice(from) });
  return parts.filter((part) => part.kind !== "text" || part.text !== "");
}

/** An address in running text, without what follows it there. */
function addressIn(text: string): string {
  const over = text.search(AFTER_ADDRESS);
  let length = over === -1 ? text.length : over;
  const of = (char: string) => text.slice(0, length).split(char).length;
  let surplus = of(")") - of("(");
  for (; length > 0; length -= 1) {
    const char = text.charAt(length - 1);
    if (char === ")" && surplus > 0) surplus -= 1;
    else if (!SENTENCE_END.includes(char)) break;
  }
  return text.slice(0, length);
}
