// All users: who uses it, and how much.

import type { ShownUser } from "../../shown.ts";
import { element } from "../element.ts";
import { chosenOf, LIST_PERIODS, searchField, segments } from "./fields.ts";
import { daysAgo, time } from "./format.ts";
import { nameLink } from "./names.ts";
import { Pages } from "./pages.ts";
import { addressOf, type Place } from "./place.ts";
import { type Column, Table } from "./table.ts";
import { REASON_NAMES } from "./words.ts";

const NAME = "name";
const COLUMNS: readonly Column[] = [
  { title: "User", order: NAME },
  { title: "Asked", isNumber: true, order: "asked" },
  { title: "Charged", isNumber: true, isMinor: true, order: "charged" },
  { title: "Refunded", isNumber: true, order: "refunded" },
  { title: "Failed", isNumber: true, isMinor: true, order: "failed" },
  { title: "Tokens", isNumber: true, isMinor: true, order: "tokens" },
  { title: "Limit", isNumber: true, isMinor: true },
  { title: "Last seen", order: "lastSeen" },
];
const ORDERS = Object.fromEntries(
  COLUMNS.flatMap(({ order, title }) => (order ? [[order, title]] : [])),
);

export function users({ api, root, controls, filters, gone, keep }: Place): void {
  let search = filters.get("search") ?? "";
  let sort = chosenOf(ORDERS, filters.get("sort"), "lastSeen");
  let days = chosenOf(LIST_PERIODS, filters.get("days"), "");
  const change = () => {
    keep({ search, sort, days });
    pages.load();
  };
  const table = new Table("Users", COLUMNS, {
    by: sort,
    up: NAME,
    onChange: (order) => {
      sort = order;
      change();
    },
  });
  const pages = new Pages<ShownUser>(
    {
      async load(after, signal) {
        // Days are UTC days, and today is one of them.
        const since = days === "" ? undefined : daysAgo(Number(days) - 1);
        const page = await api.get<{ users: ShownUser[]; after: string | null }>(
          "/users",
          { search, sort, since, after },
          signal,
        );
        return { items: page.users, next: page.after };
      },
      show: (user) => shown(user, table),
      holder: table.body,
      frame: table.frame,
      none: "There is no such user. Users show here seconds after their first answer.",
    },
    gone,
  );
  controls.append(
    searchField("Find a user", search, (words) => {
      search = words;
      change();
    }),
    segments("Period", LIST_PERIODS, days, (chosen) => {
      days = chosen;
      change();
    }),
  );
  root.append(pages.root);
  pages.load();
}

function shown({ user, blocked, lastSeen, limit, ...counts }: ShownUser, table: Table) {
  const { asked, charged, refunded, failed, tokens } = counts;
  const name = nameLink(user, addressOf(["users", user]));
  const marks = blocked ? [" ", element("span", { class: "chip bad" }, "blocked")] : [];
  const refunds = REASON_NAMES.reduce((total, reason) => total + refunded[reason], 0);
  return table.row(
    element("span", { class: "name" }, name, ...marks),
    ...[asked, charged, refunds, failed, tokens, limit],
    lastSeen === null ? "–" : time(lastSeen),
  );
}
