// The form that sends a question and stops an answer. It takes its elements, so that
// a page and a shadow root can use it.

import type { Words } from "./words/words.ts";

/** Key code of keys pressed during an IME composition. */
const IN_COMPOSITION = 229;

/** Here the focus opens a keyboard that covers half of the page. */
const TOUCH_KEYBOARD = matchMedia("(pointer: coarse)");
/** Where the browser cannot, the composer makes the input as high as its text. */
const GROWS_BY_ITSELF = CSS.supports("field-sizing", "content");

export interface ComposerParts {
  readonly form: HTMLFormElement;
  readonly input: HTMLTextAreaElement;
  readonly send: HTMLButtonElement;
  readonly stop: HTMLButtonElement;
  readonly note: HTMLElement;
}

/** Why the reader cannot ask now. */
export interface Refusal {
  /** In the input, while it is empty. */
  readonly short: string;
  /** Below it; empty where the page says it elsewhere. */
  readonly long: string;
}

export class Composer {
  readonly #parts: ComposerParts;
  readonly #words: Words;
  #answering = false;
  #refusal: Refusal | undefined;
  #remark = "";
  #placeholder: string;
  /** What the note says if there is nothing else to say. */
  #standing = "";

  constructor(
    parts: ComposerParts,
    words: Words,
    onAsk: (question: string) => void,
    onStop: () => void,
  ) {
    this.#parts = parts;
    this.#words = words;
    this.#placeholder = words.placeholder;
    const { form, input, stop } = parts;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const question = input.value.trim();
      if (question === "" || this.#answering || this.#refusal !== undefined) return;
      this.draft = "";
      if (TOUCH_KEYBOARD.matches) input.blur();
      onAsk(question);
    });
    input.addEventListener("keydown", (event) => {
      // In a composition Enter chooses a character. Safari sends only the code.
      if (event.isComposing || event.keyCode === IN_COMPOSITION) return;
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        form.requestSubmit();
      }
      if (event.key === "Escape" && this.#answering) onStop();
    });
    input.addEventListener("input", () => this.remark(""));
    stop.addEventListener("click", onStop);
    this.#update();
  }

  /** What is typed and not sent. */
  get draft(): string {
    return this.#parts.input.value;
  }

  set draft(text: string) {
    this.#parts.input.value = text;
    this.#update();
  }

  /** During an answer the next question can be typed, but not sent. */
  set answering(answering: boolean) {
    // The hidden button must not take the focus with it.
    const focused = this.#parts.stop.matches(":focus");
    this.#answering = answering;
    this.remark("");
    if (focused) this.focus();
  }

  set placeholder(words: string) {
    this.#placeholder = words;
    this.#update();
  }

  set standing(words: string) {
    this.#standing = words;
    this.#update();
  }

  /** Undefined if the reader can ask. */
  refuse(refusal: Refusal | undefined): void {
    this.#refusal = refusal;
    this.#update();
  }

  /** A note until the reader types, or an answer begins or ends. */
  remark(words: string): void {
    this.#remark = words;
    this.#update();
  }

  focus(): void {
    if (!TOUCH_KEYBOARD.matches) this.#parts.input.focus();
  }

  /** The most urgent note. */
  get #note(): string {
    if (this.#remark !== "") return this.#remark;
    const { value, maxLength } = this.#parts.input;
    // The browser cuts pasted text without a word.
    if (value.length >= maxLength) {
      return this.#words.questionTooLong(maxLength.toLocaleString(this.#words.lang));
    }
    return this.#refusal?.long ?? this.#standing;
  }

  #update(): void {
    const { form, input, send, stop, note } = this.#parts;
    const refused = this.#refusal !== undefined;
    note.textContent = this.#note;
    form.classList.toggle("refused", refused);
    note.classList.toggle("refused", refused && note.textContent !== "");
    input.placeholder = this.#refusal?.short ?? this.#placeholder;
    // It keeps the focus and its text, which a disabled one would hide from many.
    input.readOnly = refused;
    input.ariaDisabled = refused ? "true" : null;
    stop.hidden = !this.#answering;
    send.hidden = this.#answering;
    send.disabled = refused || input.value.trim() === "";
    if (GROWS_BY_ITSELF) return;
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight}px`;
  }
}
