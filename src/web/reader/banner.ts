// One line above the log for what concerns the whole page.

import { byId } from "../element.ts";

export class Banner {
  readonly #root = byId("banner", HTMLElement);
  readonly #retry = byId("retry", HTMLButtonElement);
  readonly #announce: (words: string) => void;

  constructor(onRetry: () => void, announce: (words: string) => void) {
    this.#announce = announce;
    this.#retry.addEventListener("click", onRetry);
  }

  /** Empty words hide it. `retry` offers to try again. */
  show(words: string, retry = false): void {
    const text = this.#root.querySelector("span");
    if (text === null || text.textContent === words) return;
    text.textContent = words;
    this.#root.hidden = words === "";
    this.#retry.hidden = !retry;
    if (words !== "") this.#announce(words);
  }
}
