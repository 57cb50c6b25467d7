// Where a PDF page draws the cells of a table: by lines that meet. Pure.

import type { Stroke } from "./pdf-strokes.ts";

/** Strokes that are nearer, in points, meet. */
export const NEAR = 3;
/** Narrower columns and lower rows are borders that are drawn twice. */
const CELL_MIN = 6;
/** A page with more is a drawing. */
const CELLS_MAX = 20_000;

export interface Grid {
  /** Ascending. */
  readonly xs: readonly number[];
  /** Descending, as a page is read. */
  readonly ys: readonly number[];
  readonly across: readonly Stroke[];
  readonly down: readonly Stroke[];
  /** Whether lines are drawn between rows only. */
  readonly isRuled: boolean;
}

export function gridsOf(strokes: readonly Stroke[]): Grid[] {
  return groupsOf(strokes).flatMap((group) => {
    const across = group.filter(({ isHorizontal }) => isHorizontal);
    const down = group.filter(({ isHorizontal }) => !isHorizontal);
    // Where a side is open, or its corners are round, the other lines end at it.
    const xs = places([...down.map(({ at }) => at), ...ends(across)]);
    const ys = places([...across.map(({ at }) => at), ...ends(down)]).reverse();
    const isGrid = xs.length > 2 && ys.length > 2 && across.length > 0 && down.length > 0;
    const isTooLarge = xs.length * ys.length > CELLS_MAX;
    return isGrid && !isTooLarge ? [{ xs, ys, across, down, isRuled: false }] : [];
  });
}

/** Whether there is a vertical line at a place, at a height. */
export function isDrawnDown({ down }: Grid, x: number, y: number): boolean {
  return down.some((one) => Math.abs(one.at - x) <= CELL_MIN && isWithin(y, one));
}

export function isDrawnAcross({ across }: Grid, y: number, x: number): boolean {
  return across.some((one) => Math.abs(one.at - y) <= CELL_MIN && isWithin(x, one));
}

/** Ascending, and apart. */
export function places(all: readonly number[]): number[] {
  const apart: number[] = [];
  for (const place of [...all].sort((a, b) => a - b)) {
    if (place - (apart.at(-1) ?? Number.NEGATIVE_INFINITY) > CELL_MIN) apart.push(place);
  }
  return apart;
}

/** Where most strokes begin and end. */
function ends(strokes: readonly Stroke[]): number[] {
  const from = strokes.map((one) => one.from).sort((a, b) => a - b);
  const to = strokes.map((one) => one.to).sort((a, b) => a - b);
  const middle = strokes.length >> 1;
  return strokes.length < 2 ? [] : [from[middle] as number, to[middle] as number];
}

/** Of strokes that meet. */
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
