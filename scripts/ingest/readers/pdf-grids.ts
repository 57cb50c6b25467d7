// Tables of a PDF page whose cells are drawn: which text is in which cell. Pure.

import { type Item, type Line, linesOf } from "./pdf-lines.ts";
import type { Stroke } from "./pdf-strokes.ts";

/** Strokes that are nearer, in points, meet. */
const NEAR = 3;
/** Narrower columns and lower rows are borders that are drawn twice. */
const CELL_MIN = 6;
/** Of its cells. A chart has a grid too, and little text in it. */
const FILLED_SHARE = 0.5;
/** A cell that has more lines, or larger ones above others, is a part of a page. */
const CELL_LINES_MAX = 30;
const CELL_CODE_MAX = 3;
const HEADED_LINES = 4;
const LARGER = 1.12;
/** In sizes of the font: lines of several cells that are as high are a row. */
const SAME_LINE = 0.3;

/** In sizes of the font: a gap this wide in all lines between two rules is between columns. */
const COLUMN_GAP = 0.45;

interface Grid {
  /** Ascending. */
  readonly xs: readonly number[];
  /** Descending, as a page is read. */
  readonly ys: readonly number[];
  readonly strokes: readonly Stroke[];
  /** Whether there are rules above and below it only, and none between columns. */
  readonly isRuled: boolean;
}

/** The lines of each cell, by row and column. */
type Cells = readonly (readonly (readonly Line[])[])[];

/** Each table becomes one item, at its upper left corner, in the place of what is in its cells. */
export function withGrids(items: readonly Item[], strokes: readonly Stroke[]): Item[] {
  let others: readonly Item[] = items;
  const tables: Item[] = [];
  for (const grid of [...gridsOf(strokes), ...ruledOf(items, strokes)]) {
    const { inside, outside } = parted(grid, others);
    const rows = tableOf(grid, inside);
    if (rows === undefined) continue;
    others = outside;
    const [x = 0, y = 0] = [grid.xs[0], grid.ys[0]];
    const width = (grid.xs.at(-1) ?? x) - x;
    const text = rows.flat().join(" ");
    tables.push({ text, x, y, width, size: 0, isCode: false, isBold: false, rows });
  }
  return [...others, ...tables];
}

/** Of strokes that meet. */
function gridsOf(strokes: readonly Stroke[]): Grid[] {
  return groupsOf(strokes).flatMap((group) => {
    const { true: across = [], false: down = [] } = Object.groupBy(group, (one) =>
      one.isHorizontal ? "true" : "false",
    );
    // Where a side is open, or its corners are round, the other lines end at it.
    const xs = places([...down.map(({ at }) => at), ...ends(across)]);
    const ys = places([...across.map(({ at }) => at), ...ends(down)]).reverse();
    const isGrid = xs.length > 2 && ys.length > 2 && across.length > 0 && down.length > 0;
    return isGrid ? [{ xs, ys, strokes: group, isRuled: false }] : [];
  });
}

/** Between rules that are as wide, where the same gaps are in all lines. */
function ruledOf(items: readonly Item[], strokes: readonly Stroke[]): Grid[] {
  const across = strokes.filter(({ isHorizontal }) => isHorizontal);
  const sets = Map.groupBy(
    across,
    ({ from, to }) => `${Math.round(from / NEAR)} ${Math.round(to / NEAR)}`,
  );
  return [...sets.values()].flatMap((rules) => {
    const grids: Grid[] = [];
    const ys = places(rules.map(({ at }) => at)).reverse();
    const { from, to } = rules[0] as Stroke;
    let first = 0;
    let gaps: Gap[] = [];
    const close = (last: number) => {
      const inner = gaps.map(([left, right]) => (left + right) / 2);
      const between = ys.slice(first, last + 1);
      if (inner.length > 0 && between.length > 2) {
        const [top = 0, bottom = 0] = [between[0], between.at(-1)];
        const sides = inner.map((at) => ({ isHorizontal: false, at, from: bottom, to: top }));
        const xs = [from, ...inner, to];
        grids.push({ xs, ys: between, strokes: [...rules, ...sides], isRuled: true });
      }
    };
    ys.slice(1).forEach((bottom, i) => {
      const inBand = items.filter(({ x, y, width, rows }) => {
        const isBetween = y > bottom && y < (ys[i] as number);
        return isBetween && rows === undefined && x > from - NEAR && x + width < to + NEAR;
      });
      const own = gapsOf(inBand);
      const common = i === first ? own : shared(gaps, own);
      if (common.length === 0) {
        close(i);
        first = own.length === 0 ? i + 1 : i;
      }
      gaps = common.length === 0 ? own : common;
    });
    close(ys.length - 1);
    return grids;
  });
}

type Gap = readonly [number, number];

/** Where no text is, between the leftmost and the rightmost. */
function gapsOf(items: readonly Item[]): Gap[] {
  const gaps: Gap[] = [];
  let end: number | undefined;
  const texts = items.filter(({ text }) => text.trim() !== "");
  for (const { x, width, size } of texts.sort((a, b) => a.x - b.x)) {
    if (end !== undefined && x - end > COLUMN_GAP * size) gaps.push([end, x]);
    end = Math.max(end ?? 0, x + width);
  }
  return gaps;
}

function shared(some: readonly Gap[], others: readonly Gap[]): Gap[] {
  return some.flatMap(([left, right]) =>
    others.flatMap(([from, to]): Gap[] => {
      const [start, end] = [Math.max(left, from), Math.min(right, to)];
      return end - start > NEAR ? [[start, end]] : [];
    }),
  );
}

/** The outermost, of most strokes. */
function ends(strokes: readonly Stroke[]): number[] {
  const from = strokes.map((one) => one.from).sort((a, b) => a - b);
  const to = strokes.map((one) => one.to).sort((a, b) => a - b);
  const middle = strokes.length >> 1;
  return strokes.length < 2 ? [] : [from[middle] as number, to[middle] as number];
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

/** What is in each cell, by column and row, and what is in none. */
function parted(grid: Grid, items: readonly Item[]) {
  const inside = new Map<string, Item[]>();
  const outside: Item[] = [];
  for (const item of items) {
    for (const part of item.rows === undefined ? partsOf(grid, item) : [item]) {
      const cell = item.rows === undefined ? cellOf(grid, part) : undefined;
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

/** An item over a drawn line is cut at the space that is nearest to it. */
function partsOf(grid: Grid, item: Item): Item[] {
  const { text, x, y, width } = item;
  const at = grid.xs.find((place) => {
    const isCrossed = place > x + NEAR && place < x + width - NEAR;
    return isCrossed && isDrawn(grid, false, place, y + item.size * 0.3);
  });
  if (at === undefined) return [item];
  const wanted = ((at - x) / width) * text.length;
  const spaces = [...text.matchAll(/\s+/g)].map(({ index, 0: { length } }) => index + length);
  const [space] = spaces.sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted));
  if (space === undefined || space === text.length) return [item];
  const rest = { ...item, text: text.slice(space), x: at, width: x + width - at };
  return [{ ...item, text: text.slice(0, space).trimEnd(), width: at - x }, ...partsOf(grid, rest)];
}

/** Where its middle is, or the first cell of those that are joined there. */
function cellOf(grid: Grid, { x, y, width, size }: Item): string | undefined {
  const middle = { x: x + width / 2, y: y + size * 0.3 };
  let column = grid.xs.findLastIndex((place) => place < middle.x);
  let row = grid.ys.findLastIndex((place) => place > middle.y);
  if (column < 0 || row < 0 || column > grid.xs.length - 2 || row > grid.ys.length - 2) return;
  const isOpen = (place: number) => x < place - NEAR && !isDrawn(grid, false, place, middle.y);
  while (column > 0 && isOpen(grid.xs[column] ?? 0)) column -= 1;
  while (row > 0 && !isDrawn(grid, true, grid.ys[row] ?? 0, middle.x)) row -= 1;
  return `${column} ${row}`;
}

/** Whether there is a line at a place, as far as it crosses another. */
function isDrawn({ strokes }: Grid, isHorizontal: boolean, place: number, through: number) {
  return strokes.some(
    (one) =>
      one.isHorizontal === isHorizontal &&
      Math.abs(one.at - place) <= CELL_MIN &&
      isWithin(through, one),
  );
}

/** Undefined if it is no table. */
function tableOf(grid: Grid, inside: ReadonlyMap<string, readonly Item[]>): string[][] | undefined {
  const cells: Cells = grid.ys
    .slice(1)
    .map((_, row) =>
      grid.xs.slice(1).map((_, column) => linesOf(inside.get(`${column} ${row}`) ?? [])),
    );
  if (cells.flat().some(isLayout) || (grid.isRuled && isOfSections(cells))) return undefined;
  const used = grid.xs
    .slice(1)
    .flatMap((_, column) => (cells.some((row) => row[column]?.length) ? [column] : []));
  const rows = cells.flatMap((row, i) => {
    const own = used.map((column) => row[column] ?? []);
    const above = (column: number) => {
      const [left = 0, right = 0] = [grid.xs[column], grid.xs[column + 1]];
      const isJoined = i > 0 && !isDrawn(grid, true, grid.ys[i] ?? 0, (left + right) / 2);
      return isJoined ? (cells[i - 1]?.[column] ?? []) : [];
    };
    if (own.every((lines) => lines.length === 0)) return [];
    // A cell of several rows says the same of each.
    const whole = own.map((lines, n) => (lines.length > 0 ? lines : above(used[n] ?? 0)));
    return split(whole, cells.length, grid.isRuled);
  });
  const filled = rows.flat().filter((text) => text !== "").length;
  if (rows.length < 2 || used.length < 2) return undefined;
  return filled < rows.length * used.length * FILLED_SHARE ? undefined : rows;
}

/** Pages are made of boxes too, with headings and code in them. */
function isLayout(lines: readonly Line[]): boolean {
  const words = lines.filter(({ isCode }) => !isCode).map(({ size }) => size);
  const isHeaded = lines.length >= HEADED_LINES && Math.max(...words) > Math.min(...words) * LARGER;
  return isHeaded || lines.length > CELL_LINES_MAX;
}

/** Sections are between rules too: with their headings, or with code. */
function isOfSections(cells: Cells): boolean {
  const all = cells.flat();
  const sizes = all.flat().flatMap(({ size, isCode }) => (isCode ? [] : [size]));
  const hasCode = all.some((lines) => lines.filter(({ isCode }) => isCode).length > CELL_CODE_MAX);
  return hasCode || Math.max(...sizes) > Math.min(...sizes) * LARGER;
}

/** Rows without lines between them: each line is in all columns. `bands` are between lines that are drawn. */
function split(cells: readonly (readonly Line[])[], bands: number, isRuled: boolean): string[][] {
  const full = cells.filter((lines) => lines.length > 0);
  const [first = []] = full;
  const areRows =
    first.length >= (full.length > 2 || bands === 2 ? 2 : 3) &&
    full.length > 1 &&
    full.every(
      (lines) =>
        lines.length === first.length &&
        lines.every(({ y, size }, i) => Math.abs(y - (first[i]?.y ?? 0)) < size * SAME_LINE),
    );
  const [names = []] = cells;
  if (!areRows && isRuled && bands === 2 && names.length > 1) {
    // Each begins with a line in the first column.
    const rowOf = ({ y, size }: Line) =>
      Math.max(
        0,
        names.findLastIndex((name) => name.y > y - size * SAME_LINE),
      );
    return names.map((_, row) =>
      cells.map((lines) => textOf(lines.filter((line) => rowOf(line) === row))),
    );
  }
  if (!areRows) return [cells.map(textOf)];
  return first.map((_, i) => cells.map((lines) => lines[i]?.text.trim() ?? ""));
}

function textOf(lines: readonly Line[]): string {
  return lines.map(({ text }) => text.trim()).join("\n");
}
