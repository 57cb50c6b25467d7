// Styled text, broken into lines of a terminal. Pure.

import { styleText } from "node:util";
import { printable } from "../printable.ts";

type Format = Exclude<Extract<Parameters<typeof styleText>[0], string>, "none">;

/** Text in one style. */
export interface Run {
  readonly text: string;
  readonly style: readonly Format[];
}

export type Line = readonly Run[];

/** What a terminal shows as one character. */
interface Cell {
  readonly text: string;
  readonly style: readonly Format[];
  readonly columns: number;
}

const TAB = "    ";
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\p{Emoji_Presentation}\u3000-\u303e\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
/** The selector after U+2764 and the like makes them wide. */
const NARROW_MARK = /(?!\ufe0f)[\p{Mn}\p{Me}\p{Cf}]/u;
const ASCII = /^[\x20-\x7e]*$/;
/** They do not begin a line. */
const CLOSING = /^[\p{Pe}\p{Pf}\p{Po}ー々]/u;
const GRAPHEMES = new Intl.Segmenter();

export function run(text: string, ...style: readonly Format[]): Run {
  return { text, style };
}

/**
 * The columns that a text takes. Terminals differ about joined emoji: it counts
 * the most, so that no line is too long.
 */
export function columnsOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let columns = 0;
  for (const character of text) {
    columns += WIDE.test(character) ? 2 : NARROW_MARK.test(character) ? 0 : 1;
  }
  return columns;
}

/** Breaks lines between words, and in words that are longer than a line. */
export function wrap(runs: readonly Run[], width: number): Line[] {
  const lines: Line[] = [];
  let line: Cell[] = [];
  let columns = 0;
  /** The line may break before this cell; 0 if it may not. */
  let breakAt = 0;
  const end = (rest: Cell[] = []) => {
    lines.push(lineOf(line));
    line = rest;
    columns = rest.reduce((sum, cell) => sum + cell.columns, 0);
    breakAt = 0;
  };
  for (const cell of cellsOf(runs)) {
    const previous = line.at(-1);
    const isSpace = cell.text === " ";
    if (cell.text === "\n") {
      end();
      continue;
    }
    if (previous !== undefined && !isSpace && mayBreak(previous, cell)) breakAt = line.length;
    while (line.length > 0 && columns + cell.columns > width) {
      end(isSpace ? [] : line.splice(breakAt || line.length));
    }
    // Spaces at a break are dropped.
    if (isSpace && line.length === 0 && lines.length > 0) continue;
    line.push(cell);
    columns += cell.columns;
  }
  if (line.length > 0 || lines.length === 0) end();
  return lines;
}

function mayBreak(previous: Cell, next: Cell): boolean {
  if (previous.text === " ") return true;
  return (previous.columns > 1 || next.columns > 1) && !CLOSING.test(next.text);
}

/** Puts `first` before the first line, and `next` before each other. */
export function indented(lines: readonly Line[], first: Run, next: Run): Line[] {
  return lines.map((line, i) => {
    const prefix = i === 0 ? first : next;
    return line.length === 0 && prefix.text.trim() === "" ? [] : [prefix, ...line];
  });
}

/** With escape sequences where the terminal has styles. */
export function painted(line: Line, isStyled: boolean): string {
  return line
    .map(({ text, style }) =>
      isStyled && style.length > 0 ? styleText([...style], text, { validateStream: false }) : text,
    )
    .join("");
}

/** The text as a terminal may show it: no control characters but line feeds. */
function shown(text: string): string {
  return text
    .split("\n")
    .map((part) => printable(part.replaceAll("\t", TAB), Infinity))
    .join("\n");
}

function cellsOf(runs: readonly Run[]): Cell[] {
  return runs.flatMap(({ text, style }) =>
    Array.from(GRAPHEMES.segment(shown(text)), ({ segment }) => ({
      text: segment,
      style,
      columns: columnsOf(segment),
    })),
  );
}

/** Without spaces at the end. */
function lineOf(cells: readonly Cell[]): Line {
  const runs: { text: string; style: readonly Format[] }[] = [];
  for (const { text, style } of cells.slice(
    0,
    cells.findLastIndex(({ text }) => text !== " ") + 1,
  )) {
    const last = runs.at(-1);
    if (last?.style === style) last.text += text;
    else runs.push({ text, style });
  }
  return runs;
}
