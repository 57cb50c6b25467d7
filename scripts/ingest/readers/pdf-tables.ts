// Tables of a PDF as Markdown: found by where their texts begin, or given as rows. Pure.

import type { Line } from "./pdf-lines.ts";
import { escaped, join } from "./pdf-text.ts";

/** The number of rows of a table from a line on. */
export function tableFrom(lines: readonly Line[], from: number, body: number): number {
  const first = lines[from];
  if (first === undefined || first.cells.length < 2) return 0;
  let count = 1;
  let full = 1;
  for (let line = lines[from + count]; line !== undefined; line = lines[from + count]) {
    if (line.rows !== undefined || line.cells[0]?.text === "") break;
    const before = lines[from + count - 1] as Line;
    if (before.y < line.y || before.y - line.y > body * 4) break;
    const areAligned = line.cells.every(({ x }) =>
      first.cells.some((cell) => Math.abs(cell.x - x) < body),
    );
    if (!areAligned || (line.cells.length === 1 && before.y - line.y > body * 1.6)) break;
    if (line.cells.length > 1) full += 1;
    count += 1;
  }
  return full < 2 || full * 2 < count ? 0 : count;
}

/** Its rows, in Markdown. */
export function tableOf(lines: readonly Line[]): string[][] {
  const columns = [...new Set(lines[0]?.cells.map(({ x }) => x))];
  const rows: string[][] = [];
  for (const line of lines) {
    const row = columns.map(() => "");
    for (const { text, x } of line.cells) {
      const column = columns.reduce(
        (best, at, i) => (Math.abs(at - x) < Math.abs((columns[best] ?? 0) - x) ? i : best),
        0,
      );
      row[column] = cellText(text);
    }
    const last = rows.at(-1);
    // The rest of a cell that has several lines.
    if (last !== undefined && row[0] === "" && rows.length > 1) {
      row.forEach((text, i) => {
        if (text !== "") last[i] = `${last[i]} ${text}`.trim();
      });
    } else rows.push(row);
  }
  return rows;
}

/** The lines of a cell as one, in Markdown. */
export function cellText(cell: string, vocabulary: ReadonlySet<string> = new Set()): string {
  const lines = cell.split("\n");
  const text = lines.reduce((before, next) => join(before, next, vocabulary));
  return escaped(text).replaceAll("|", "\\|");
}

export function shownTable([head = [], ...others]: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...others].map(shownRow).join("\n");
}

function shownRow(row: readonly string[]): string {
  return `| ${row.join(" | ")} |`;
}
