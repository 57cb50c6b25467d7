// Spreads what is sent over time: each document keeps the corpus object busy,
// and searches wait meanwhile.

import { setTimeout as pause } from "node:timers/promises";

/** Several times what the object needs for 1 KiB of text. */
const MILLISECONDS_A_KIB = 20;

export class Pace {
  readonly #isNeeded: boolean;
  #next = 0;

  /** @param isNeeded Whether there is something to search in yet. */
  constructor(isNeeded: boolean) {
    this.#isNeeded = isNeeded;
  }

  /** Waits until the object has had time for what was sent before. */
  async turn(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#isNeeded) return;
    const now = performance.now();
    const at = Math.max(now, this.#next);
    this.#next = at + Math.max(1, bytes / 1024) * MILLISECONDS_A_KIB;
    // It rejects when the command is stopped, but with another reason.
    if (at > now) await pause(at - now, null, { signal }).catch(() => {});
    signal.throwIfAborted();
  }
}
