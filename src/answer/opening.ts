// The opening of an answer that arrives in pieces: takes off the mark of
// "nothing was found", which is never shown.

import { NOTHING_FOUND } from "./nothing-found.ts";

/** What separates the mark from the text. */
const SEPARATOR = /^[\s.:,;\u2013\u2014-]+/;

/** Takes the mark off an answer's beginning, however often it is there. */
export class Opening {
  /** The beginning, while it may still become the mark. */
  #held = "";
  #isDecided = false;
  #isMarked = false;

  /** Whether the answer begins with the mark. */
  get isMarked(): boolean {
    return this.#isMarked;
  }

  /** The text to show of a piece; empty while that is undecided. */
  push(piece: string): string {
    if (this.#isDecided) return piece;
    this.#held += piece;
    while (this.#held.trimStart().startsWith(NOTHING_FOUND)) {
      this.#isMarked = true;
      this.#held = this.#held.trimStart().slice(NOTHING_FOUND.length);
    }
    if (this.#isMarked) this.#held = this.#held.replace(SEPARATOR, "");
    this.#isDecided = !NOTHING_FOUND.startsWith(this.#held.trimStart());
    return this.#isDecided ? this.#held : "";
  }

  /** The text that was held until the answer's end. */
  end(): string {
    return this.#isDecided ? "" : this.#held;
  }
}
