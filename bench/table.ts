// The results as tables for people.

import { type Goal, isReached, type Result } from "./result.ts";

export function table({ title, columns, rows, remarks }: Result): string {
  const lines = [
    ["", ...columns],
    ...rows.map(({ name, values }) => [`  ${name}`, ...values.map(figure)]),
  ];
  return [title, "", aligned(lines), ...remarks.map((line) => `  ! ${line}`)].join("\n");
}

/** The goals: what was measured, what was wanted, and whether it is reached. */
export function goalTable(goals: readonly Goal[]): string {
  return aligned([
    ["Goal", "measured", "at most", ""],
    ...goals.map((goal) => [
      `  ${goal.what}`,
      `${figure(goal.value)} ${goal.unit}`,
      `${goal.limit} ${goal.unit}`,
      isReached(goal) ? "reached" : "not reached",
    ]),
  ]);
}

/** With two or three digits that count. */
export function figure(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "";
  if (value === Number.POSITIVE_INFINITY) return "never";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  if (value === 0) return "0";
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** The first column to the left, the others to the right. */
function aligned(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => (line[column] ?? "").length)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("   ")
        .trimEnd(),
    )
    .join("\n");
}
