// A rating: thumb up or down, with an optional comment. The same thumb removes it.

import type { Rating, Receipt } from "../client/client.ts";
import { button, element, icon } from "./element.ts";

/** Without a comment, the stored one stays; null deletes it. */
type Send = (rating: Rating | null, comment?: string | null) => Promise<void>;

export class Feedback {
  /** The two thumbs. */
  readonly thumbs: readonly HTMLButtonElement[];
  /** The comment. Shown once there is a rating. */
  readonly form = element("form", { class: "comment", hidden: true });
  readonly #send: Send;
  readonly #say: (words: string) => void;
  readonly #input = element("input", {
    type: "text",
    name: "comment",
    maxlength: "2000",
    autocomplete: "off",
    dir: "auto",
    placeholder: "Tell us why (optional)",
    "aria-label": "Comment on this answer",
  });
  #rating: Rating | null = null;

  /** `say` reports the result to the reader. */
  constructor(send: Send, say: (words: string) => void, given: Receipt["feedback"]) {
    this.#send = send;
    this.#say = say;
    this.thumbs = [this.#thumb("up", "Good answer"), this.#thumb("down", "Bad answer")];
    this.form.append(this.#input, element("button", { type: "submit" }, "Send"));
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
      this.#say(comment ? "Thank you." : "");
    } catch {
      // Not stored: show the rating of before.
      this.#show(before);
      this.form.hidden = before === null;
      this.#say("Your feedback could not be sent. Try again.");
    }
  }

  #show(rating: Rating | null): void {
    this.#rating = rating;
    for (const thumb of this.thumbs) {
      thumb.setAttribute("aria-pressed", String(thumb.dataset.rating === rating));
    }
  }
}
