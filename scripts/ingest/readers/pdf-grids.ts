// Tables of a PDF page whose cells are drawn: which text is in which cell. Pure.

import { type Item, linesOf } from "./pdf-lines.ts";
import type { Stroke } from "./pdf-strokes.ts";

/** Strokes that are nearer, in points, are one line. */
const NEAR = 3;
/** Narrower columns and lower rows are borders that are drawn twice. */
const CELL_MIN = 6;
/** Of its cells. A chart has a grid too, and little text in it. */
const FILLED_SHARE = 0.5;

/** A page without width has no second column. */
const ONE_COLUMN = 0;

interface Grid {
  /** Ascending. */
  readonly xs: readonly number[];
  /** Descending, as a page is read. */
  readonly ys: readonly number[];
  readonly strokes: readonly Stroke[];
}

/** Each table becomes one item, at its upper left corner, in the place of what is in its cells. */
export function withGrids(items: readonly Item[], strokes: readonly Stroke[]): Item[] {
  let others = [...items];
  const tables: Item[] = [];
  for (const grid of gridsOf(strokes)) {
    const inside = new Map<string, Item[]>();
    const outside: Item[] = [];
    for (const item of others) {
      const cell = cellOf(grid, item);
      if (cell === undefined) outside.push(item);
      else inside.set(cell, [...(inside.get(cell) ?? []), item]);
    }
    const rows = rowsOf(grid, inside);
    if (rows === undefined) continue;
    others = outside;
    const [[x = 0], [y = 0]] = [grid.xs, grid.ys];
    const width = (grid.xs.at(-1) ?? x) - x;
    tables.push({
      text: rows.flat().join(" "),
      x,
      y,
      width,
      size: 0,
      isCode: false,
      isBold: false,
      rows,
    });
  }
  return [...others, ...tables];
}

/** Of strokes that meet. */
function gridsOf(strokes: readonly Stroke[]): Grid[] {
  const grids: Grid[] = [];
  for (const group of groupsOf(strokes)) {
    const at = (isHorizontal: boolean) =>
      places(group.filter((one) => one.isHorizontal === isHorizontal).map((one) => one.at));
    const [xs, ys] = [at(false), at(true).reverse()];
    if (xs.length > 2 && ys.length > 2) grids.push({ xs, ys, strokes: group });
  }
  return grids;
}

function groupsOf(strokes: readonly Stroke[]): Stroke[][] {
  const left = new Set(strokes);
  const groups: Stroke[][] = [];
  for (const first of left) {
    left.delete(first);
    const group = [first];
    for (const one of group) {
      for (const other of left) {
        if (!meet(one, other)) continue;
        left.delete(other);
        group.push(other);
      }
    }
    groups.push(group);
  }
  return groups;
}

function meet(one: Stroke, other: Stroke): boolean {
  if (one.isHorizontal === other.isHorizontal) {
    const isOnOneLine = Math.abs(one.at - other.at) < NEAR;
    return isOnOneLine && one.from < other.to + NEAR && other.from < one.to + NEAR;
  }
  return isWithin(one.at, other) && isWithin(other.at, one);
}

function isWithin(place: number, { from, to }: Stroke): boolean {
  return place > from - NEAR && place < to + NEAR;
}

/** Ascending, and apart. */
function places(all: readonly number[]): number[] {
  const apart: number[] = [];
  for (const place of [...all].sort((a, b) => a - b)) {
    if (place - (apart.at(-1) ?? Number.NEGATIVE_INFINITY) > CELL_MIN) apart.push(place);
  }
  return apart;
}

/** The column and row of an item's middle, or of the cell that it is joined to. */
function cellOf(grid: Grid, { x, y, width, size }: Item): string | undefined {
  const middle = { x: x + width / 2, y: y + size * 0.3 };
  let column = grid.xs.findLastIndex((place) => place < middle.x);
  let row = grid.ys.findLastIndex((place) => place > middle.y);
  if (column < 0 || row < 0 || column > grid.xs.length - 2 || row > grid.ys.length - 2) return;
  const isDrawn = (isHorizontal: boolean, place: number, through: number) =>
    grid.strokes.some(
      (one) =>
        one.isHorizontal === isHorizontal &&
        Math.abs(one.at - place) <= CELL_MIN &&
        isWithin(through, one),
    );
  while (column > 0 && !isDrawn(false, grid.xs[column] ?? 0, middle.y)) column -= 1;
  while (row > 0 && !isDrawn(true, grid.ys[row] ?? 0, middle.x)) row -= 1;
  return `${column} ${row}`;
}

/** Undefined if it is no table. */
function rowsOf(grid: Grid, inside: ReadonlyMap<string, readonly Item[]>): string[][] | undefined {
  const columns = grid.xs.slice(1).map((_, column) => column);
  const rows = grid.ys
    .slice(1)
    .map((_, row) => columns.map((column) => textOf(inside.get(`${column} ${row}`) ?? [])))
    .filter((row) => row.some((text) => text !== ""));
  const used = columns.filter((column) => rows.some((row) => row[column] !== ""));
  const filled = rows.flat().filter((text) => text !== "").length;
  if (rows.length < 2 || used.length < 2) return undefined;
  if (filled < rows.length * used.length * FILLED_SHARE) return undefined;
  return rows.map((row) => used.map((column) => row[column] ?? ""));
}

function textOf(items: readonly Item[]): string {
  const lines = linesOf(items, ONE_COLUMN);
  return lines.map(({ text }) => text.trim()).join("\n");
}
