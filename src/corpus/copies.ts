// The copies of a corpus object, as it sees them. It tells them that
// there are changes, and does not wait for them: a copy that does not
// hear of a change asks by itself before it answers.

import { withTimeout } from "../deadline.ts";
import { reasonOf } from "../errors.ts";

/** One copy, as its original sees it. */
export interface FollowingCopy {
  /** @param original The id of the object that has changes. */
  follow(original: string): Promise<void>;
  /** Deletes all that was copied. */
  forget(): Promise<void>;
}

/** Changes that come together are told once. */
const TELL_AFTER_MS = 500;
const TIMEOUT_MS = 10_000;

export class Copies {
  readonly count: number;
  readonly #original: string;
  readonly #copy: (number: number) => FollowingCopy;
  #told: number;
  #isTelling = false;

  /**
   * @param told The version of the documents of which the copies have heard.
   * @param copy Copies have numbers from 1.
   */
  constructor(
    count: number,
    original: string,
    told: number,
    copy: (number: number) => FollowingCopy,
  ) {
    this.count = count;
    this.#original = original;
    this.#told = told;
    this.#copy = copy;
  }

  /** @param version Of the documents now. */
  changed(version: number): void {
    if (this.count === 0 || version === this.#told) return;
    this.#told = version;
    if (this.#isTelling) return;
    this.#isTelling = true;
    setTimeout(() => {
      this.#isTelling = false;
      void this.tell();
    }, TELL_AFTER_MS);
  }

  async tell(): Promise<void> {
    await this.#each(1, this.count, (copy) => copy.follow(this.#original));
  }

  /** Of copies that there were before. False if one cannot be reached. */
  forget(formerly: number): Promise<boolean> {
    return this.#each(this.count + 1, formerly, (copy) => copy.forget());
  }

  async #each(
    from: number,
    to: number,
    call: (copy: FollowingCopy) => Promise<void>,
  ): Promise<boolean> {
    const numbers = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
    const done = await Promise.all(
      numbers.map(async (number) => {
        try {
          const late = () => new Error(`It gave no answer within ${TIMEOUT_MS} ms.`);
          await withTimeout(TIMEOUT_MS, late, () => call(this.#copy(number)));
          return true;
        } catch (thrown) {
          console.error(`Copy ${number} of the documents was not reached:`, reasonOf(thrown));
          return false;
        }
      }),
    );
    return done.every(Boolean);
  }
}
