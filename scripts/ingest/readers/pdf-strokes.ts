// The straight lines that a PDF page draws: those of tables, whether they are stroked, thin boxes, or the
// sides of filled cells. Pure.

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

type Matrix = readonly [number, number, number, number, number, number];
type Point = readonly [number, number];

/** A box that is thinner, in points, is a line. */
const THIN = 3;
/** Shorter strokes are letters that are drawn, and bullets. */
const LENGTH_MIN = 8;
/** A page with more is a drawing. */
const STROKES_MAX = 2_000;
/** A path with more is a drawing. */
const POINTS_MAX = 32;
const IDENTITY: Matrix = [1, 0, 0, 1, 0, 0];
/** The operators of a path, and how many numbers follow each. */
const [MOVE, LINE, CURVE, QUADRATIC, CLOSE] = [0, 1, 2, 3, 4];
const NUMBERS = new Map([
  [MOVE, 2],
  [LINE, 2],
  [CURVE, 6],
  [QUADRATIC, 4],
  [CLOSE, 0],
]);

/** None for a page that is a drawing. */
export function strokesOf(operators: Operators, names: OperatorNumbers): Stroke[] {
  const strokes = new Map<string, Stroke>();
  const saved: Matrix[] = [];
  let matrix = IDENTITY;
  const unpainted = names.endPath;
  for (const [i, operator] of operators.fnArray.entries()) {
    const args = operators.argsArray[i] as readonly unknown[] | null;
    if (operator === names.save) saved.push(matrix);
    else if (operator === names.restore) matrix = saved.pop() ?? IDENTITY;
    else if (operator === names.transform) matrix = times(matrix, args as unknown as Matrix);
    else if (operator === names.paintFormXObjectBegin) {
      saved.push(matrix);
      if (args?.[0]) matrix = times(matrix, args[0] as Matrix);
    } else if (operator === names.paintFormXObjectEnd) matrix = saved.pop() ?? IDENTITY;
    else if (operator === names.constructPath && args !== null && args[0] !== unpainted) {
      for (const points of pathsOf((args[1] as readonly [ArrayLike<number> | null])[0])) {
        for (const stroke of sidesOf(points.map((point) => moved(point, matrix)))) {
          const { isHorizontal, at, from, to } = stroke;
          strokes.set([isHorizontal, ...[at, from, to].map(Math.round)].join(), stroke);
        }
      }
      if (strokes.size > STROKES_MAX) return [];
    }
  }
  return [...strokes.values()];
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
    if (count > 2) isStraight = false;
    else if (open.length === POINTS_MAX) isStraight = false;
    else if (count === 2) open.push([data[i + 1] as number, data[i + 2] as number]);
    i += count + 1;
  }
  close();
  return paths;
}

function sidesOf(points: readonly Point[]): Stroke[] {
  const [left, right] = extent(points.map(([x]) => x));
  const [bottom, top] = extent(points.map(([, y]) => y));
  const isFlat = top - bottom < THIN;
  if (isFlat || right - left < THIN) {
    const stroke = isFlat
      ? { isHorizontal: true, at: (top + bottom) / 2, from: left, to: right }
      : { isHorizontal: false, at: (left + right) / 2, from: bottom, to: top };
    return stroke.to - stroke.from < LENGTH_MIN ? [] : [stroke];
  }
  const closed = [...points, ...points.slice(0, 1)];
  return closed.slice(1).flatMap(([x, y], i) => {
    const [x0, y0] = closed[i] as Point;
    const [isHorizontal, isVertical] = [Math.abs(y - y0) < 0.5, Math.abs(x - x0) < 0.5];
    if (isHorizontal === isVertical) return [];
    const [from, to] = extent(isHorizontal ? [x0, x] : [y0, y]);
    if (to - from < LENGTH_MIN) return [];
    return [{ isHorizontal, at: isHorizontal ? y : x, from, to }];
  });
}

function extent(numbers: readonly number[]): [number, number] {
  return [Math.min(...numbers), Math.max(...numbers)];
}

function moved([x, y]: Point, [a, b, c, d, e, f]: Matrix): Point {
  return [a * x + c * y + e, b * x + d * y + f];
}

/** The second is applied first, as in PDF. */
function times([a, b, c, d, e, f]: Matrix, [g, h, i, j, k, l]: Matrix): Matrix {
  return [
    ...[a * g + c * h, b * g + d * h, a * i + c * j],
    ...[b * i + d * j, a * k + c * l + e, b * k + d * l + f],
  ] as unknown as Matrix;
}
