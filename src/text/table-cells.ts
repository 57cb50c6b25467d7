// The cells of a line of a Markdown table. Linear in the line. Pure.

import { CodeSpans } from "./code-spans.ts";

export type Align = "left" | "center" | "right" | "";

const DELIMITER = /^:?-+:?$/;

/**
 * The cells of a row. A bar in inline code parts cells, as on GitHub,
 * except where the row then has more than `wanted`, and without it
 * exactly that number.
 */
export function cellsOf(line: string, wanted?: number): string[] {
  const row = line.trim();
  const bars = Array.from(row.matchAll(/(?<!\\)\|/g), ({ index }) => index);
  const cells = parted(row, bars);
  if (wanted === undefined || cells.length <= wanted) return cells;
  const spans = new CodeSpans(row);
  const outside: number[] = [];
  let next = 0;
  let after = 0;
  for (const { index, 0: run } of row.matchAll(/`+/g)) {
    if (index < after) continue;
    const end = spans.closing(run.length, index + run.length);
    if (end === undefined) continue;
    for (; (bars[next] ?? index) < index; next += 1) outside.push(bars[next] as number);
    after = end + run.length;
    while ((bars[next] ?? after) < after) next += 1;
  }
  const fewer = parted(row, [...outside, ...bars.slice(next)]);
  return fewer.length === wanted ? fewer : cells;
}

function parted(row: string, bars: readonly number[]): string[] {
  const inner = bars.filter((at) => at > 0 && at < row.length - 1);
  const from = bars[0] === 0 ? 1 : 0;
  const to = bars.length > 0 && bars.at(-1) === row.length - 1 ? row.length - 1 : row.length;
  const edges = [from - 1, ...inner, to];
  return edges
    .slice(1)
    .map((end, i) => row.slice((edges[i] ?? 0) + 1, end).trim())
    .map((cell) => cell.replaceAll("\\|", "|"));
}

/**
 * The alignment in a cell of the line below the head; undefined if it
 * is none.
 */
export function alignOf(delimiter: string): Align | undefined {
  if (!DELIMITER.test(delimiter)) return undefined;
  const left = delimiter.startsWith(":");
  const right = delimiter.endsWith(":");
  if (left && right) return "center";
  if (left) return "left";
  return right ? "right" : "";
}
