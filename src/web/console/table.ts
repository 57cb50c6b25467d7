// Tables: on a narrow screen they scroll inside their frame, and leave out what
// matters less.

import { button, element } from "../element.ts";
import { whole } from "./format.ts";

export interface Column {
  readonly title: string;
  /** Numbers are at the end of their cells. */
  readonly isNumber?: boolean;
  /** Left out on a phone. */
  readonly isMinor?: boolean;
  /** What the rows are ordered by when the operator presses the head. */
  readonly order?: string;
}

export interface Order {
  readonly by: string;
  /** The one that goes up. All others have the largest first. */
  readonly up?: string;
  readonly onChange: (order: string) => void;
}

export type Cell = Node | string | number;

export class Table {
  readonly frame: HTMLElement;
  readonly body = element("tbody", {});
  readonly #columns: readonly Column[];

  constructor(name: string, columns: readonly Column[], order?: Order) {
    this.#columns = columns;
    const heads = columns.map((column) =>
      element("th", { scope: "col", class: kindOf(column) }, column.title),
    );
    if (order !== undefined) makeOrdered(heads, columns, order);
    this.frame = element(
      "div",
      // It scrolls, so the keyboard has to reach it.
      { class: "scroll", role: "region", tabindex: "0", "aria-label": name },
      element("table", {}, element("thead", {}, element("tr", {}, ...heads)), this.body),
    );
  }

  /** The first cell names the row. */
  row(...cells: readonly Cell[]): HTMLElement {
    const all = cells.map((cell, i) => {
      const words = typeof cell === "number" ? whole(cell) : cell;
      const kind = kindOf(this.#columns[i]);
      return i === 0
        ? element("th", { scope: "row", class: kind }, words)
        : element("td", { class: kind }, words);
    });
    return element("tr", {}, ...all);
  }

  fill(rows: readonly (readonly Cell[])[]): HTMLElement {
    this.body.replaceChildren(...rows.map((cells) => this.row(...cells)));
    return this.frame;
  }
}

function kindOf({ isNumber, isMinor }: Column = { title: "" }): string | undefined {
  const kinds = [isNumber && "number", isMinor && "minor"].filter(Boolean);
  return kinds.length === 0 ? undefined : kinds.join(" ");
}

function makeOrdered(
  heads: readonly HTMLElement[],
  columns: readonly Column[],
  { by, up, onChange }: Order,
): void {
  const mark = (chosen: string) => {
    for (const [i, { order }] of columns.entries()) {
      const head = heads[i];
      if (order === undefined || head === undefined) continue;
      if (order !== chosen) head.removeAttribute("aria-sort");
      else head.ariaSort = order === up ? "ascending" : "descending";
    }
  };
  for (const [i, { order, title }] of columns.entries()) {
    if (order === undefined) continue;
    const press = button(
      { class: "order" },
      () => {
        mark(order);
        onChange(order);
      },
      title,
    );
    heads[i]?.replaceChildren(press);
  }
  mark(by);
}
