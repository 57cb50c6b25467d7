// The reader's history: their questions by day, newest first, page by page; or those
// that have the words they search for.

import type { Client, Queries, Receipt } from "../../client/client.ts";
import { timeOfDay } from "../clock.ts";
import { button, byId, element, icon } from "../element.ts";
import { languageOf } from "../language.ts";
import { dayOf } from "./days.ts";
import type { PageWords } from "./words/page-words.ts";

const PAGE = 30;
/** The most that the service returns at once. */
const PAGE_MAX = 100;
/** A slower load fails, so that the next can begin. */
const LOAD_TIMEOUT_MS = 20_000;
/** After the last key. */
const SEARCH_AFTER_MS = 250;
/** Pages of a search without a match that are read at once. */
const EMPTY_PAGES_MAX = 5;

interface Deeds {
  open(receipt: Receipt): void;
  deleted(queryId: string): void;
  announce(words: string): void;
}

export class History {
  readonly #client: Client;
  readonly #words: PageWords;
  readonly #deeds: Deeds;
  readonly #list = byId("history", HTMLElement);
  readonly #more = byId("history-more", HTMLButtonElement);
  readonly #empty = byId("history-empty", HTMLElement);
  readonly #find = byId("find", HTMLInputElement);
  #search = "";
  #before: string | null = null;
  #openId: string | undefined;
  /** Resolves when all loads so far have ended or failed. */
  #loads: Promise<void> = Promise.resolve();

  constructor(client: Client, words: PageWords, deeds: Deeds) {
    this.#client = client;
    this.#words = words;
    this.#deeds = deeds;
    this.#more.addEventListener("click", () => {
      // A failure is visible: the list does not grow.
      this.#inTurn(() => this.#extend()).catch(() => {});
    });
    let timer: ReturnType<typeof setTimeout> | undefined;
    this.#find.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#searchFor(this.#find.value.trim()), SEARCH_AFTER_MS);
    });
  }

  /** Reloads the list: answers, ratings and other tabs change it. */
  refresh(): Promise<void> {
    return this.#inTurn(async () => {
      const pages = Math.max(1, Math.ceil(this.#count / PAGE));
      const page = await this.#load(Math.min(PAGE * pages, PAGE_MAX));
      this.#list.replaceChildren();
      this.#append(page);
    });
  }

  /** The question that is open, if any. */
  set opened(queryId: string | undefined) {
    this.#openId = queryId;
    for (const item of this.#list.querySelectorAll<HTMLElement>("[data-query]")) {
      if (item.dataset.query === queryId) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    }
  }

  get #count(): number {
    return this.#list.querySelectorAll("[data-query]").length;
  }

  #searchFor(words: string): void {
    if (words === this.#search) return;
    this.#search = words;
    this.#list.replaceChildren();
    this.refresh().catch(() => {});
  }

  /** One load after another, so that no older list wins. */
  #inTurn(load: () => Promise<void>): Promise<void> {
    const loaded = this.#loads.then(load);
    this.#loads = loaded.catch(() => {});
    return loaded;
  }

  async #extend(): Promise<void> {
    if (this.#before !== null) this.#append(await this.#load(PAGE, this.#before));
  }

  /** A page of a search may have no match and not be the last. */
  async #load(limit: number, from?: string): Promise<Queries> {
    const search = this.#search || undefined;
    let before = from;
    for (let pages = 1; ; pages += 1) {
      const signal = AbortSignal.timeout(LOAD_TIMEOUT_MS);
      const page = await this.#client.queries({ limit, before, search, signal });
      if (page.queries.length > 0 || page.before === null || pages === EMPTY_PAGES_MAX) return page;
      before = page.before;
    }
  }

  #append({ queries, before }: Queries): void {
    const now = Date.now();
    for (const receipt of queries) {
      if (receipt.query === null) continue;
      const day = dayOf(Date.parse(receipt.askedAt), now, this.#words);
      this.#dayList(day).append(this.#entry(receipt, receipt.query));
    }
    this.#before = before;
    this.#more.hidden = before === null;
    this.#showEmpty();
    this.opened = this.#openId;
  }

  #dayList(day: string): HTMLElement {
    const last = this.#list.lastElementChild;
    if (last?.firstElementChild?.textContent === day) return last.lastElementChild as HTMLElement;
    const list = element("ul");
    this.#list.append(element("section", {}, element("h2", {}, day), list));
    return list;
  }

  #showEmpty(): void {
    const isEmpty = this.#count === 0;
    const { historyEmpty, noneFound } = this.#words;
    this.#empty.hidden = !isEmpty;
    this.#empty.textContent = this.#search === "" ? historyEmpty : noneFound;
    // Nothing to search in.
    const label = this.#find.closest("label");
    if (label !== null) label.hidden = isEmpty && this.#search === "";
  }

  #entry(receipt: Receipt, query: string): HTMLElement {
    const { queryId, state, reason, askedAt } = receipt;
    const { lang, refunded, deleteThis } = this.#words;
    const when = timeOfDay(Date.parse(askedAt), lang);
    const ended = state === "refunded" && reason !== null ? ` · ${refunded[reason]}` : "";
    const open = button(
      { class: "open", "data-query": queryId },
      () => this.#deeds.open(receipt),
      element("span", { class: "asked", dir: "auto", lang: languageOf(query, lang) }, query),
      element("span", { class: "when" }, `${when}${ended}`),
    );
    const entry = element("li", {}, open);
    // An answer that is being written cannot be deleted.
    if (state === "reserved") return entry;
    const remove = button(
      { class: "action", "aria-label": deleteThis(query) },
      () => this.#confirm(entry, queryId),
      icon("bin"),
    );
    entry.append(remove);
    return entry;
  }

  /** Asks before it deletes: the words are gone for good. */
  #confirm(entry: HTMLElement, queryId: string): void {
    const { deleteAsk, delete: yes, keep: no } = this.#words;
    const before = [...entry.childNodes];
    const back = () => {
      entry.replaceChildren(...before);
      entry.querySelector<HTMLElement>(".action")?.focus();
    };
    const remove = button({ class: "delete" }, () => this.#delete(entry, queryId, back), yes);
    const ask = element(
      "div",
      { class: "confirm", role: "group", "aria-label": deleteAsk },
      element("p", {}, deleteAsk),
      remove,
      button({}, back, no),
    );
    ask.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      // Escape would also close the drawer.
      event.preventDefault();
      back();
    });
    entry.replaceChildren(ask);
    remove.focus();
  }

  async #delete(entry: HTMLElement, queryId: string, back: () => void): Promise<void> {
    try {
      await this.#client.delete(queryId);
    } catch {
      back();
      const when = entry.querySelector(".when");
      if (when !== null) when.textContent = this.#words.notDeleted;
      this.#deeds.announce(this.#words.notDeleted);
      return;
    }
    const day = entry.closest("section");
    entry.remove();
    if (day?.querySelector("li") === null) day.remove();
    this.#showEmpty();
    this.#deeds.deleted(queryId);
    this.#deeds.announce(this.#words.deleted);
  }
}
