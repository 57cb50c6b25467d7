// The opening of an answer that arrives in pieces: takes off the mark of
// "nothing was found", which is never shown.

import { NOTHING_FOUND } from "./nothing-found.ts";

/** What separates the mark from the text. */
const SEPARATOR = /^[\s.:,;\u2013\u2014-]+/;

/** Takes the mark off an answer's beginning, piece by piece. */
export class Opening {
  /** The beginning, while it may still become the mark. */
  #held = "";
  #state: "undecided" | "marked" | "text" = "undecided";
  #isMarked = false;

  /** Whether the answer begins with the mark. */
  get isMarked(): boolean {
    return this.#isMarked;
  }

  /** The text to show of a piece; empty while that is undecided. */
  push(piece: string): string {
    switch (this.#state) {
      case "undecided":
        return this.#decide(piece);
      case "marked": {
        const text = piece.replace(SEPARATOR, "");
        if (text !== "") this.#state = "text";
        return text;
      }
      case "text":
        return piece;
    }
  }

  /** The text that was held until the answer's end. */
  end(): string {
    return this.#state === "undecided" ? this.#held : "";
  }

  #decide(piece: string): string {
    this.#held += piece;
    const text = this.#held.trimStart();
    if (text.length < NOTHING_FOUND.length && NOTHING_FOUND.startsWith(text)) return "";
    this.#isMarked = text.startsWith(NOTHING_FOUND);
    this.#state = this.#isMarked ? "marked" : "text";
    return this.#isMarked ? this.push(text.slice(NOTHING_FOUND.length)) : this.#held;
  }
}
