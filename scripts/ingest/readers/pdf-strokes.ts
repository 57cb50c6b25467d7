// The straight lines that a PDF page draws: those of tables, whether they are stroked, thin boxes, or the
// sides of filled cells. Pure.

import { IDENTITY, type Matrix, moved, type Point, times } from "./pdf-matrix.ts";

/** Along one axis, in points from the left and the bottom of the page. */
export interface Stroke {
  readonly isHorizontal: boolean;
  /** Its place on the other axis. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

/** What PDF.js calls an operator list. */
export interface Operators {
  readonly fnArray: readonly number[];
  readonly argsArray: readonly unknown[];
}

/** The numbers of the operators, as PDF.js names them. */
export type OperatorNumbers = Readonly<Record<string, number>>;

/** A box that is thinner, in points, is a line. */
const THIN = 3;
/** Shorter lines are letters that are drawn, and bullets. */
const LENGTH_MIN = 8;
/** Parts of a line that are nearer are joined: dashes, and the sides of cells. */
const GAP_MAX = 4;
/** A page with more is a drawing: of sides, and of the lines that they make. */
const SIDES_MAX = 50_000;
const STROKES_MAX = 1_000;
/** A path with more is a drawing. */
const POINTS_MAX = 32;
/** The operators of a path, and how many numbers follow each. */
const [MOVE, LINE, CURVE, QUADRATIC, CLOSE] = [0, 1, 2, 3, 4];
const NUMBERS = new Map([
  [MOVE, 2],
  [LINE, 2],
  [CURVE, 6],
  [QUADRATIC, 4],
  [CLOSE, 0],
]);

/** None for a page that is a drawing. `page` turns the page as it is shown. */
export function strokesOf(operators: Operators, names: OperatorNumbers, page: Matrix): Stroke[] {
  const sides: Stroke[] = [];
  const saved: Matrix[] = [];
  let matrix = page;
  for (const [i, operator] of operators.fnArray.entries()) {
    const args = operators.argsArray[i] as readonly unknown[] | null;
    if (operator === names.save) saved.push(matrix);
    // As PDF.js does, an end without a beginning changes nothing.
    else if (operator === names.restore) matrix = saved.pop() ?? matrix;
    else if (operator === names.transform) matrix = times(matrix, args as unknown as Matrix);
    else if (operator === names.paintFormXObjectBegin) {
      saved.push(matrix);
      matrix = times(matrix, (args?.[0] as Matrix | null | undefined) ?? IDENTITY);
    } else if (operator === names.paintFormXObjectEnd) matrix = saved.pop() ?? matrix;
    else if (operator === names.constructPath && args !== null && args[0] !== names.endPath) {
      for (const points of pathsOf((args[1] as readonly [ArrayLike<number> | null])[0])) {
        sides.push(...sidesOf(points.map((point) => moved(point, matrix))));
      }
      if (sides.length > SIDES_MAX) return [];
    }
  }
  const strokes = joined(sides).filter(({ from, to }) => to - from > LENGTH_MIN);
  return strokes.length > STROKES_MAX ? [] : strokes;
}

/** The corners of each part that is made of straight lines. */
function pathsOf(data: ArrayLike<number> | null): Point[][] {
  const paths: Point[][] = [];
  let open: Point[] = [];
  let isStraight = true;
  const close = () => {
    if (isStraight && open.length > 1) paths.push(open);
    open = [];
    isStraight = true;
  };
  for (let i = 0; data !== null && i < data.length; ) {
    const operator = data[i] as number;
    const count = NUMBERS.get(operator);
    if (count === undefined) return [];
    if (operator === MOVE) close();
    if (count > 2 || open.length === POINTS_MAX) isStraight = false;
    else if (count === 2) open.push([data[i + 1] as number, data[i + 2] as number]);
    i += count + 1;
  }
  close();
  return paths;
}

function sidesOf(points: readonly Point[]): Stroke[] {
  const [left, right] = extent(points.map(([x]) => x));
  const [bottom, top] = extent(points.map(([, y]) => y));
  if (top - bottom < THIN) {
    return [{ isHorizontal: true, at: (top + bottom) / 2, from: left, to: right }];
  }
  if (right - left < THIN) {
    return [{ isHorizontal: false, at: (left + right) / 2, from: bottom, to: top }];
  }
  const closed = [...points, ...points.slice(0, 1)];
  return closed.slice(1).flatMap(([x, y], i) => {
    const [x0, y0] = closed[i] as Point;
    const [isHorizontal, isVertical] = [Math.abs(y - y0) < 0.5, Math.abs(x - x0) < 0.5];
    if (isHorizontal === isVertical) return [];
    const [from, to] = extent(isHorizontal ? [x0, x] : [y0, y]);
    return [{ isHorizontal, at: isHorizontal ? y : x, from, to }];
  });
}

/** Sides that continue each other, as one. */
function joined(sides: readonly Stroke[]): Stroke[] {
  const lines = Map.groupBy(sides, ({ isHorizontal, at }) => `${isHorizontal} ${Math.round(at)}`);
  return [...lines.values()].flatMap((parts) => {
    const strokes: { -readonly [Key in keyof Stroke]: Stroke[Key] }[] = [];
    for (const part of parts.sort((a, b) => a.from - b.from)) {
      const last = strokes.at(-1);
      if (last !== undefined && part.from < last.to + GAP_MAX) last.to = Math.max(last.to, part.to);
      else strokes.push({ ...part });
    }
    return strokes;
  });
}

function extent(numbers: readonly number[]): [number, number] {
  return [Math.min(...numbers), Math.max(...numbers)];
}
