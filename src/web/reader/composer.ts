// The form that sends a question and stops an answer.

import { byId } from "../element.ts";

/** Key code of keys pressed during an IME composition. */
const IN_COMPOSITION = 229;

/** Here the focus opens a keyboard that covers half of the page. */
const TOUCH_KEYBOARD = matchMedia("(pointer: coarse)");

export class Composer {
  readonly #form = byId("composer", HTMLFormElement);
  readonly #input = byId("question", HTMLTextAreaElement);
  readonly #send = byId("send", HTMLButtonElement);
  readonly #stop = byId("stop", HTMLButtonElement);
  readonly #note = byId("composer-note", HTMLElement);
  #answering = false;
  #refusal = "";
  #remark = "";

  constructor(onAsk: (question: string) => void, onStop: () => void) {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const question = this.#input.value.trim();
      if (question === "" || this.#answering || this.#refusal !== "") return;
      this.#input.value = "";
      this.#update();
      if (TOUCH_KEYBOARD.matches) this.#input.blur();
      onAsk(question);
    });
    this.#input.addEventListener("keydown", (event) => {
      // In a composition Enter chooses a character. Safari sends only the code.
      if (event.isComposing || event.keyCode === IN_COMPOSITION) return;
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        this.#form.requestSubmit();
      }
      if (event.key === "Escape" && this.#answering) onStop();
    });
    this.#input.addEventListener("input", () => {
      this.remark("");
    });
    this.#stop.addEventListener("click", onStop);
    this.#update();
  }

  /** During an answer the next question can be typed, but not sent. */
  set answering(answering: boolean) {
    // The hidden button must not take the focus with it.
    const focused = document.activeElement === this.#stop;
    this.#answering = answering;
    this.remark("");
    if (focused) this.focus();
  }

  /** Why the reader cannot ask now; empty if they can. */
  refuse(reason: string): void {
    this.#refusal = reason;
    this.#update();
  }

  /** A note until the reader types, or an answer begins or ends. */
  remark(words: string): void {
    this.#remark = words;
    this.#update();
  }

  focus(): void {
    if (!TOUCH_KEYBOARD.matches) this.#input.focus();
  }

  /** The most urgent note. */
  get #words(): string {
    if (this.#remark !== "") return this.#remark;
    const { value, maxLength } = this.#input;
    // The browser cuts pasted text without a word.
    if (value.length >= maxLength) return `A question can have at most ${maxLength} characters.`;
    return this.#refusal;
  }

  #update(): void {
    this.#note.textContent = this.#words;
    this.#note.classList.toggle("refused", this.#refusal !== "");
    this.#stop.hidden = !this.#answering;
    this.#send.hidden = this.#answering;
    this.#send.disabled = this.#refusal !== "" || this.#input.value.trim() === "";
  }
}
