// The operators' log: who changed what.

import type { ShownEntry } from "../../shown.ts";
import { element } from "../element.ts";
import { time } from "./format.ts";
import { named, nameLink, visible } from "./names.ts";
import { Pages } from "./pages.ts";
import { addressOf, type Place } from "./place.ts";
import { Table } from "./table.ts";
import { actionName, changeName } from "./words.ts";

const COLUMNS = [{ title: "What" }, { title: "Of" }, { title: "Who and when" }];
/** What the log has instead of an erased user's name. */
const HASH = /^[0-9a-f]{64}$/;
const SHOWN_OF_HASH = 8;

export function operatorsLog({ api, root, gone }: Place): void {
  const table = new Table("Operators’ log", COLUMNS);
  const pages = new Pages<ShownEntry>(
    {
      async load(before, signal) {
        const page = await api.get<{ entries: ShownEntry[]; before: string | null }>(
          "/log",
          { before },
          signal,
        );
        return { items: page.entries, next: page.before };
      },
      show: (entry) => shown(entry, table),
      holder: table.body,
      frame: table.frame,
      none: "No operator has changed anything yet.",
    },
    gone,
  );
  root.append(pages.root);
  pages.load();
}

function shown({ at, operator, action, target, change }: ShownEntry, table: Table): HTMLElement {
  const set = visible(changeName(change));
  return table.row(
    element(
      "span",
      { class: "name", title: action },
      actionName(action),
      ...(set === "" ? [] : [element("small", { class: "faint", dir: "auto" }, set)]),
    ),
    targetOf(action, target),
    element(
      "span",
      { class: "name" },
      named(operator),
      element("small", { class: "faint" }, time(at)),
    ),
  );
}

/** Of an erased user there is no name to link to. */
function targetOf(action: string, target: string | null): Node | string {
  if (target === null) return "–";
  if (!action.includes("/users/:userId")) return element("span", { class: "name" }, named(target));
  if (!HASH.test(target)) return nameLink(target, addressOf(["users", target]));
  const start = element("code", {}, `${target.slice(0, SHOWN_OF_HASH)}…`);
  return element("span", { class: "name faint", title: target }, "an erased user ", start);
}
