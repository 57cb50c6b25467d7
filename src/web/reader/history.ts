// The reader's history: their questions, newest first, page by page.

import type { Client, Queries, Receipt, RefundReason } from "../../client/client.ts";
import { clock } from "../clock.ts";
import { button, byId, element } from "../element.ts";

const PAGE = 30;
/** The most that the service returns at once. */
const PAGE_MAX = 100;
/** A slower load fails, so that the next can begin. */
const LOAD_TIMEOUT_MS = 20_000;
const NO_CHARGE: Readonly<Record<RefundReason, string>> = {
  disconnected: "left, not charged",
  cancelled: "stopped, not charged",
  nothing_found: "nothing found, not charged",
  failed: "failed, not charged",
  expired: "broke off, not charged",
  operator: "refunded",
};

export class History {
  readonly #client: Client;
  readonly #onOpen: (receipt: Receipt) => void;
  readonly #list = byId("history", HTMLElement);
  readonly #more = byId("history-more", HTMLButtonElement);
  readonly #empty = byId("history-empty", HTMLElement);
  #before: string | null = null;
  #openId: string | undefined;
  /** Resolves when all loads so far have ended or failed. */
  #loads: Promise<void> = Promise.resolve();

  constructor(client: Client, onOpen: (receipt: Receipt) => void) {
    this.#client = client;
    this.#onOpen = onOpen;
    this.#more.addEventListener("click", () => {
      // A failure is visible: the list does not grow.
      this.#inTurn(() => this.#extend()).catch(() => {});
    });
  }

  /** Reloads the list: answers, ratings and other tabs change it. */
  refresh(): Promise<void> {
    return this.#inTurn(async () => {
      const pages = Math.max(1, Math.ceil(this.#list.childElementCount / PAGE));
      const page = await this.#load(Math.min(PAGE * pages, PAGE_MAX));
      this.#list.replaceChildren();
      this.#append(page);
    });
  }

  /** The question that is open, if any. */
  set opened(queryId: string | undefined) {
    this.#openId = queryId;
    for (const item of this.#list.querySelectorAll("button")) {
      if (item.dataset.query === queryId) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    }
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

  #load(limit: number, before?: string): Promise<Queries> {
    return this.#client.queries({ limit, before, signal: AbortSignal.timeout(LOAD_TIMEOUT_MS) });
  }

  #append({ queries, before }: Queries): void {
    const kept = queries.filter(({ query }) => query !== null);
    this.#list.append(...kept.map((receipt) => element("li", {}, this.#item(receipt))));
    this.#before = before;
    this.#more.hidden = before === null;
    this.#empty.hidden = this.#list.childElementCount > 0;
    this.opened = this.#openId;
  }

  #item(receipt: Receipt): HTMLButtonElement {
    const { queryId, query, state, reason, askedAt } = receipt;
    const when = clock(Date.parse(askedAt), Date.now());
    const ended = state === "refunded" && reason !== null ? ` · ${NO_CHARGE[reason]}` : "";
    return button(
      { "data-query": queryId },
      () => this.#onOpen(receipt),
      element("span", { class: "asked", dir: "auto" }, query ?? ""),
      element("span", { class: "when" }, `${when}${ended}`),
    );
  }
}
