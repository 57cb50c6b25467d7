// A write that only shows whether storage takes writes. If it fails, its
// object is reset, so only an object without users makes one: see outage.ts.

import { isWithin } from "./outage.ts";

export class TrialWrite {
  readonly #storage: DurableObjectStorage;
  /** When one last succeeded, in milliseconds since the epoch. */
  #doneAt = 0;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /**
   * Writes something and deletes all that is stored, unless that succeeded
   * within the last `maxAgeMs`. Rejects if it fails.
   */
  async make(maxAgeMs: number): Promise<void> {
    if (isWithin(this.#doneAt, maxAgeMs)) return;
    await this.#storage.put("tried", true);
    await this.#storage.sync();
    // The next write has to find room for a new file, as a new user's does.
    await this.#storage.deleteAll();
    this.#doneAt = Date.now();
  }
}
