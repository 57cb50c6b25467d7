// A list that is loaded page by page.

import { button, element } from "../element.ts";
import { empty, failure, loading } from "./area.ts";

export interface Page<T> {
  readonly items: readonly T[];
  /** What to send for the next page; null on the last. */
  readonly next: string | null;
}

export interface ListOf<T> {
  load(from: string | undefined, signal: AbortSignal): Promise<Page<T>>;
  show(item: T): HTMLElement;
  /** What holds the items, such as a list or the body of a table. */
  readonly holder: HTMLElement;
  /** What is shown: the holder, or what is around it. */
  readonly frame?: HTMLElement;
  /** What to say where there is no item. */
  readonly none: string;
}

/** Pages without an item that are read at once: a filter may pass over many. */
const EMPTY_PAGES_MAX = 5;

export class Pages<T> {
  readonly root = element("div", { class: "area" });
  readonly #list: ListOf<T>;
  /** Aborted when the operator goes elsewhere. */
  readonly #gone: AbortSignal;
  readonly #end = element("div", { class: "more" });
  #current: AbortController | undefined;

  constructor(list: ListOf<T>, gone: AbortSignal) {
    this.#list = list;
    this.#gone = gone;
  }

  /** Loads the first page again. */
  async load(): Promise<void> {
    this.#current?.abort();
    const current = new AbortController();
    this.#current = current;
    const signal = AbortSignal.any([current.signal, this.#gone]);
    this.root.ariaBusy = "true";
    if (this.root.childElementCount === 0) this.root.append(loading());
    try {
      const page = await this.#read(undefined, signal);
      if (signal.aborted) return;
      this.#list.holder.replaceChildren();
      this.#append(page, signal);
    } catch (thrown) {
      if (signal.aborted) return;
      this.root.replaceChildren(failure(thrown, () => void this.load()));
    }
    this.root.ariaBusy = "false";
  }

  async #read(from: string | undefined, signal: AbortSignal): Promise<Page<T>> {
    let next = from;
    for (let pages = 1; ; pages += 1) {
      const page = await this.#list.load(next, signal);
      if (page.items.length > 0 || page.next === null || pages === EMPTY_PAGES_MAX) return page;
      next = page.next;
    }
  }

  #append({ items, next }: Page<T>, signal: AbortSignal): void {
    const { holder, frame = holder, none, show } = this.#list;
    const first = items.map((item) => show(item));
    holder.append(...first);
    const isEmpty = holder.childElementCount === 0;
    this.#end.replaceChildren();
    if (next !== null) {
      const more = () => void this.#more(next, signal);
      this.#end.append(button({ class: "plain" }, more, "Show more"));
    }
    this.root.replaceChildren(isEmpty && next === null ? empty(none) : frame, this.#end);
  }

  async #more(from: string, signal: AbortSignal): Promise<void> {
    this.#end.replaceChildren(loading());
    try {
      const page = await this.#read(from, signal);
      if (signal.aborted) return;
      const before = this.#list.holder.childElementCount;
      this.#append(page, signal);
      focusOn(this.#list.holder.children[before]);
    } catch (thrown) {
      if (signal.aborted) return;
      this.#end.replaceChildren(failure(thrown, () => void this.#more(from, signal)));
    }
  }
}

/** The button that had the focus is gone. */
function focusOn(item: Element | undefined): void {
  item?.querySelector<HTMLElement>("a, button, summary")?.focus();
}
