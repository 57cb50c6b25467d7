// How many of a user's runs failed lately. Kept in memory and begun from the
// query log: an idle object is evicted within a minute, and may crash at any
// time.

import { READERS, type Share } from "./sharing.ts";

/** How far back failures count, in milliseconds. */
export const WITHIN_MS = 60_000;

/** When a run failed, in milliseconds since the epoch, and whose it was. */
export interface Failure {
  readonly at: number;
  readonly identity: string | null;
}

export class Failures {
  /** Oldest first. */
  #failures: readonly Failure[];

  constructor(failures: readonly Failure[]) {
    this.#failures = failures;
  }

  add(failure: Failure): void {
    this.#failures = [...this.#recent(failure.at), failure];
  }

  /**
   * How long a reader's next run has to wait, in milliseconds; undefined if
   * it may start. After a failure, unfinished runs count too: they may fail
   * as well. Before one, as many may fail as may run at once, so the bound is
   * the larger of FAILURE_LIMIT and CONCURRENCY_LIMIT.
   */
  waitMs(
    now: number,
    limit: number,
    identity: string | null,
    unfinished: Share,
  ): number | undefined {
    const all = this.#recent(now);
    const own = all.filter((failure) => failure.identity === identity);
    const oldest = [
      own.length + unfinished.own >= limit ? own[0] : undefined,
      all.length + unfinished.all >= READERS * limit ? all[0] : undefined,
    ].filter((failure) => failure !== undefined);
    if (oldest.length === 0) return undefined;
    return Math.max(...oldest.map(({ at }) => at)) + WITHIN_MS - now;
  }

  clear(): void {
    this.#failures = [];
  }

  /**
   * Those of the last minute. After a clock went back, later ones do not
   * count: they would refuse every ask.
   */
  #recent(now: number): readonly Failure[] {
    return this.#failures.filter(({ at }) => at <= now && now - at < WITHIN_MS);
  }
}
