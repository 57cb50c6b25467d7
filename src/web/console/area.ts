// A part of the page that is loaded: it says that it loads, shows what came, or
// says why nothing did.

import { button, element } from "../element.ts";

export class Area<T> {
  readonly root = element("div", { class: "area" });
  readonly #load: (signal: AbortSignal) => Promise<T>;
  readonly #show: (loaded: T, gone: AbortSignal) => readonly Node[];
  /** Aborted when the operator goes elsewhere. */
  readonly #gone: AbortSignal;
  #current: AbortController | undefined;
  #shown = new AbortController();

  constructor(
    load: (signal: AbortSignal) => Promise<T>,
    /** @param gone Aborted when something else is shown. */
    show: (loaded: T, gone: AbortSignal) => readonly Node[],
    gone: AbortSignal,
  ) {
    this.#load = load;
    this.#show = show;
    this.#gone = gone;
  }

  /** What was shown stays until the new content is there. The last load wins. */
  async load(): Promise<void> {
    this.#current?.abort();
    const current = new AbortController();
    this.#current = current;
    const signal = AbortSignal.any([current.signal, this.#gone]);
    this.root.ariaBusy = "true";
    if (this.root.childElementCount === 0) this.root.append(loading());
    try {
      const loaded = await this.#load(signal);
      if (signal.aborted) return;
      this.#put((gone) => this.#show(loaded, gone));
    } catch (thrown) {
      if (signal.aborted) return;
      this.#put(() => [failure(thrown, () => void this.load())]);
    }
    this.root.ariaBusy = "false";
  }

  #put(make: (gone: AbortSignal) => readonly Node[]): void {
    this.#shown.abort();
    this.#shown = new AbortController();
    this.root.replaceChildren(...make(AbortSignal.any([this.#shown.signal, this.#gone])));
  }
}

export function loading(): HTMLElement {
  return element("p", { class: "loading faint" }, "Loading…");
}

export function empty(words: string): HTMLElement {
  return element("p", { class: "empty" }, words);
}

export function failure(thrown: unknown, again: () => void): HTMLElement {
  return element(
    "div",
    { class: "failure", role: "alert" },
    element("p", {}, messageOf(thrown)),
    button({ class: "plain" }, again, "Try again"),
  );
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : "Something went wrong on this page. Reload it.";
}
