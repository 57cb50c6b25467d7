// The inlines of one Markdown block: CommonMark with strikethrough,
// bare addresses and citations, without HTML. Linear in the text. Pure.

import { AFTER_ADDRESS } from "./bare-addresses.ts";
import { CodeSpans } from "./code-spans.ts";
import { endOf, isBoundary, type Mark, markOf, pair, type Run, runOf } from "./emphasis.ts";
import { ESCAPED, unescaped } from "./entities.ts";
import { type Inline, linkOf, type Piece, textOf, treeOf } from "./inline-tree.ts";

export interface InlineOptions {
  /** Whether a number belongs to a source. A mark without one is text. */
  readonly isSource?: (n: number) => boolean;
  /** More text follows. Open code and strong text end here for now. */
  readonly unfinished?: boolean;
  /** It is a table's cell: only `<br>` breaks a line. */
  readonly isCell?: boolean;
}

const NUMBERS = String.raw`\s{0,2}[1-9]\d{0,2}(?:\s{0,2}[,，、]\s{0,2}[1-9]\d{0,2})*\s{0,2}`;
/** The marks of some models are `【1†source】`. */
export const CITATION = String.raw`\[${NUMBERS}\]|【${NUMBERS}(?:†[^】\n]{0,80})?】`;
const CITATION_HERE = new RegExp(CITATION, "y");
/** What is between brackets around citations. */
const ONLY_CITATIONS = /^[\d\s,，、[\]]{0,200}$/;

/** Marks, or the text up to the next. */
const TOKEN = /[^\\`*_~[\]!<&\n【]+|`+|\*+|_+|~+|!?\[|\\?\n|./sy;
/** Web and mail only: `<std::string>` is no address. */
const ANGLED = /<((https?:\/\/|mailto:)[^\s<>]*|[^\s<>@\\]+@[\w.-]+)>/iy;
const BREAK = /<br ?\/?>/iy;
/** A reference definition. It is shown as text, and its label cites nothing. */
const DEFINITION = /^\[[^\]\n]+\]:(?=[ \t]*<?(?:[a-z][a-z\d+.-]*:|[/.#])\S*(?:[ \t]+["'(].*)?$)/imy;

/** An address has no white space, and balanced parentheses, three deep. */
const CHARACTER = String.raw`\\[^\s\p{Cc}]|[^\s\p{Cc}()\\]`;
const within = (inside: string) => String.raw`${CHARACTER}|\((?:${inside})*\)`;
const ADDRESS = within(within(within(CHARACTER)));
const TITLE = String.raw`"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|\((?:[^()\\]|\\[^])*\)`;
/** The address in parentheses after a link's text. */
const TARGET = new RegExp(
  String.raw`\([ \t\n]*(?:<((?:[^<>\n\\]|\\.)+)>|(?!<)((?:${ADDRESS}){1,2048}))(?:[ \t\n]+(?:${TITLE}))?[ \t\n]*\)`,
  "uy",
);
/** Characters of a sentence that no address of a citation has. */
const SENTENCE = new RegExp(`[${AFTER_ADDRESS}\\]]`);

interface Bracket {
  readonly mark: Mark;
  /** The offset of what is in it. */
  readonly start: number;
  /** The number of runs before it. */
  readonly runs: number;
}

/** The numbers of a citation. */
export function numbersOf(citation: string): number[] {
  return (citation.replace(/†.*/, "").match(/\d+/g) ?? []).map(Number);
}

export function inlinesOf(
  text: string,
  { isSource = () => true, unfinished = false, isCell = false }: InlineOptions = {},
): Inline[] {
  const pieces: Piece[] = [];
  const spans = new CodeSpans(text);
  const runs: Run[] = [];
  const brackets: Bracket[] = [];
  /** A link holds no link: earlier brackets than this open none. */
  let inactive = 0;
  let at = 0;

  /** Matches a sticky pattern, and moves past what it matched. */
  const read = (pattern: RegExp, from = at) => {
    pattern.lastIndex = from;
    const found = pattern.exec(text) ?? undefined;
    if (found !== undefined) at = pattern.lastIndex;
    return found;
  };

  const add = (text: string) => {
    pieces.push(textOf(text));
  };

  const addCode = (mark: string) => {
    const before = text.charAt(at - mark.length - 1);
    const end = spans.closing(mark.length, at);
    // Open code of an unfinished text ends where the text does.
    if (end === undefined && !(unfinished && isBoundary(before) && /\S/.test(text.charAt(at)))) {
      add(mark);
      return;
    }
    const code = text.slice(at, end).replaceAll("\n", " ");
    pieces.push({ kind: "code", text: code.replace(/^ (?! *$)(.*) $/s, "$1") });
    at = end === undefined ? text.length : end + mark.length;
  };

  const readTarget = () => {
    const target = read(TARGET);
    return target && unescaped(target[1] ?? target[2] ?? "");
  };

  /** Adds the citation that begins here, if one does. */
  const addCitation = (mark: string) => {
    const from = at;
    const citation = read(CITATION_HERE, from - 1)?.[0];
    if (citation === undefined) return false;
    const numbers = numbersOf(citation);
    const end = at;
    // `[1](address)` is a citation, and `![1](address)` is an image.
    const address = mark === "【" ? undefined : readTarget();
    if ((mark === "![" && address !== undefined) || !numbers.some(isSource)) {
      at = from;
      return false;
    }
    // A target that is a sentence stays text.
    if (SENTENCE.test(address ?? "")) at = end;
    if (mark === "![") add("!");
    pieces.push({ kind: "citation", numbers, closing: "" });
    inactive = brackets.length;
    return true;
  };

  const openBracket = (text: string) => {
    const mark = markOf(text);
    pieces.push(mark);
    brackets.push({ mark, start: at, runs: runs.length });
  };

  const closeBracket = () => {
    const bracket = brackets.pop();
    const isActive = brackets.length >= inactive;
    inactive = Math.min(inactive, brackets.length);
    const end = at;
    const isImage = bracket?.mark.text === "![";
    const isCitations = !isActive && ONLY_CITATIONS.test(text.slice(bracket?.start, end - 1));
    const address = bracket && (isActive || isImage || isCitations) ? readTarget() : undefined;
    if (bracket === undefined || address === undefined) {
      add("]");
      return;
    }
    bracket.mark.text = "";
    if (isCitations) return;
    // A link without text shows its address.
    if (bracket.start === end - 1) add(address);
    pair(runs.splice(bracket.runs));
    bracket.mark.begun.push({ kind: "link", address });
    pieces.push({ ...markOf(""), ended: 1 });
    if (!isImage) inactive = brackets.length;
  };

  while (at < text.length) {
    const from = at;
    const token = read(TOKEN)?.[0] ?? "";
    switch (token.at(-1)) {
      case "\n":
        pieces.push({ kind: "break" });
        break;
      case "\\":
      case "&":
        add(unescaped(read(ESCAPED, from)?.[0] ?? token));
        break;
      case "`":
        addCode(token);
        break;
      case "~":
      case "*":
      case "_": {
        const run = runOf(text, from, at);
        pieces.push(run);
        if (token === "~~" || run.char !== "~") runs.push(run);
        break;
      }
      case "[": {
        const label = read(DEFINITION, from)?.[0];
        if (label !== undefined) add(label);
        else if (!addCitation(token)) openBracket(token);
        break;
      }
      case "]":
        closeBracket();
        break;
      case "【":
        if (!addCitation(token)) add(token);
        break;
      case "<":
        if (isCell && read(BREAK, from)) pieces.push({ kind: "break" });
        else {
          const [, address, scheme] = read(ANGLED, from) ?? [];
          if (address === undefined) add(token);
          else pieces.push(linkOf(scheme ? address : `mailto:${address}`, address));
        }
        break;
      default:
        add(token);
    }
  }
  const open = pair(runs);
  if (unfinished) pieces.push(endOf(open));
  return treeOf(pieces);
}
