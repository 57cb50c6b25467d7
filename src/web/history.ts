// What this reader has asked before: the log as the service keeps it, newest first, page by page.

import type { Client, Receipt } from "../client/client.ts";
import { button, byId, element } from "./element.ts";

const PAGE = 30;
const NO_CHARGE: Readonly<Record<string, string>> = {
  disconnected: "left, not charged",
  cancelled: "stopped, not charged",
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

  constructor(client: Client, onOpen: (receipt: Receipt) => void) {
    this.#client = client;
    this.#onOpen = onOpen;
    this.#more.addEventListener("click", () => {
      // That it failed shows: nothing more is there, and the button still is.
      this.#load(this.#before ?? undefined).catch(() => {});
    });
  }

  /** Reads the newest page again. */
  refresh(): Promise<void> {
    return this.#load();
  }

  /** Which of them is being read, if any. */
  set opened(queryId: string | undefined) {
    this.#openId = queryId;
    for (const item of this.#list.querySelectorAll("button")) {
      if (item.dataset.query === queryId) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    }
  }

  async #load(before?: string): Promise<void> {
    const page = await this.#client.queries({ limit: PAGE, before });
    const items = page.queries
      .filter(({ query }) => query !== null)
      .map((receipt) => element("li", {}, this.#item(receipt)));
    if (before === undefined) this.#list.replaceChildren(...items);
    else this.#list.append(...items);
    this.#before = page.before;
    this.#more.hidden = page.before === null;
    this.#empty.hidden = this.#list.childElementCount > 0;
    this.opened = this.#openId;
  }

  #item(receipt: Receipt): HTMLButtonElement {
    const { queryId, query, state, reason, askedAt } = receipt;
    const asked = new Date(askedAt);
    const form: Intl.DateTimeFormatOptions =
      asked.toDateString() === new Date().toDateString()
        ? { timeStyle: "short" }
        : { day: "numeric", month: "short" };
    const when = new Intl.DateTimeFormat(undefined, form).format(asked);
    const ended = state === "refunded" ? ` · ${NO_CHARGE[reason ?? ""] ?? "not charged"}` : "";
    return button(
      { "data-query": queryId },
      () => this.#onOpen(receipt),
      element("span", { class: "asked", dir: "auto" }, query ?? ""),
      element("span", { class: "when" }, `${when}${ended}`),
    );
  }
}
