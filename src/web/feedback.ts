// A rating: thumb up or down, with an optional comment. The same thumb removes it.

import type { Rating, Receipt } from "../client/client.ts";
import { button, element, icon } from "./element.ts";
import type { Words } from "./words/words.ts";

/** Without a comment, the stored one stays; null deletes it. */
type Send = (rating: Rating | null, comment?: string | null) => Promise<void>;

export class Feedback {
  /** The two thumbs. */
  readonly thumbs: readonly HTMLButtonElement[];
  /** The comment. Shown once there is a rating. */
  readonly form = element("form", { class: "comment", hidden: true });
  readonly #send: Send;
  readonly #say: (words: string) => void;
  readonly #words: Words;
  readonly #input: HTMLInputElement;
  #rating: Rating | null = null;

  /** `say` reports the result to the reader. */
  constructor(words: Words, send: Send, say: (words: string) => void, given: Receipt["feedback"]) {
    this.#words = words;
    this.#send = send;
    this.#input = element("input", {
      type: "text",
      name: "comment",
      maxlength: "2000",
      autocomplete: "off",
      dir: "auto",
      placeholder: words.tellUsWhy,
      "aria-label": words.comment,
    });
    this.#say = say;
    this.thumbs = [this.#thumb("up", words.goodAnswer), this.#thumb("down", words.badAnswer)];
    this.form.append(this.#input, element("button", { type: "submit" }, words.send));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#rate(this.#rating, this.#input.value.trim() || null);
    });
    this.#input.value = given?.comment ?? "";
    this.#show(given?.rating ?? null);
  }

  #thumb(rating: Rating, name: string): HTMLButtonElement {
    return button(
      { class: "action", "aria-label": name, "aria-pressed": "false", "data-rating": rating },
      () => this.#rate(this.#rating === rating ? null : rating),
      icon(rating),
    );
  }

  async #rate(rating: Rating | null, comment?: string | null): Promise<void> {
    const before = this.#rating;
    this.#show(rating);
    this.form.hidden = rating === null;
    if (rating === null) this.#input.value = "";
    try {
      await this.#send(rating, comment);
      // A reader who went on typing is not interrupted.
      if (comment && this.#input.value.trim() === comment) this.form.hidden = true;
      this.#say(comment ? this.#words.thanks : "");
    } catch {
      // Not stored: show the rating of before.
      this.#show(before);
      this.form.hidden = before === null;
      this.#say(this.#words.feedbackFailed);
    }
  }

  #show(rating: Rating | null): void {
    this.#rating = rating;
    for (const thumb of this.thumbs) {
      thumb.setAttribute("aria-pressed", String(thumb.dataset.rating === rating));
    }
  }
}
