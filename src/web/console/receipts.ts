// The newest queries of one user, why each was charged or not, and the refund.

import type { Receipt } from "../../protocol.ts";
import { button, element } from "../element.ts";
import { userPath } from "./api.ts";
import { confirm } from "./confirm.ts";
import { count, milliseconds, time } from "./format.ts";
import { joined, named, written } from "./names.ts";
import type { Place } from "./place.ts";
import { foldedAnswer } from "./queries.ts";
import { ending, stateKind } from "./words.ts";

/** What the request asked for, where it is not what is usual. */
const ON_DISCONNECT: Readonly<Record<Receipt["onDisconnect"], string | null>> = {
  cancel: null,
  wait: "waits for its reader",
  continue: "goes on without a reader",
};

export class Receipts {
  readonly #none = element("p", { class: "empty" }, "No query is stored.");
  readonly #list = element("ul", { class: "cards" });
  readonly #root = element(
    "section",
    {},
    element("h2", {}, "Newest queries"),
    this.#none,
    this.#list,
  );
  readonly #make: (receipt: Receipt) => HTMLElement;
  /** By the JSON of the receipt: one that is the same stays, also where it is open. */
  #items = new Map<string, HTMLElement>();

  constructor(place: Place, user: string, reload: () => Promise<unknown>) {
    this.#make = (receipt) => shown(place, user, receipt, reload);
  }

  show(queries: readonly Receipt[]): HTMLElement {
    const items = new Map<string, HTMLElement>();
    for (const receipt of queries) {
      const key = JSON.stringify(receipt);
      items.set(key, this.#items.get(key) ?? this.#make(receipt));
    }
    for (const [key, item] of this.#items) {
      if (!items.has(key)) item.remove();
    }
    let place = 0;
    for (const item of items.values()) {
      const there = this.#list.children[place] ?? null;
      if (there !== item) this.#list.insertBefore(item, there);
      place += 1;
    }
    this.#items = items;
    this.#none.hidden = queries.length > 0;
    return this.#root;
  }
}

function shown(
  place: Place,
  user: string,
  receipt: Receipt,
  reload: () => Promise<unknown>,
): HTMLElement {
  const { queryId, askedAt, state, query, answer, sources, feedback } = receipt;
  const cited = (sources ?? []).filter((source) => source.cited);
  const askFirst = () => askRefund(place, user, queryId, reload);
  const refund = button({ class: "quiet" }, askFirst, "Refund…");
  const missing = place.showsWords ? "The words are not kept." : "The words are not shared.";
  return element(
    "li",
    { class: "card" },
    query === null ? element("p", { class: "faint" }, missing) : written(query, "asked"),
    ...(feedback?.comment ? [written(feedback.comment, "comment")] : []),
    ...(answer === null ? [] : [foldedAnswer(answer, ...citedLine(cited))]),
    element(
      "p",
      { class: "meta" },
      element("span", { class: `chip ${stateKind(receipt)}` }, ending(receipt)),
      time(askedAt),
      ...why(receipt).map((fact) => element("span", {}, fact)),
    ),
    element(
      "div",
      { class: "row" },
      element("code", { class: "faint" }, queryId),
      ...(state === "charged" ? [refund] : []),
    ),
  );
}

/** What the account rests on. */
function why(receipt: Receipt): string[] {
  const { state, found, tokens, firstTokenMs, totalMs, onDisconnect, feedback, window } = receipt;
  const facts: (string | false | null)[] = [
    state !== "reserved" && `counted in ${window}`,
    found === false && receipt.reason !== "nothing_found" && "nothing found",
    tokens !== null && count(tokens, "token"),
    firstTokenMs !== null && `first token ${milliseconds(firstTokenMs)}`,
    totalMs !== null && `whole ${milliseconds(totalMs)}`,
    ON_DISCONNECT[onDisconnect],
    feedback?.rating ? `rated ${feedback.rating}` : null,
  ];
  return facts.filter((fact) => typeof fact === "string");
}

function citedLine(sources: readonly { readonly title: string }[]): HTMLElement[] {
  const titles = [...new Set(sources.map(({ title }) => title))].map(named);
  return titles.length === 0
    ? []
    : [element("p", { class: "faint" }, "Cites ", ...joined(titles, ", "))];
}

async function askRefund(
  place: Place,
  user: string,
  queryId: string,
  reload: () => Promise<unknown>,
): Promise<void> {
  const outcome = await confirm({
    title: ["Refund this answer?"],
    words: "It does not count against the user’s quota any more. They keep the answer.",
    action: "Refund",
    run: async () => {
      const path = `${userPath(user)}/queries/${encodeURIComponent(queryId)}/refund`;
      await place.api.send("POST", path);
    },
  });
  if (outcome === "done") place.announce("Refunded.");
  if (outcome !== "kept") await reload();
}
