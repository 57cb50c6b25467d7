// An outage of storage. A failed write resets its object: runs, readers and
// the re-armed alarm are lost, and the runtime doubles its wait before each
// retry of the alarm. So an object that may meet an outage lets another
// object, which has nothing to lose, try a write first.

import { answeredIn } from "../deadline.ts";

/** How long a check may take, in milliseconds. */
const CHECK_MS = 5_000;
/**
 * How long a failed check counts, in milliseconds, so that requests in an
 * outage make no work.
 */
const FAILED_AGE_MAX_MS = 1_000;
/** How long an alarm pauses between two checks, in milliseconds. */
const LOOK_MS = 10_000;
/**
 * How long an alarm waits, in milliseconds. The runtime ends an alarm after
 * 15 minutes.
 */
const WAIT_MS_MAX = 14 * 60_000;

export class Outage {
  /**
   * Tries a write elsewhere, unless one succeeded within the last `maxAgeMs`.
   * Rejects if it fails.
   */
  readonly #tryWrite: (maxAgeMs: number) => Promise<void>;
  #isOn = false;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(tryWrite: (maxAgeMs: number) => Promise<void>) {
    this.#tryWrite = tryWrite;
  }

  /** Whether the last check found that storage takes no writes. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /**
   * Checks, and returns whether storage takes no writes. A slow check counts
   * as failed. Never throws.
   */
  async check(maxAgeMs: number): Promise<boolean> {
    if (this.#isOn && isWithin(this.#failedAt, FAILED_AGE_MAX_MS)) return true;
    try {
      await answeredIn(CHECK_MS, () => this.#tryWrite(maxAgeMs));
      this.#isOn = false;
    } catch (thrown) {
      if (!this.#isOn) console.error("Storage takes no writes:", thrown);
      this.#isOn = true;
      this.#failedAt = Date.now();
    }
    return this.#isOn;
  }

  /**
   * Resolves when storage takes writes, or after the longest wait of an
   * alarm.
   */
  async end(maxAgeMs: number): Promise<void> {
    const endsAt = Date.now() + WAIT_MS_MAX;
    while ((await this.check(maxAgeMs)) && Date.now() < endsAt) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}

/**
 * Whether a time is less than `ageMaxMs` ago. After a clock went back, it is
 * not.
 */
export function isWithin(time: number, ageMaxMs: number): boolean {
  const ageMs = Date.now() - time;
  return ageMs >= 0 && ageMs < ageMaxMs;
}
