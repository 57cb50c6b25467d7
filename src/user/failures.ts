// How many of a user's runs failed lately. In memory only: a crash forgets it, and an idle object is
// evicted later than it looks back.

const WITHIN_MS = 60_000;

export class Failures {
  /** In milliseconds since the epoch, oldest first. */
  #times: number[] = [];

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
