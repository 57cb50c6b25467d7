// Where in the log the reader is: kept at its end for as long as they read there, and left alone once
// they have gone up.

import { byId } from "../element.ts";

/** How near to its end the log counts as being read there. */
const NEAR_END_PX = 40;

export class View {
  readonly #button = byId("to-end", HTMLButtonElement);
  #atEnd = true;
  #scrolledTo = 0;
  #height = 0;
  #awaitsFrame = false;

  constructor() {
    addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // A keyboard on the glass takes half the page.
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

  /** Something has become longer. However many tokens come in a frame, it is laid out once. */
  grown(): void {
    if (this.#awaitsFrame) return;
    this.#awaitsFrame = true;
    requestAnimationFrame(() => {
      this.#awaitsFrame = false;
      if (this.#atEnd) {
        scrollTo({ top: document.documentElement.scrollHeight });
        // Now, or whoever scrolls up before the browser tells of this would not be seen to.
        this.#remember();
      }
      this.#offerEnd();
    });
  }

  #scrolled(): void {
    const { scrollHeight } = document.documentElement;
    // Up by the reader, however little; what has become shorter moves the page too.
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
