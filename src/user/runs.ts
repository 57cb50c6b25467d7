// The runs of this instance whose query is reserved, by query id, and the
// connections that read stored answers. It counts them, and finds those that
// disconnected in a silence.

import type { Failures } from "./failures.ts";
import type { Listener } from "./listener.ts";
import { tooManyFailures, tooManyReplays, tooManyRuns } from "./refusals.ts";
import type { Run } from "./run.ts";
import { count, isReached, type Share } from "./sharing.ts";

/** Connections that may read one run. */
export const LISTENERS_MAX = 8;
/** Connections of one reader that may read stored answers. */
const REPLAYS_MAX = 32;
/**
 * Whole answers of one reader, beyond CONCURRENCY_LIMIT, that wait for slow
 * connections.
 */
const HELD_MAX = 32;
/**
 * After a nudge listeners are left alone, so that a retry makes no work.
 * Milliseconds.
 */
const NUDGE_AGAIN_MS = 1_000;

interface AdmissionLimits {
  readonly failureLimit: number;
  readonly concurrencyLimit: number;
}

export class Runs extends Map<string, Run> {
  /**
   * The connections that read stored answers, with the identity of each
   * reader.
   */
  readonly replays = new Map<Listener, string | null>();
  /** The runs that failed lately. */
  readonly failures: Failures;
  #nudging: Promise<void> | undefined;
  #nudgedAt = Number.NEGATIVE_INFINITY;

  constructor(failures: Failures) {
    super();
    this.failures = failures;
  }

  /** The runs whose answer is not whole yet. */
  get unfinished(): Run[] {
    return [...this.values()].filter((run) => run.transcript.ending === undefined);
  }

  countUnfinished(identity: string | null): Share {
    return count(this.unfinished, identity);
  }

  get #listeners(): Listener[] {
    return [...this.values()].flatMap((run) => [...run.listeners]);
  }

  /** Of runs and of stored answers. */
  get allListeners(): Listener[] {
    return [...this.#listeners, ...this.replays.keys()];
  }

  /**
   * Checks a reader's limits for one more run, except the quota. Throws
   * UNAVAILABLE after too many failures, TOO_MANY_STREAMS for too many runs.
   */
  admit(
    { failureLimit, concurrencyLimit }: AdmissionLimits,
    identity: string | null,
    now: number,
  ): void {
    const { unfinished } = this;
    const waitMs = this.failures.waitMs(now, failureLimit, identity, count(unfinished, identity));
    if (waitMs !== undefined) throw tooManyFailures(Math.max(1, Math.ceil(waitMs / 1000)));
    if (isReached(concurrencyLimit, count(unfinished, identity))) {
      const own = unfinished.filter((run) => run.identity === identity);
      const ending = own.length >= concurrencyLimit ? own : unfinished;
      throw tooManyRuns(concurrencyLimit, secondsUntilOneEnds(ending, now));
    }
    if (isReached(concurrencyLimit + HELD_MAX, count([...this.values()], identity))) {
      throw tooManyRuns(concurrencyLimit, 1);
    }
  }

  /**
   * Throws TOO_MANY_STREAMS if a reader has too many connections to stored
   * answers.
   */
  admitReplay(identity: string | null): void {
    const readers = Array.from(this.replays.values(), (reader) => ({ identity: reader }));
    if (isReached(REPLAYS_MAX, count(readers, identity))) throw tooManyReplays();
  }

  /**
   * While there is no room, makes every listener write: a closed connection
   * shows only then. Requests at the same time share one round.
   */
  nudge(isFull: () => boolean): Promise<void> {
    if (performance.now() - this.#nudgedAt < NUDGE_AGAIN_MS) return Promise.resolve();
    this.#nudging ??= this.#nudgeTwice(isFull).finally(() => {
      this.#nudging = undefined;
      this.#nudgedAt = performance.now();
    });
    return this.#nudging;
  }

  /** Twice, and with the same pauses, as `Listener.probe`. */
  async #nudgeTwice(isFull: () => boolean): Promise<void> {
    for (let nudges = 0; nudges < 2 && isFull(); nudges += 1) {
      const listeners = this.#listeners;
      for (const listener of listeners) listener.nudge();
      await scheduler.wait(Math.max(0, ...listeners.map(({ graceMs }) => graceMs)) / 2);
    }
  }
}

/**
 * When to ask again, in seconds. A run that waits for a listener ends at a
 * known time; any other may end at any time.
 */
function secondsUntilOneEnds(runs: readonly Run[], now: number): number {
  const times = runs.map((run) => run.waitsUntil ?? now);
  return Math.max(1, Math.ceil((Math.min(...times) - now) / 1000));
}
