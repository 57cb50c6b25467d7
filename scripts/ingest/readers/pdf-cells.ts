// Tables of a PDF page whose lines are drawn: which text is in which cell. Pure.

import { type Grid, gridsOf, isDrawnAcross, isDrawnDown, NEAR } from "./pdf-grid.ts";
import { type Item, type Line, linesOf } from "./pdf-lines.ts";
import { ruledOf } from "./pdf-rules.ts";
import type { Stroke } from "./pdf-strokes.ts";

/** Of its cells. A chart has a grid too, and little text in it. */
const FILLED_SHARE = 0.5;
/** A cell that has more lines, or larger ones above others, is a part of a page. */
const CELL_LINES_MAX = 30;
const CELL_CODE_MAX = 3;
const HEADED_LINES = 4;
const LARGER = 1.12;
/** Two neighbours with at least this number of lines, half of which are full, are columns of text. */
const RULED_LINES = 5;
const COLUMN_LINES = 12;
const FULL = 0.75;
/** In sizes of the font: lines of several cells that are as high are a row. */
const SAME_LINE = 0.3;
/** At least this number of lines in each cell are rows, if lines are drawn between other rows. */
const ROWS_MIN = 4;

type Cell = readonly Line[];

/** Each table becomes one item, at its upper left corner, in the place of what is in its cells. */
export function withDrawnTables(items: readonly Item[], strokes: readonly Stroke[]): Item[] {
  let others: readonly Item[] = items;
  const tables: Item[] = [];
  for (const grid of [...gridsOf(strokes), ...ruledOf(items, strokes)]) {
    const { inside, outside } = parted(grid, others);
    const rows = rowsOf(grid, inside);
    if (rows === undefined) continue;
    others = outside;
    const [x = 0, y = 0] = [grid.xs[0], grid.ys[0]];
    const width = (grid.xs.at(-1) ?? x) - x;
    const text = rows.flat().join(" ");
    tables.push({ text, x, y, width, size: 0, isCode: false, isBold: false, rows });
  }
  return [...others, ...tables];
}

/** What is in each cell, by column and row, and what is in none. */
function parted(grid: Grid, items: readonly Item[]) {
  const inside = new Map<string, Item[]>();
  const outside: Item[] = [];
  for (const item of items) {
    for (const part of partsOf(grid, item)) {
      const cell = cellOf(grid, part);
      if (cell === undefined) outside.push(part);
      else {
        const all = inside.get(cell);
        if (all === undefined) inside.set(cell, [part]);
        else all.push(part);
      }
    }
  }
  return { inside, outside };
}

/** An item over drawn lines is cut at the spaces that are nearest to them. */
function partsOf(grid: Grid, item: Item): Item[] {
  const parts: Item[] = [];
  let rest = item;
  for (const at of grid.xs) {
    const { text, x, width, size } = rest;
    if (at < x + NEAR || at > x + width - NEAR) continue;
    const middle = rest.y + size * 0.3;
    if (middle > (grid.ys[0] ?? 0) || middle < (grid.ys.at(-1) ?? 0)) break;
    const space = spaceNear(text, Math.round(((at - x) / width) * text.length));
    if (space === undefined || !isDrawnDown(grid, at, middle)) continue;
    parts.push({ ...rest, text: text.slice(0, space), width: at - x });
    rest = { ...rest, text: text.slice(space + 1), x: at, width: x + width - at };
  }
  return [...parts, rest];
}

/** The place of the nearest space, if there is text on both sides of it. */
function spaceNear(text: string, wanted: number): number | undefined {
  const [before, after] = [text.lastIndexOf(" ", wanted), text.indexOf(" ", wanted)];
  const isAfter = before <= 0 || (after > 0 && after - wanted < wanted - before);
  const space = isAfter ? after : before;
  return space > 0 && space < text.length - 1 ? space : undefined;
}

/** Where its middle is, or the first cell of those that are joined there. */
function cellOf(grid: Grid, { x, y, width, size }: Item): string | undefined {
  const middle = { x: x + width / 2, y: y + size * 0.3 };
  let column = grid.xs.findLastIndex((place) => place < middle.x);
  let row = grid.ys.findLastIndex((place) => place > middle.y);
  if (column < 0 || row < 0 || column > grid.xs.length - 2 || row > grid.ys.length - 2) return;
  const isOpen = (place: number) => x < place - NEAR && !isDrawnDown(grid, place, middle.y);
  while (column > 0 && isOpen(grid.xs[column] ?? 0)) column -= 1;
  while (row > 0 && !isDrawnAcross(grid, grid.ys[row] ?? 0, middle.x)) row -= 1;
  return `${column} ${row}`;
}

/** Undefined if it is no table. */
function rowsOf(grid: Grid, inside: ReadonlyMap<string, readonly Item[]>): string[][] | undefined {
  const bands = grid.ys
    .slice(1)
    .map((_, row) =>
      grid.xs.slice(1).map((_, column) => linesOf(inside.get(`${column} ${row}`) ?? [])),
    );
  if (isLayout(grid, bands)) return undefined;
  const used = grid.xs
    .slice(1)
    .flatMap((_, column) => (bands.some((band) => band[column]?.length) ? [column] : []));
  let above: readonly Cell[] = [];
  const rows = bands.flatMap((band, i) => {
    if (band.every((cell) => cell.length === 0)) return [];
    above = used.map((column, n) => {
      const cell = band[column] ?? [];
      const middle = ((grid.xs[column] ?? 0) + (grid.xs[column + 1] ?? 0)) / 2;
      const isJoined = cell.length === 0 && !isDrawnAcross(grid, grid.ys[i] ?? 0, middle);
      // A cell of several rows says the same of each.
      return isJoined ? (above[n] ?? []) : cell;
    });
    return split(above, bands.length, grid.isRuled);
  });
  const filled = rows.flat().filter((text) => text !== "").length;
  if (rows.length < 2 || used.length < 2) return undefined;
  return filled < rows.length * used.length * FILLED_SHARE ? undefined : rows;
}

/** Pages are made of boxes and rules too, with headings, code and columns of text between them. */
function isLayout(grid: Grid, bands: readonly (readonly Cell[])[]): boolean {
  const cells = bands.flat();
  if (cells.some((cell) => cell.length > CELL_LINES_MAX)) return true;
  if (cells.some((cell) => cell.length >= HEADED_LINES && hasLarger(cell))) return true;
  if (bands.some((band) => hasColumns(grid, band))) return true;
  if (!grid.isRuled) return false;
  const codeOf = (cell: Cell) => cell.filter(({ isCode }) => isCode).length;
  return hasLarger(cells.flat()) || cells.some((cell) => codeOf(cell) > CELL_CODE_MAX);
}

function hasLarger(lines: readonly Line[]): boolean {
  const sizes = lines
    .filter(({ isCode }) => !isCode)
    .map(({ size }) => size)
    .sort((a, b) => a - b);
  return (sizes.at(-1) ?? 0) > (sizes[0] ?? 0) * LARGER;
}

function hasColumns({ xs, isRuled }: Grid, band: readonly Cell[]): boolean {
  const least = isRuled ? RULED_LINES : COLUMN_LINES;
  const isColumn = band.map((cell, column) => {
    const width = (xs[column + 1] ?? 0) - (xs[column] ?? 0);
    const full = cell.filter((line) => line.width > width * FULL).length;
    return cell.length >= least && full * 2 >= cell.length;
  });
  return isColumn.some((one, column) => one && isColumn[column + 1] === true);
}

/** The rows between two drawn lines. `bands` says how many parts of the table there are. */
function split(cells: readonly Cell[], bands: number, isRuled: boolean): string[][] {
  if (areRows(cells, bands)) {
    const [first = []] = cells.filter((cell) => cell.length > 0);
    return first.map((_, i) => cells.map((cell) => cell[i]?.text.trim() ?? ""));
  }
  const named = isRuled && bands === 2 ? namedRows(cells) : undefined;
  return named ?? [cells.map(textOf)];
}

/** Whether each line is in all columns. */
function areRows(cells: readonly Cell[], bands: number): boolean {
  const full = cells.filter((cell) => cell.length > 0);
  const [first = []] = full;
  const isLevel = (line: Line, i: number) =>
    Math.abs(line.y - (first[i]?.y ?? 0)) < line.size * SAME_LINE;
  return (
    full.length > 1 &&
    first.length >= (bands > 2 ? ROWS_MIN : 2) &&
    full.every((cell) => cell.length === first.length && cell.every(isLevel))
  );
}

/** Each row begins with a line in the first column. Undefined if another column begins above it. */
function namedRows(cells: readonly Cell[]): string[][] | undefined {
  const [names = []] = cells;
  const rowOf = ({ y, size }: Line) => names.findLastIndex((name) => name.y > y - size * SAME_LINE);
  if (names.length < 2 || cells.flat().some((line) => rowOf(line) < 0)) return undefined;
  return names.map((_, row) =>
    cells.map((cell) => textOf(cell.filter((line) => rowOf(line) === row))),
  );
}

function textOf(cell: Cell): string {
  return cell.map(({ text }) => text.trim()).join("\n");
}
