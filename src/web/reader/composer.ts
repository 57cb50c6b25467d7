// Where a question is written and sent, and an answer stopped. The same button does both.

import { byId } from "../element.ts";

/** The key code of whatever is pressed while characters are composed. */
const IN_COMPOSITION = 229;

/** Where keys come up with the focus, and cover half of what there is to read. */
const KEYS_ON_GLASS = matchMedia("(pointer: coarse)");

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
      if (KEYS_ON_GLASS.matches) this.#input.blur();
      onAsk(question);
    });
    this.#input.addEventListener("keydown", (event) => {
      // While characters are composed, Enter chooses one; Safari says so by a code alone.
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

  /** While an answer is being written, the next question can be, but not sent. */
  set answering(answering: boolean) {
    // A button that goes away must not take the focus with it.
    const focused = document.activeElement === this.#stop;
    this.#answering = answering;
    this.remark("");
    if (focused) this.focus();
  }

  /** Why nothing can be asked just now; empty if it can. */
  refuse(reason: string): void {
    this.#refusal = reason;
    this.#update();
  }

  /** Says something until the reader goes on writing, or the answering begins or ends. */
  remark(words: string): void {
    this.#remark = words;
    this.#update();
  }

  focus(): void {
    if (!KEYS_ON_GLASS.matches) this.#input.focus();
  }

  /** What the reader is told here: the most pressing. */
  get #words(): string {
    if (this.#remark !== "") return this.#remark;
    const { value, maxLength } = this.#input;
    // The browser cuts what is pasted, and says nothing of it.
    if (value.length >= maxLength) return `A question has at most ${maxLength} characters.`;
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
