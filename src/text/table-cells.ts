// The cells of a line of a Markdown table. Linear in the line, whose
// length is bounded. Pure.

export type Align = "left" | "center" | "right" | "";

const BAR = /(?<!\\)\|/;
const EDGES = /^\||(?<!\\)\|$/g;
const CODE = /(?<!`)(`+)(?!`).*?[^`]\1(?!`)/g;
const DELIMITER = /^(:?)-+(:?)$/;

/**
 * The cells of a row. A bar in inline code parts cells, as on GitHub,
 * except where the row then has more than `wanted`, and without it
 * exactly that number.
 */
export function cellsOf(line: string, wanted = Infinity): string[] {
  const row = line.trim();
  const cells = parted(row);
  if (cells.length <= wanted) return cells;
  const fewer = parted(row.replace(CODE, (code) => code.replace(/\\?\|/g, "\\|")));
  return fewer.length === wanted ? fewer : cells;
}

function parted(row: string): string[] {
  const cells = row.replace(EDGES, "").split(BAR);
  return cells.map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/**
 * The alignment in a cell of the line below the head; undefined if it
 * is none.
 */
export function alignOf(delimiter: string): Align | undefined {
  const [all, left, right] = DELIMITER.exec(delimiter) ?? [];
  if (all === undefined) return undefined;
  if (left) return right ? "center" : "left";
  return right ? "right" : "";
}
