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
  /** What the time is to be less than, in ms, at the speed of this machine. */
  readonly msMax: number;
  /**
   * The power of the length by which the time grows: 1 linear, 2 quadratic.
   * 0 where the time is too short to tell.
   */
  readonly exponent: number;
}

type Cost = (length: number) => number | Promise<number>;

interface Bounds {
  /** The shortest and the longest input, in UTF-16 units. */
  readonly from: number;
  readonly to: number;
  /** What the longest input may cost, in ms. A slower machine gets more. */
  readonly msMax?: number;
  /** The exponent above which a reader is measured again, and over longer inputs. */
  readonly suspectExponent?: number;
}

/** A quadratic reader shows more than this, a linear one less, however dear memory is. */
export const EXPONENT_MAX = 1.6;

/** Above this a reader is suspect. Noise, caches and garbage collection bring a linear one near it. */
const SUSPECT_EXPONENT = 1.4;

/** In ms. A shorter time says more about the machine than the reader. */
const TELLING_MS = 4;
/** In ms. A first time this long needs no repetition. */
const TRUSTED_MS = 200;
/** Numbers of doublings over which the exponent is taken. */
const DOUBLINGS = { least: 2, most: 3 };
const TRIES = 3;
/** A text of twice the length that takes less than this times as long was not read to its end. */
const READ_ON_MIN = 1.25;
/** In ms. What takes longer is not read at twice the length. */
const BEYOND_MS_MAX = 1_000;
const BEYOND_DOUBLINGS = 4;
/** A mean is of this many readings, or of as many as take this long, in ms. */
const MEAN = { readings: 20, ms: 50 };
/** Readings of a short text are repeated up to this time (ms) or count. */
const MEASURED_MS = 12;
const READINGS_MAX = 200;
/** What is slow takes many times its bound. Machines slow down unequally: some more in memory, some in recursion. */
const SLACK = 2;
/** CPU time of `calculate` in ms, where the bounds of times were set. */
const CALCULATION_MS = 20;
const CALCULATIONS = 8;
const FRESH_LISTS = 8;
const FRESH_LENGTH = 50_000;
/** The first calculations are slower: nothing is compiled yet. */
const WARM_UPS = 3;

/**
 * `cost` reads one input of the given length and returns its CPU time in ms.
 * What looks superlinear, or too long, is measured again:
 * a clock that jumps or a busy machine shows once, a slow reader each time.
 */
export async function growth(cost: Cost, bounds: Bounds): Promise<Growth> {
  const { msMax = Number.POSITIVE_INFINITY, suspectExponent = SUSPECT_EXPONENT } = bounds;
  let measured = await grow(cost, bounds, suspectExponent);
  for (let i = 1; i < TRIES && measured.exponent > suspectExponent; i += 1) {
    const again = await grow((length) => meanOf(cost, length), bounds, suspectExponent);
    if (again.exponent < measured.exponent) measured = again;
  }
  const { length } = measured;
  const isLinear = measured.exponent <= suspectExponent;
  const exponent = isLinear ? measured.exponent : await beyond(cost, measured, suspectExponent);
  const timed = await timeBelow(msMax, measured.ms, () => cost(length));
  return { length, exponent, ...timed };
}

/**
 * A time and its bound, both in ms. A time over the bound gets a larger one, and is measured
 * again if it is over that too: this is to find what is slow, not to tell the speed.
 */
export async function timeBelow(
  msMax: number,
  firstMs: number,
  cost: () => number | Promise<number>,
): Promise<{ readonly ms: number; readonly msMax: number }> {
  if (firstMs < msMax) return { ms: firstMs, msMax };
  const larger = msMax * slowness() * SLACK;
  let ms = firstMs;
  for (let i = 1; i < TRIES && ms >= larger; i += 1) ms = Math.min(ms, await cost());
  return { ms, msMax: larger };
}

async function grow(
  cost: Cost,
  { from, to }: Bounds,
  suspectExponent: number,
): Promise<Pick<Growth, "length" | "ms" | "exponent">> {
  const times: number[] = [];
  for (let length = from; ; length *= 2) {
    // The exponent compares the last time with one of the first.
    // If that was too long, it would hide a slow reader.
    const isFirst = length === from || length * 2 ** DOUBLINGS.least <= to;
    let ms = isFirst ? await leastOf(cost, length) : await cost(length);
    let exponent = exponentOf([...times, ms]);
    const isLast = length * 2 > to;
    // A last time that is too long only accuses a fast reader.
    if (isLast && exponent > suspectExponent && ms < TRUSTED_MS) {
      ms = Math.min(ms, await leastOf(cost, length));
      exponent = exponentOf([...times, ms]);
    }
    times.push(ms);
    // Shown already; the next doubling would only take longer.
    const isShown = exponent > suspectExponent && ms > TRUSTED_MS;
    if (isLast || isShown) return { length, ms, exponent };
  }
}

/**
 * The exponent over longer inputs. Arrays above a length get pages of their own from
 * the kernel, which cost some machines 10 µs each: there a linear reader leaps once.
 * A reader that is not linear grows on as fast.
 */
async function beyond(
  cost: Cost,
  { length, ms, exponent }: Pick<Growth, "length" | "ms" | "exponent">,
  suspectExponent: number,
): Promise<number> {
  const times = [Math.min(ms, await leastOf(cost, length))];
  let least = exponent;
  for (let i = 1; i <= BEYOND_DOUBLINGS && (times.at(-1) ?? 0) < BEYOND_MS_MAX; i += 1) {
    times.push(await leastOf(cost, length * 2 ** i));
    // A longer text may be refused, which says nothing of its reader.
    if ((times[i] ?? 0) < READ_ON_MIN * (times[i - 1] ?? 0)) return exponent;
    if (least <= suspectExponent) break;
    // What looks linear must go on once more: after the last doubling nothing can show it.
    if (i >= DOUBLINGS.least && i < BEYOND_DOUBLINGS) least = exponentOf(times);
  }
  return least;
}

/** The clock of a thread may go in steps of 4 ms: the mean of many says more. */
async function meanOf(cost: Cost, length: number): Promise<number> {
  let sum = 0;
  for (let readings = 1; ; readings += 1) {
    sum += await cost(length);
    if (sum > MEAN.ms || readings === MEAN.readings) return sum / readings;
  }
}

async function leastOf(cost: Cost, length: number): Promise<number> {
  let least = await cost(length);
  for (let i = 1; i < TRIES && least < TRUSTED_MS; i += 1) {
    least = Math.min(least, await cost(length));
  }
  return least;
}

/** The least of the exponents over the last doublings, so that one leap before them accuses nobody. */
function exponentOf(times: readonly number[]): number {
  const last = times.at(-1) ?? 0;
  if (last < TELLING_MS || times.length === 1) return 0;
  const exponents = Object.values(DOUBLINGS).map((most) => {
    const doublings = Math.min(most, times.length - 1);
    return Math.log2(last / Math.max(times.at(-1 - doublings) ?? 0, 0.01)) / doublings;
  });
  return Math.min(...exponents);
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

/**
 * How many times slower this machine is than the one on which the bounds of
 * times were set; 1 if it is faster.
 */
function slowness(): number {
  const times = Array.from({ length: CALCULATIONS }, () => cpuMs(calculate)).slice(WARM_UPS);
  const meanMs = times.reduce((sum, ms) => sum + ms) / times.length;
  return Math.max(1, meanMs / CALCULATION_MS);
}

/** Work like a reader's. It calls no reader, whose slowness it would hide. */
function calculate(): void {
  let text = "";
  for (let n = 0; n < 60_000; n += 1) text += `word${(n * 7_919) % 10_007} and `;
  const counts = new Map<string, number>();
  for (const [word] of text.matchAll(/\w+/g)) counts.set(word, (counts.get(word) ?? 0) + 1);
  [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  // Memory that the kernel has to give, as a reader's long lists need it.
  for (let n = 0; n < FRESH_LISTS; n += 1) Array.from({ length: FRESH_LENGTH }, (_, i) => i);
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
