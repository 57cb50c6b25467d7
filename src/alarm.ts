// The one alarm of an object: it is never put off, and set again where storage has refused it. What it
// rings for is decided by the object.

/** When storage refused the alarm, it is asked again after this time. */
const RETRY_MS = 1_000;

export class Alarm {
  readonly #storage: DurableObjectStorage;
  /** When it rings, in milliseconds since the epoch; undefined while none is set. */
  #at: number | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  get isSet(): boolean {
    return this.#at !== undefined;
  }

  /** Learns of what an earlier incarnation of the object has set. */
  async recall(): Promise<void> {
    this.#at ??= (await this.#storage.getAlarm()) ?? undefined;
  }

  /** Sets it, unless it rings sooner anyway. */
  set(at: number): void {
    if (this.#at !== undefined && this.#at <= at) return;
    this.#at = at;
    this.#storage.setAlarm(at).catch((thrown) => {
      // A sooner one that was set meanwhile stands all the same.
      if (this.#at === at) this.#at = undefined;
      console.error("The alarm could not be set:", thrown);
      setTimeout(() => this.set(at), RETRY_MS);
    });
  }

  /** It has rung, or went with all that was stored. */
  clear(): void {
    this.#at = undefined;
  }
}
