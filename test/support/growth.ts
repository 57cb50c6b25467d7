// How the time of a computation grows with its input.
// It doubles the input and compares CPU times,
// so that other load on the machine matters little.
// For every reader of text from outside.

/** Writes a text of about a given length that could make a reader slow. */
export type Shape = (length: number) => string;

export interface Growth {
  /**
   * The longest input that was read, in UTF-16 units, and its CPU time in ms.
   */
  readonly length: number;
  readonly ms: number;
  /**
   * The power of the length by which the time grows: 1 linear, 2 quadratic.
   * 0 where the time is too short to tell.
   */
  readonly exponent: number;
}

interface Bounds {
  /** The shortest and the longest input, in UTF-16 units. */
  readonly from: number;
  readonly to: number;
}

/** Noise, caches and garbage collection make linear look like at most this. */
export const EXPONENT_MAX = 1.4;

/** In ms. A shorter time says more about the machine than the reader. */
const TELLING_MS = 4;
/** In ms. A measurement this long needs no repetition. */
const TRUSTED_MS = 200;
/** Number of doublings over which the exponent is taken. */
const DOUBLINGS = 3;
const TRIES = 3;
/** In ms. A longer time is many steps of a clock. */
const STEPS_MS = 50;
/** Readings of a short text are repeated up to this time (ms) or count. */
const MEASURED_MS = 12;
const READINGS_MAX = 200;

/**
 * `cost` reads one input of the given length and returns its CPU time in ms.
 * A short time that looks superlinear is measured again: a clock that jumps
 * shows once, a slow reader each time.
 */
export async function growth(
  cost: (length: number) => number | Promise<number>,
  bounds: Bounds,
): Promise<Growth> {
  let measured = await grow(cost, bounds);
  for (let i = 1; i < TRIES; i += 1) {
    if (measured.exponent <= EXPONENT_MAX || measured.ms > TRUSTED_MS) break;
    const again = await grow((length) => meanOf(cost, length), bounds);
    if (again.exponent < measured.exponent) measured = again;
  }
  return measured;
}

async function grow(
  cost: (length: number) => number | Promise<number>,
  { from, to }: Bounds,
): Promise<Growth> {
  const times: number[] = [];
  for (let length = from; ; length *= 2) {
    // The exponent compares the last time with one of the first.
    // If that was too long, it would hide a slow reader.
    const isFirst = length === from || length * 2 ** DOUBLINGS <= to;
    let ms = isFirst ? await leastOf(cost, length) : await cost(length);
    let exponent = exponentOf([...times, ms]);
    const isLast = length * 2 > to;
    // A last time that is too long only accuses a fast reader.
    if (isLast && exponent > EXPONENT_MAX && ms < TRUSTED_MS) {
      ms = Math.min(ms, await leastOf(cost, length));
      exponent = exponentOf([...times, ms]);
    }
    times.push(ms);
    // Shown already; the next doubling would only take longer.
    const isShown = exponent > EXPONENT_MAX && ms > TRUSTED_MS;
    if (isLast || isShown) return { length, ms, exponent };
  }
}

/** The clock of a thread may go in steps of 4 ms: the mean of many says more. */
async function meanOf(
  cost: (length: number) => number | Promise<number>,
  length: number,
): Promise<number> {
  let sum = 0;
  for (let readings = 1; ; readings += 1) {
    sum += await cost(length);
    if (sum > STEPS_MS || readings === READINGS_MAX) return sum / readings;
  }
}

async function leastOf(
  cost: (length: number) => number | Promise<number>,
  length: number,
): Promise<number> {
  let least = await cost(length);
  for (let i = 1; i < TRIES && least < TRUSTED_MS; i += 1) {
    least = Math.min(least, await cost(length));
  }
  return least;
}

function exponentOf(times: readonly number[]): number {
  const last = times.at(-1) ?? 0;
  const doublings = Math.min(DOUBLINGS, times.length - 1);
  const first = times.at(-1 - doublings) ?? 0;
  if (last < TELLING_MS || doublings === 0) return 0;
  return Math.log2(last / Math.max(first, 0.01)) / doublings;
}

/** CPU time of a synchronous reader, in ms. Only in Node. */
export function cpuMs(read: () => unknown): number {
  nap();
  const start = process.threadCpuUsage();
  read();
  nap();
  return sinceMs(start);
}

/**
 * The same for an async reader. The text is read repeatedly,
 * since the clock is coarse.
 */
export async function readingMs(read: () => unknown): Promise<number> {
  nap();
  const start = process.threadCpuUsage();
  for (let readings = 1; ; readings += 1) {
    await read();
    const ms = sinceMs(start);
    if (ms > MEASURED_MS || readings === READINGS_MAX) return ms / readings;
  }
}

function sinceMs(start: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1_000;
}

const NAP = new Int32Array(new SharedArrayBuffer(4));

/** The kernel updates a thread's CPU time when it stops, else every 4 ms. */
function nap(): void {
  Atomics.wait(NAP, 0, 0, 0.05);
}

/** Copies of a text, up to about a length. */
export function repeated(text: string): Shape {
  return (length) => text.repeat(Math.max(1, Math.ceil(length / text.length)));
}

/** Numbered pieces, up to about a length. */
export function numbered(piece: (n: number) => string): Shape {
  return (length) => {
    let text = "";
    for (let n = 0; text.length < length; n += 1) text += piece(n);
    return text;
  };
}

/** Fills the length between two texts with copies of a third, or a shape. */
export function between(before: string, inside: string | Shape, after: string): Shape {
  const shape = typeof inside === "string" ? repeated(inside) : inside;
  return (length) => before + shape(length - before.length - after.length) + after;
}
