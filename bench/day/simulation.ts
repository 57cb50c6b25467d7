// The simulation of a day. Searches arrive at random, as do changes of
// documents. Each object works through its queue, first come, first served.

export interface Deployment {
  readonly passages: number;
  readonly copies: number;
  /** CPU of a search, in ms; each takes an exponential time around it. */
  readonly searchMs: number;
  /** CPU of a call to an object, in ms, beside its work. */
  readonly callMs: number;
  /** Documents that change in a day. */
  readonly changes: number;
  /** The part of the searches that goes to each copy. */
  readonly shares: readonly number[];
  /** Searches in each hour, as a share of those in the busiest. */
  readonly hours: readonly number[];
  readonly seed: number;
}

export interface Day {
  /** Searches a second in the busiest hour. */
  readonly peak: number;
  /** The same by arithmetic, without copies' work and unequal shares. */
  readonly byArithmetic: number;
  readonly searches: number;
  /** Wait before a search begins, in ms. */
  readonly p50: number;
  readonly p99: number;
  /** The part of the busiest hour that each is busy. */
  readonly originalLoad: number;
  readonly copyLoad: number;
  /** How often copies asked the original in this day. */
  readonly polls: number;
}

interface Hour {
  readonly waits: Waits;
  /** Per second. */
  readonly polls: number;
  readonly originalLoad: number;
  readonly copyLoad: number;
}

export const PASSAGES_PER_DOCUMENT = 10;

/** CPU of a passage of a changed document, in ms. Measured: docs/copies.md. */
const STORE_MS = 0.27;
const READ_MS = 0.02;
const TAKE_MS = 0.09;

/** As in src/corpus/follower.ts. */
const ASK_AFTER_S = 1;
const FRESH_S = 3;
const SEARCH_WAIT_S = 0.25;
/** Between two objects, there and back. */
const HOP_S = 0.003;

/** Of each hour, as much is simulated as has this many searches. */
const SEARCHES = 400_000;
const SECONDS = { min: 60, max: 3_600 };
const STEPS = 12;

/** The busiest day whose searches wait no longer than `waitMs`, but for one in a hundred. */
export function dayOf(deployment: Deployment, waitMs: number): Day {
  const { hours, searchMs, callMs, copies } = deployment;
  const perObject = rateByArithmetic(searchMs + callMs, waitMs);
  const byArithmetic = perObject * Math.max(1, copies);
  let peak = 0;
  let step = byArithmetic;
  for (let i = 0; i < STEPS; i++) {
    const { waits } = hourOf(deployment, peak + step, 0);
    if (waits.quantile(0.99) <= waitMs) peak += step;
    else step /= 2;
  }
  const all = new Waits();
  let polls = 0;
  for (const [i, share] of hours.entries()) {
    const hour = hourOf(deployment, peak * share, i);
    all.addAll(hour.waits);
    polls += 3600 * hour.polls;
  }
  const busiest = hourOf(deployment, peak, 0);
  const searches = peak * 3600 * hours.reduce((sum, share) => sum + share, 0);
  return {
    ...{ peak, byArithmetic, searches, polls },
    ...{ p50: busiest.waits.quantile(0.5), p99: busiest.waits.quantile(0.99) },
    ...{ originalLoad: busiest.originalLoad, copyLoad: busiest.copyLoad },
  };
}

/**
 * One queue with random arrivals and exponential service (M/M/1) has
 * P(wait > t) = r e^-(m - l)t, with m = 1 / service and r = l / m.
 */
export function rateByArithmetic(serviceMs: number, waitMs: number): number {
  const m = 1000 / serviceMs;
  let low = 0;
  let high = m;
  for (let i = 0; i < 60; i++) {
    const l = (low + high) / 2;
    if ((l / m) * Math.exp((-(m - l) * waitMs) / 1000) <= 0.01) low = l;
    else high = l;
  }
  return low;
}

/** Part of an hour in which searches arrive at this rate, in a second. */
function hourOf(deployment: Deployment, rate: number, hour: number): Hour {
  const { copies, searchMs, callMs, shares, changes, seed } = deployment;
  const random = randomOf(seed * 1_000 + hour);
  const seconds = Math.min(SECONDS.max, Math.max(SECONDS.min, SEARCHES / rate));
  const waits = new Waits();
  const original = new Queue();
  const queues = copies === 0 ? [original] : shares.map(() => new Queue());
  const askedAt = queues.map(() => -FRESH_S);
  const upTo = shares.map((_, i) => shares.slice(0, i + 1).reduce((sum, one) => sum + one, 0));
  const changeRate = changes / 86_400;
  let nextChange = changeRate === 0 ? Number.POSITIVE_INFINITY : gap(random, changeRate);
  let polls = 0;
  for (let now = gap(random, rate); now < seconds; now += gap(random, rate)) {
    while (nextChange <= now) {
      const at = nextChange;
      original.add(at, (PASSAGES_PER_DOCUMENT * STORE_MS + callMs) / 1000);
      if (copies > 0) {
        for (const queue of queues) {
          const read = original.add(at, (PASSAGES_PER_DOCUMENT * READ_MS + 2 * callMs) / 1000);
          queue.add(read + HOP_S, (PASSAGES_PER_DOCUMENT * TAKE_MS + callMs) / 1000);
        }
      }
      nextChange += gap(random, changeRate);
    }
    const draw = random();
    const chosen = upTo.findIndex((bound) => draw < bound);
    const reader = chosen < 0 ? queues.length - 1 : chosen;
    let ready = now;
    if (copies > 0) {
      const age = now - (askedAt[reader] as number);
      if (age > ASK_AFTER_S) {
        polls += 1;
        askedAt[reader] = now;
        const heard = original.add(now + HOP_S / 2, callMs / 1000) + HOP_S / 2;
        if (age > FRESH_S) ready = Math.min(heard, now + SEARCH_WAIT_S);
      }
    }
    const service = (callMs - searchMs * Math.log(1 - random())) / 1000;
    const end = (queues[reader] as Queue).add(ready, service);
    waits.add((end - service - now) * 1000);
  }
  return {
    ...{ waits, polls: polls / seconds, originalLoad: original.busy / seconds },
    copyLoad: copies === 0 ? 0 : Math.max(...queues.map(({ busy }) => busy)) / seconds,
  };
}

/** One object. Times are in seconds. */
class Queue {
  busy = 0;
  #freeAt = 0;

  /** Returns when the work is done. */
  add(at: number, takes: number): number {
    this.#freeAt = Math.max(this.#freeAt, at) + takes;
    this.busy += takes;
    return this.#freeAt;
  }
}

/** Counts of waits, to a tenth of a millisecond. */
class Waits {
  readonly #counts = new Float64Array(100_000);
  #all = 0;

  add(ms: number): void {
    const place = Math.min(this.#counts.length - 1, Math.round(ms * 10));
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.#all += 1;
  }

  addAll(others: Waits): void {
    others.#counts.forEach((count, i) => {
      this.#counts[i] = (this.#counts[i] ?? 0) + count;
    });
    this.#all += others.#all;
  }

  quantile(part: number): number {
    let seen = 0;
    for (const [i, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= part * this.#all) return i / 10;
    }
    return 0;
  }
}

/** To the next of random events at this rate, in seconds. */
function gap(random: () => number, rate: number): number {
  return -Math.log(1 - random()) / rate;
}

/** Numbers in [0, 1): mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
