// Writes that arrive together share commits: what is written without
// an `await` between is one commit, and a commit costs as much as
// several documents. Between two batches, searches get their turn.

/** The length of the texts in one batch, in UTF-16 units. */
const BATCH_LENGTH = 64 * 1024;

interface Waiting {
  readonly length: number;
  readonly run: () => void;
}

export class WriteQueue {
  readonly #waiting: Waiting[] = [];

  /** Settles as `write` does. `length` is that of the text. */
  add<T>(length: number, write: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = () => {
        try {
          resolve(write());
        } catch (error) {
          reject(error);
        }
      };
      this.#waiting.push({ length, run });
      if (this.#waiting.length === 1) setTimeout(() => this.#writeBatch(), 0);
    });
  }

  #writeBatch(): void {
    let room = BATCH_LENGTH;
    while (room > 0) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      next.run();
      this.#waiting.shift();
      room -= next.length;
    }
    if (this.#waiting.length > 0) setTimeout(() => this.#writeBatch(), 0);
  }
}

/** Searches get their turn before it resolves. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
