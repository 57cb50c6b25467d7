// An object's one alarm. It is never postponed, and set again
// if storage refuses it. The object decides what it is for.

/** Wait before asking a storage that refused the alarm again. */
const RETRY_MS = 1_000;

export class Alarm {
  readonly #storage: DurableObjectStorage;
  /** In ms since the epoch; undefined if no alarm is set. */
  #at: number | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  get isSet(): boolean {
    return this.#at !== undefined;
  }

  /** Reads the alarm that an earlier instance of the object set. */
  async recall(): Promise<void> {
    this.#at ??= (await this.#storage.getAlarm()) ?? undefined;
  }

  /** Sets the alarm, unless it is set for an earlier time. */
  set(at: number): void {
    if (this.#at !== undefined && this.#at <= at) return;
    this.#at = at;
    this.#storage.setAlarm(at).catch((thrown) => {
      // An earlier one that was set in the meantime is still set.
      if (this.#at === at) this.#at = undefined;
      console.error("The alarm could not be set:", thrown);
      setTimeout(() => this.set(at), RETRY_MS);
    });
  }

  /** Call it when the alarm has rung, or was deleted with all storage. */
  clear(): void {
    this.#at = undefined;
  }
}
