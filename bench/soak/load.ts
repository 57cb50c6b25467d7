// The load of a soak: every step at its time, but never more open than the
// machine can carry. A step that has to wait is counted as late.

import { setTimeout as delay } from "node:timers/promises";
import type { Step } from "./plan.ts";

/** The most steps in progress. */
const OPEN_MAX = 64;
const LATE_MS = 1_000;
const POLL_MS = 5;

export class Load {
  done = 0;
  open = 0;
  late = 0;
  readonly #startedAt = performance.now();

  /** Resolves when the last step has ended. */
  async run(steps: Iterable<Step>, take: (step: Step) => Promise<void>): Promise<void> {
    for (const step of steps) {
      await delay(Math.max(0, step.atMs - this.elapsedMs));
      while (this.open >= OPEN_MAX) await delay(POLL_MS);
      if (this.elapsedMs - step.atMs > LATE_MS) this.late += 1;
      this.open += 1;
      take(step).finally(() => {
        this.open -= 1;
        this.done += 1;
      });
    }
    while (this.open > 0) await delay(POLL_MS);
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }
}
