// One user's object as it is now: what is being written, its counters, and its
// newest queries. It is read again while the operator looks.

import { button, element } from "../element.ts";
import { userPath } from "./api.ts";
import { isNotFound } from "./api-error.ts";
import { empty, loading, messageOf } from "./area.ts";
import type { Reservation, UserBody } from "./bodies.ts";
import { bytes, count, time, timeNow } from "./format.ts";
import type { Place } from "./place.ts";
import { quota } from "./quota.ts";
import { Receipts } from "./receipts.ts";
import { UserSettings } from "./user-settings.ts";

/** While an answer is being written; else; and where there is no user. */
const LIVE_MS = 1_000;
const IDLE_MS = 5_000;
const UNKNOWN_MS = 10_000;
const UNKNOWN = "Nothing is stored of this user. They have not asked yet, or were erased.";

export async function user(place: Place, name: string): Promise<void> {
  const { api, root, gone, title } = place;
  title(name);
  const stale = element("div", { class: "stale" });
  const now = element("section", { class: "now", "aria-label": "Now" });
  const side = new Parts("side");
  const main = new Parts("newest");
  const look = async () => {
    const seen = await api.get<UserBody>(userPath(name), {}, gone);
    stale.replaceChildren();
    show(seen);
    return seen.reservations.length > 0 ? LIVE_MS : IDLE_MS;
  };
  const settings = new UserSettings(place, name, async () => {
    await look().catch(fail);
  });
  const newest = new Receipts(place, name, () => look().catch(fail));
  const show = (seen: UserBody) => {
    settings.show(seen);
    now.replaceChildren(...writing(seen.reservations));
    side.put("audit", seen.audit, () => audit(seen.audit));
    side.put("quota", [seen.windows, seen.limit], () => quota(seen));
    side.put("settings", "", () => element("section", { class: "panel" }, settings.form));
    side.put("facts", facts(seen), () => factList(facts(seen)));
    main.put("queries", seen.queries, () => newest.show(seen.queries));
  };
  /** What was seen stays. Returns when to look again. */
  const fail = (thrown: unknown): number => {
    if (gone.aborted) return IDLE_MS;
    if (isNotFound(thrown)) {
      stale.replaceChildren();
      now.replaceChildren();
      settings.showNone();
      side.only(element("section", { class: "panel" }, settings.form));
      main.only(empty(UNKNOWN));
      return UNKNOWN_MS;
    }
    if (main.isEmpty) main.only(element("div"));
    stale.replaceChildren(
      element(
        "div",
        { class: "failure", role: "alert" },
        element("p", {}, messageOf(thrown)),
        button({ class: "plain" }, () => void look().catch(fail), "Try again"),
      ),
    );
    return IDLE_MS;
  };
  const columns = element("div", { class: "columns" }, main.root, side.root);
  root.append(stale, now, columns);
  main.root.append(loading());
  while (!gone.aborted) {
    const pause = document.hidden ? IDLE_MS : await look().catch(fail);
    await sleep(pause, gone);
  }
}

function sleep(ms: number, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      gone.removeEventListener("abort", end);
      document.removeEventListener("visibilitychange", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    gone.addEventListener("abort", end);
    // The operator comes back to the tab.
    document.addEventListener("visibilitychange", end);
  });
}

/** Parts of the page. One that is the same stays, with its focus and what is open. */
class Parts {
  readonly root: HTMLElement;
  readonly #shown = new Map<string, { readonly text: string; readonly node: HTMLElement }>();

  constructor(kind: string) {
    this.root = element("div", { class: `area ${kind}` });
  }

  get isEmpty(): boolean {
    return this.#shown.size === 0;
  }

  put(name: string, value: unknown, make: () => HTMLElement): void {
    if (this.#shown.size === 0) this.root.replaceChildren();
    const text = JSON.stringify(value);
    const before = this.#shown.get(name);
    if (before?.text === text) return;
    const node = make();
    if (before === undefined) this.root.append(node);
    else if (before.node !== node) before.node.replaceWith(node);
    this.#shown.set(name, { text, node });
  }

  /** Instead of all parts. */
  only(node: HTMLElement): void {
    this.#shown.clear();
    this.root.replaceChildren(node);
  }
}

function audit({ ok, differences }: UserBody["audit"]): HTMLElement {
  if (ok) return element("div", { hidden: true });
  return element(
    "div",
    { class: "failure", role: "alert" },
    element("p", {}, "A recount of the rows differs from the counters. This is a fault of Belay."),
    element("ul", {}, ...differences.map((words) => element("li", {}, words))),
  );
}

type Facts = Readonly<Record<string, string>>;

function facts({ refundLimit, storageBytes, alarmAt, audit }: UserBody): Facts {
  return {
    "Refunds for leaving or stopping": `at most ${refundLimit} in each window`,
    Audit: audit.ok ? "a recount of all rows agrees" : "differs",
    Storage: bytes(storageBytes),
    "Next alarm": alarmAt ?? "none",
  };
}

function factList(facts: Facts): HTMLElement {
  const items = Object.entries(facts).map(([name, value]) => {
    const shown = /^\d{4}-.*Z$/.test(value) ? time(value) : value;
    return element("div", {}, element("dt", {}, name), element("dd", {}, shown));
  });
  return element("dl", { class: "panel facts" }, ...items);
}

/** What is being written, and when it was read. */
function writing(open: readonly Reservation[]): readonly HTMLElement[] {
  const items = open.map(({ queryId, ageMs, live, tokens }) =>
    element(
      "p",
      { class: live ? "live" : "left" },
      live
        ? `An answer is being written: ${count(tokens, "token")} in ${Math.round(ageMs / 1_000)} s `
        : "A reservation has no run any more: the next sweep refunds it. ",
      element("code", {}, queryId.slice(0, 8)),
    ),
  );
  const none = element("p", { class: "faint" }, "No answer is being written.");
  const read = element("p", { class: "faint read" }, `Read at ${timeNow()}`);
  return [...(items.length === 0 ? [none] : items), read];
}
