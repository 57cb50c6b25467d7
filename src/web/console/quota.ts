// A user's quota: the open window as a bar, and the windows before it.

import { element } from "../element.ts";
import type { QuotaWindow, UserBody } from "./bodies.ts";
import { whole } from "./format.ts";
import { Table } from "./table.ts";

export function quota({ windows, limit }: UserBody): HTMLElement {
  const [open, ...earlier] = windows.toSorted((a, b) => (a.window < b.window ? 1 : -1));
  return element(
    "section",
    { class: "panel quota" },
    element("h2", {}, "Quota"),
    ...(open === undefined
      ? [element("p", { class: "faint" }, `Nothing is counted yet. The limit is ${whole(limit)}.`)]
      : openWindow(open, limit)),
    ...(earlier.length === 0 ? [] : [before(earlier)]),
  );
}

function openWindow(
  { window, charged, reserved, refunded, remaining }: QuotaWindow,
  limit: number,
) {
  const counts = {
    charged,
    reserved,
    refunded,
    remaining,
  };
  return [
    element(
      "p",
      {},
      element("b", { class: "big" }, whole(charged)),
      ` of ${whole(limit)} charged`,
      element("span", { class: "faint" }, ` in ${window}`),
    ),
    bar([charged, reserved], limit),
    element(
      "dl",
      { class: "counts" },
      ...Object.entries(counts).map(([name, n]) =>
        element("div", {}, element("dt", {}, name), element("dd", {}, whole(n))),
      ),
    ),
  ];
}

/** What is charged, and after it what is reserved. The numbers are beside it. */
function bar(parts: readonly number[], limit: number): HTMLElement {
  const filled = parts.map((n, i) => {
    const part = element("span", { class: `series-${i + 1}` });
    part.style.inlineSize = `${Math.min(100, (n / Math.max(limit, 1)) * 100)}%`;
    return part;
  });
  return element("div", { class: "bar", "aria-hidden": "true" }, ...filled);
}

function before(windows: readonly QuotaWindow[]): HTMLElement {
  const numbers = ["Charged", "Refunded"].map((title) => ({ title, isNumber: true }));
  const table = new Table("Windows before", [{ title: "Window" }, ...numbers]);
  const rows = windows.map(({ window, charged, refunded }) => [window, charged, refunded]);
  const words = element("summary", {}, "Windows before");
  return element("details", { class: "numbers" }, words, table.fill(rows));
}
