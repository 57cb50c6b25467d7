// Scrolls the log. It follows the end while the reader is there, and stops when
// they scroll up.

import { byId } from "../element.ts";

/** Within this distance the reader is at the end. */
const NEAR_END_PX = 40;

export class View {
  readonly #button = byId("to-end", HTMLButtonElement);
  #atEnd = true;
  #scrolledTo = 0;
  #height = 0;
  #awaitsFrame = false;

  constructor() {
    addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // A touch keyboard covers half of the page.
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

  /** The log is longer. Scrolls once a frame, so that layout runs once. */
  grown(): void {
    if (this.#awaitsFrame) return;
    this.#awaitsFrame = true;
    requestAnimationFrame(() => {
      this.#awaitsFrame = false;
      if (this.#atEnd) {
        scrollTo({ top: document.documentElement.scrollHeight });
        // At once: the reader may scroll up before the browser's event.
        this.#remember();
      }
      this.#offerEnd();
    });
  }

  #scrolled(): void {
    const { scrollHeight } = document.documentElement;
    // Scrolled up by the reader, not by a page that became shorter.
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
