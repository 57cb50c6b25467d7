// A table of a page as Markdown.

import type TurndownService from "turndown";
import { wordsOf } from "./html-element.ts";

/** Cells that a table may have after `colspan` and `rowspan` are applied. */
const CELLS_MAX = 100_000;
const SPAN_MAX = 100;

/** With each spanned cell repeated, so that every row is whole. */
export function tableOf(element: Element, service: TurndownService): string {
  const rows = [...element.querySelectorAll("tr")].filter(
    (row) => row.closest("table") === element,
  );
  const isLayout =
    element.querySelector("table") !== null ||
    element.getAttribute("role") === "presentation" ||
    element.querySelector(":scope pre") !== null;
  const inner = (cell: Element) => service.turndown(cell as unknown as TurndownService.Node).trim();
  if (isLayout)
    return `\n\n${rows
      .flatMap((row) => [...row.children].map(inner))
      .filter(Boolean)
      .join("\n\n")}\n\n`;
  const grid: string[][] = [];
  let cells = 0;
  rows.forEach((row, y) => {
    let x = 0;
    for (const cell of row.children) {
      if (cell.localName !== "td" && cell.localName !== "th") continue;
      const text = inner(cell)
        .replace(/\n\s*\n+/g, "\n")
        .replace(/ {2}\n|\n/g, "<br>")
        .replace(/(?<!\\)\|/g, "\\|");
      const across = span(cell.getAttribute("colspan"));
      const down = Math.min(span(cell.getAttribute("rowspan")), rows.length - y);
      while (grid[y]?.[x] !== undefined) x += 1;
      for (let dy = 0; dy < down; dy += 1) {
        for (let dx = 0; dx < across && cells < CELLS_MAX; dx += 1, cells += 1) {
          grid[y + dy] ??= [];
          (grid[y + dy] as string[])[x + dx] = text;
        }
      }
      x += across;
    }
  });
  const width = Math.max(0, ...grid.map((row) => row?.length ?? 0));
  const filled = grid
    .filter((row) => row !== undefined)
    .map((row) => Array.from({ length: width }, (_, i) => row[i] ?? ""))
    .filter((row) => row.some((text) => text !== ""));
  if (filled.length === 0) return "";
  const caption = element.querySelector("caption")?.textContent.trim() ?? "";
  const head = rows[0] !== undefined && isHead(rows[0]);
  if (!head && width === 1) return `\n\n${filled.map(([text]) => text).join("\n\n")}\n\n`;
  const line = (row: readonly string[]) => `| ${row.join(" | ")} |`;
  const first = head ? (filled.shift() ?? []) : Array.from({ length: width }, () => " ");
  const lines = [line(first), line(first.map(() => "---")), ...filled.map(line)];
  return `\n\n${caption === "" ? "" : `${caption}\n\n`}${lines.join("\n")}\n\n`;
}

function span(value: string | null): number {
  return Math.min(SPAN_MAX, Math.max(1, Number.parseInt(value ?? "1", 10) || 1));
}

/** Word processors write the head as a row in bold. */
function isHead(row: Element): boolean {
  if (row.parentElement?.localName === "thead") return true;
  const cells = [...row.children];
  if (cells.every(({ localName }) => localName === "th")) return true;
  return cells.length > 1 && cells.every(isBold);
}

function isBold(cell: Element): boolean {
  const words = wordsOf(cell);
  const bold = cell.querySelector("b, strong");
  return bold !== null && words !== "" && wordsOf(bold) === words;
}
