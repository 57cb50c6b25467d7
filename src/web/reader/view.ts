// The reader's place in the log: kept at the end while they read there, and
// left alone once they scroll up.

import { byId } from "../element.ts";

/** The log counts as read at its end within this distance. */
const NEAR_END_PX = 40;

export class View {
  readonly #button = byId("to-end", HTMLButtonElement);
  #atEnd = true;
  #scrolledTo = 0;
  #height = 0;
  #awaitsFrame = false;

  constructor() {
    addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // A touch keyboard takes half of the page.
    addEventListener("resize", () => this.grown());
    this.#button.addEventListener("click", () => this.toEnd());
  }

  toStart(): void {
    this.#atEnd = false;
    scrollTo({ top: 0 });
    this.grown();
  }

  toEnd(): void {
    this.#atEnd = true;
    this.grown();
  }

  /**
   * Something became longer. The page is laid out once a frame, however many
   * tokens come.
   */
  grown(): void {
    if (this.#awaitsFrame) return;
    this.#awaitsFrame = true;
    requestAnimationFrame(() => {
      this.#awaitsFrame = false;
      if (this.#atEnd) {
        scrollTo({ top: document.documentElement.scrollHeight });
        // Now: otherwise a scroll up before the browser reports this one
        // would be missed.
        this.#remember();
      }
      this.#offerEnd();
    });
  }

  #scrolled(): void {
    const { scrollHeight } = document.documentElement;
    // The reader scrolled up, however little. Content that shrinks moves the
    // page too.
    const up = scrollY < this.#scrolledTo && scrollHeight >= this.#height;
    if (up && this.#below > 1) this.#atEnd = false;
    else if (this.#below < NEAR_END_PX) this.#atEnd = true;
    this.#remember();
    this.#offerEnd();
  }

  #remember(): void {
    this.#scrolledTo = scrollY;
    this.#height = document.documentElement.scrollHeight;
  }

  get #below(): number {
    return document.documentElement.scrollHeight - innerHeight - scrollY;
  }

  #offerEnd(): void {
    this.#button.hidden = this.#atEnd || this.#below < NEAR_END_PX;
  }
}
