// Scrolls the log. A new question goes to the top of the view and stays there while
// its answer grows below. The view follows the end only after the reader went there.

import { byId } from "../element.ts";

/** Within this distance the reader is at the end. */
const NEAR_END_PX = 40;
/** Above a question. */
const ABOVE_PX = 8;
/** Of the view, for a long question: the rest is for its answer. */
const QUESTION_SHARE = 0.4;

/** What the view needs of an exchange. */
interface Shown {
  readonly root: HTMLElement;
  /** Where the answer ends, and its sources begin. */
  readonly end: HTMLElement;
}

export class View {
  readonly #button = byId("to-end", HTMLButtonElement);
  readonly #header = document.querySelector("header") as HTMLElement;
  readonly #dock = document.querySelector(".dock") as HTMLElement;
  /** The latest exchange. */
  #latest: Shown | undefined;
  /** The exchange that has the view to itself. */
  #alone: Shown | undefined;
  #follows = false;
  #scrolledTo = 0;
  #height = 0;
  #awaitsFrame = false;

  constructor() {
    addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // A touch keyboard covers half of the page.
    addEventListener("resize", () => this.#resized());
    this.#button.addEventListener("click", () => {
      this.#follows = true;
      this.grown();
    });
  }

  /** The reader asked. */
  toQuestion(exchange: Shown): void {
    this.#alone?.root.style.removeProperty("--room");
    this.#latest = exchange;
    this.#alone = exchange;
    this.#follows = false;
    this.#makeRoom();
    scrollTo({ top: this.#start(exchange) });
    this.#remember();
    this.grown();
  }

  /** The reader opened an earlier answer. */
  toStart(latest: Shown): void {
    this.#latest = latest;
    this.#alone = undefined;
    this.#follows = false;
    scrollTo({ top: 0 });
    this.#remember();
    this.grown();
  }

  clear(): void {
    this.#latest = undefined;
    this.#alone = undefined;
    this.#follows = false;
    this.#button.hidden = true;
  }

  /** The answer is whole. What comes below it does not move the view. */
  settle(): void {
    this.#follow();
    this.#follows = false;
    this.grown();
  }

  /** The log is longer. Scrolls once a frame, so that layout runs once. */
  grown(): void {
    if (this.#awaitsFrame) return;
    this.#awaitsFrame = true;
    requestAnimationFrame(() => {
      this.#awaitsFrame = false;
      this.#follow();
      this.#offerEnd();
    });
  }

  #follow(): void {
    const below = this.#below;
    if (!this.#follows || below <= 0) return;
    scrollBy({ top: below });
    // At once: the reader may scroll up before the browser's event.
    this.#remember();
  }

  #scrolled(): void {
    const { scrollHeight } = document.documentElement;
    // By the reader, not by a page that became shorter.
    if (scrollY < this.#scrolledTo && scrollHeight >= this.#height) this.#follows = false;
    else if (scrollY > this.#scrolledTo && this.#below < NEAR_END_PX) this.#follows = true;
    this.#remember();
    this.#offerEnd();
  }

  #resized(): void {
    if (this.#alone !== undefined) this.#makeRoom();
    this.grown();
  }

  #remember(): void {
    this.#scrolledTo = scrollY;
    this.#height = document.documentElement.scrollHeight;
  }

  /** Makes the exchange as high as the view, so that its question can be at the top. */
  #makeRoom(): void {
    const exchange = this.#alone;
    if (exchange === undefined) return;
    const log = exchange.root.parentElement as HTMLElement;
    const padding = Number.parseFloat(getComputedStyle(log).paddingBlockEnd);
    const room = this.#bottom - this.#top - ABOVE_PX - padding;
    const more = this.#start(exchange) - this.#startOf(exchange.root);
    exchange.root.style.setProperty("--room", `${Math.max(0, room + more)}px`);
  }

  /** Where the page is scrolled to for a question, in px. */
  #start({ root, end }: Shown): number {
    const reply = (end.parentElement as HTMLElement).getBoundingClientRect().top + scrollY;
    const share = QUESTION_SHARE * (this.#bottom - this.#top);
    return Math.max(this.#startOf(root), reply - this.#top - share);
  }

  #startOf(root: HTMLElement): number {
    return root.getBoundingClientRect().top + scrollY - this.#top - ABOVE_PX;
  }

  /** The edges of the view, between header and composer. */
  get #top(): number {
    return getComputedStyle(this.#header).position === "sticky" ? this.#header.offsetHeight : 0;
  }

  get #bottom(): number {
    return innerHeight - this.#dock.offsetHeight;
  }

  /** How far the end of the latest answer is below the view, in px. */
  get #below(): number {
    const end = this.#latest?.end.getBoundingClientRect().bottom ?? 0;
    return end - this.#bottom + ABOVE_PX;
  }

  #offerEnd(): void {
    this.#button.hidden = this.#below < NEAR_END_PX;
  }
}
