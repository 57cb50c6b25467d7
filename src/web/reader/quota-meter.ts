// Shows the remaining quota and when it renews.

import type { Quota } from "../../client/client.ts";
import { clock } from "../clock.ts";
import { byId } from "../element.ts";
import type { PageWords } from "./words/page-words.ts";

export class QuotaMeter {
  readonly #root = byId("quota", HTMLElement);
  readonly #text = byId("quota-words", HTMLElement);
  readonly #reset = byId("quota-reset", HTMLElement);
  readonly #bar = byId("quota-bar", HTMLMeterElement);
  readonly #words: PageWords;
  #quota: Quota | undefined;

  constructor(words: PageWords) {
    this.#words = words;
  }

  show(quota: Quota): void {
    this.#quota = quota;
    const { limit, remaining, resetsAt } = quota;
    const { lang, left, renews } = this.#words;
    const number = new Intl.NumberFormat(lang);
    this.#root.hidden = false;
    this.#root.classList.toggle("spent", remaining === 0);
    this.#text.textContent = left(number.format(remaining), number.format(limit));
    this.#bar.max = Math.max(1, limit);
    this.#bar.value = remaining;
    this.#bar.ariaValueText = this.#text.textContent;
    this.#bar.style.setProperty("--left", `${(100 * remaining) / this.#bar.max}%`);
    this.#reset.textContent =
      resetsAt === null ? "" : renews(clock(Date.parse(resetsAt), Date.now(), lang));
  }

  get spent(): boolean {
    return this.#quota?.remaining === 0 && this.#quota.reserved === 0;
  }

  /** Whether the rest is reserved for answers that may yet be refunded. */
  get held(): boolean {
    return this.#quota?.remaining === 0 && this.#quota.reserved > 0;
  }

  get resetsAt(): string | null {
    return this.#quota?.resetsAt ?? null;
  }
}
