// How many of a user's runs failed lately. Kept in memory, and begun with what the query log says: an idle
// object is evicted sooner than a minute is over, and may crash at any time.

/** How far back failures count, in milliseconds. */
export const WITHIN_MS = 60_000;

export class Failures {
  /** In milliseconds since the epoch, oldest first. */
  #times: number[];

  constructor(times: number[]) {
    this.#times = times;
  }

  add(now: number): void {
    this.#times = [...this.#recent(now), now];
  }

  /**
   * How long to wait before the next run may start, in milliseconds; undefined if it may at once. After
   * a failure, what still runs counts too, since it may fail as well. Before one, as many as may run at
   * once may fail: the bound is the larger of FAILURE_LIMIT and CONCURRENCY_LIMIT.
   */
  waitMs(now: number, limit: number, unfinished: number): number | undefined {
    const recent = this.#recent(now);
    const [oldest] = recent;
    if (oldest === undefined || recent.length + unfinished < limit) return undefined;
    return oldest + WITHIN_MS - now;
  }

  clear(): void {
    this.#times = [];
  }

  /** Those of the last minute; a clock that goes back must not refuse all asks until it is there again. */
  #recent(now: number): number[] {
    return this.#times.filter((time) => time <= now && now - time < WITHIN_MS);
  }
}
