// The lines of a PDF page in reading order, from its pieces of text. Pure.

import { isFullWidth } from "./pdf-characters.ts";
import { isSign } from "./pdf-text.ts";

export interface Item {
  readonly text: string;
  /** In points, from the left and from the bottom of the page. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly size: number;
  readonly isCode: boolean;
  readonly isBold: boolean;
  /** The cells of a table whose lines are drawn, each a text of one or more lines. */
  readonly rows?: readonly (readonly string[])[];
}

/** What is on one line of a column. Wide gaps part its cells. */
export interface Line extends Item {
  /** The cells of a row; one if it is no row of a table. */
  readonly cells: readonly { readonly text: string; readonly x: number }[];
  /** Where the column begins in which the line is. */
  readonly column: number;
}

type Piece = Item & { readonly end: number };

/** What code ends with before full-width characters: themselves, a sign of a comment, or a quote. */
const MAY_BE_WIDE =
  /(?:[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}]|\/\/|\/\*|#|--)\s*$|["'`>{]$/u;

const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}]/u;

/** In sizes of the font. */
const SAME_LINE = 0.4;
const SPACE_MIN = 0.15;
const GAP_MIN = 2;
const GAPS_DIFFER = 1.05;
const JUSTIFIED_MAX = 4;
/** Lines that a column has at least. */
const COLUMN_LINES_MIN = 5;
/** A line is full if it has this share of the width of its column. */
const COLUMN_FILL = 0.75;
const COLUMN_SHARE = 0.5;

/** In one column without the width of a page, in points. */
export function linesOf(items: readonly Item[], pageWidth?: number): Line[] {
  const pieces = piecesOf(items);
  const gutter = pageWidth === undefined ? undefined : gutterOf(pieces.flatMap(rowsIn), pageWidth);
  if (gutter === undefined) return rowsOf(pieces, 0);
  // Text across both columns comes between what is above and below it.
  const lines: Line[] = [];
  let band: Piece[] = [];
  const close = () => {
    lines.push(
      ...rowsOf(
        band.filter((piece) => piece.end <= gutter + 1),
        0,
      ),
    );
    lines.push(
      ...rowsOf(
        band.filter((piece) => piece.end > gutter + 1),
        gutter,
      ),
    );
    band = [];
  };
  for (const piece of [...pieces].sort((a, b) => b.y - a.y)) {
    if (piece.x < gutter - 2 && piece.end > gutter + 2) {
      close();
      lines.push(...rowsOf([piece], 0));
    } else band.push(piece);
  }
  close();
  return lines;
}

/** Joins what follows on the same line. */
function piecesOf(items: readonly Item[]): Piece[] {
  const pieces: Piece[] = [];
  let open: { -readonly [Key in keyof Piece]: Piece[Key] } | undefined;
  for (const item of items) {
    const isSpace = item.text.trim() === "";
    const gap = open === undefined ? 0 : item.x - open.end;
    if (
      open !== undefined &&
      open.rows === undefined &&
      item.rows === undefined &&
      Math.abs(item.y - open.y) <= SAME_LINE * Math.max(item.size, open.size) &&
      gap > -SAME_LINE * open.size &&
      gap < GAP_MIN * open.size
    ) {
      const isSpaced = gap > SPACE_MIN * open.size && !/\s$/.test(open.text) && !isSpace;
      // Comments and texts in code are set in another font, if they are of full-width characters.
      open.isCode &&=
        isSpace || item.isCode || (isFullWidth(item.text) && MAY_BE_WIDE.test(open.text));
      open.text += (isSpaced ? " " : "") + item.text;
      if (!isSpace) {
        open.isBold &&= item.isBold;
        open.size = Math.max(open.size, item.size);
        open.end = item.x + item.width;
        open.width = open.end - open.x;
      } else if (gap + item.width < GAP_MIN * open.size)
        open.end = Math.max(open.end, item.x + item.width);
      continue;
    }
    if (isSpace) continue;
    open = { ...item, end: item.x + item.width };
    pieces.push(open);
  }
  return pieces;
}

/** A table counts as its rows. */
function rowsIn(piece: Piece): Piece[] {
  return piece.rows?.map((_, i) => ({ ...piece, y: piece.y - i })) ?? [piece];
}

/** Where the gap between two columns is; undefined for one column. */
function gutterOf(pieces: readonly Piece[], pageWidth: number): number | undefined {
  let best: { x: number; crossing: number } | undefined;
  for (let x = pageWidth * 0.35; x <= pageWidth * 0.65; x += 3) {
    const left = pieces.filter((piece) => piece.end <= x);
    const right = pieces.filter((piece) => piece.x >= x);
    const crossing = pieces.length - left.length - right.length;
    if (left.length < COLUMN_LINES_MIN || right.length < COLUMN_LINES_MIN) continue;
    if (crossing > pieces.length * 0.35) continue;
    // Cells of a table are short; the lines of a column fill it.
    const least = COLUMN_FILL * Math.min(x, pageWidth - x) * 0.8;
    if (fullShare(left, least) < COLUMN_SHARE || fullShare(right, least) < COLUMN_SHARE) continue;
    if (best === undefined || crossing < best.crossing) best = { x, crossing };
  }
  return best?.x;
}

/** The share of lines that are at least this wide. */
function fullShare(pieces: readonly Piece[], width: number): number {
  const rows = new Map<number, { from: number; to: number }>();
  for (const { x, y, end } of pieces) {
    const key = Math.round(y);
    const row = rows.get(key) ?? { from: x, to: end };
    rows.set(key, { from: Math.min(row.from, x), to: Math.max(row.to, end) });
  }
  const full = [...rows.values()].filter(({ from, to }) => to - from > width);
  return full.length / rows.size;
}

/** From the top. Pieces on one line are the cells of a row. */
function rowsOf(pieces: readonly Piece[], column: number): Line[] {
  const rows: Piece[][] = [];
  for (const piece of [...pieces].sort((a, b) => b.y - a.y)) {
    const row = rows.at(-1);
    const [first] = row ?? [];
    if (
      row !== undefined &&
      first !== undefined &&
      first.rows === undefined &&
      piece.rows === undefined &&
      first.y - piece.y <= SAME_LINE * Math.max(first.size, piece.size)
    ) {
      row.push(piece);
    } else rows.push([piece]);
  }
  return rows.map((row) => {
    const isFromRight = row.every(({ text }) => RIGHT_TO_LEFT.test(text));
    row.sort((a, b) => (isFromRight ? b.x - a.x : a.x - b.x));
    const [first] = row as [Piece];
    const left = Math.min(...row.map(({ x }) => x));
    const words =
      isFromRight || isJustified(row)
        ? [{ ...first, text: row.map(({ text }) => text).join(" ") }]
        : row;
    const cells = words.map(({ text, x }) => ({ text: text.trim(), x }));
    return {
      ...first,
      x: left,
      text: row.map(({ text }) => text.trimEnd()).join(" "),
      size: Math.max(...row.map(({ size }) => size)),
      width: Math.max(...row.map(({ end }) => end)) - left,
      isCode: row.every((piece) => piece.isCode),
      isBold: row.every((piece) => piece.isBold),
      // A bullet and its text are no cells.
      cells: row.length === 2 && isSign(cells[0]?.text ?? "") ? [{ text: "", x: left }] : cells,
      column,
    };
  });
}

/** Text that is stretched to the width of its column has equal gaps. */
function isJustified(row: readonly Piece[]): boolean {
  if (row.length < 3 || row.some(({ text }) => /\S\s\S/.test(text))) return false;
  const gaps = row.slice(1).map((piece, i) => piece.x - (row[i]?.end ?? 0));
  const widest = Math.max(...gaps);
  return widest < Math.min(...gaps) * GAPS_DIFFER && widest < JUSTIFIED_MAX * (row[0]?.size ?? 0);
}
