// What is no content of a PDF: running heads, feet and numbers, and the dots of a table of contents. Pure.

import { bodySize } from "./pdf-headings.ts";
import type { Line } from "./pdf-lines.ts";

/** Lines at the top and the bottom of a page that may repeat. */
const EDGE_LINES = 2;
const REPEATED_SHARE = 0.4;
const REPEATED_MIN = 3;
/** Of the height of a page. Small print there is a running head or foot. */
export const MARGIN = 0.06;
const SMALL = 0.85;
/** Page numbers are in this part of a page, and not in large print. */
const NUMBER_MARGIN = 0.2;
const LARGE = 1.12;
/** Dots that lead from one text to another. */
const LEADER = /(?:\s?[.·…]){6,}/;
const ENTRY = /(?:\s?[.·…]){6,}\s*(\d{1,4})\s*$/;
const ENTRIES_MIN = 3;

/** Takes off running heads and feet, page numbers, and entries that dots lead to a page. */
export function withoutEdges(
  pages: readonly (readonly Line[])[],
  heights: readonly number[],
): Line[][] {
  const isInMargin = (line: Line, page: number, share = MARGIN) => {
    const height = heights[page] ?? 0;
    return line.y < height * share || line.y > height * (1 - share);
  };
  const body = bodySize(
    pages.flatMap((lines, page) => lines.filter((line) => !isInMargin(line, page))),
  );
  const counts = new Map<string, Set<number>>();
  const key = ({ y, text, rows }: Line) => {
    // Numbers differ from page to page; those of a table are its content.
    const shape = rows === undefined ? text.replace(/\d+|\b[ivxl]+\b/gi, "#") : text;
    return `${Math.round(y / 4)} ${shape.trim()}`;
  };
  const edges = pages.map((lines) => {
    const byHeight = [...lines].sort((a, b) => b.y - a.y);
    return new Set([...byHeight.slice(0, EDGE_LINES), ...byHeight.slice(-EDGE_LINES)]);
  });
  edges.forEach((lines, page) => {
    for (const line of lines) {
      const on = counts.get(key(line)) ?? new Set();
      on.add(page);
      counts.set(key(line), on);
    }
  });
  const least = Math.max(REPEATED_MIN, pages.length * REPEATED_SHARE);
  return pages.map((lines, page) =>
    withoutLeaders(lines).filter((line) => {
      if (!edges[page]?.has(line)) return true;
      if ((counts.get(key(line))?.size ?? 0) >= least) return false;
      if (line.rows !== undefined) return true;
      if (isInMargin(line, page) && line.size < body * SMALL) return false;
      return !(
        pages.length > 1 &&
        isInMargin(line, page, NUMBER_MARGIN) &&
        line.size < body * LARGE &&
        /^[-–—\s]*(?:page\s+)?\d{1,4}(?:\s*(?:\/|of)\s*\d{1,4})?[-–—\s]*$/i.test(line.text)
      );
    }),
  );
}

/** Takes off a table of contents: entries whose page numbers never fall. */
function withoutLeaders(lines: readonly Line[]): Line[] {
  const kept: Line[] = [];
  let entries: Line[] = [];
  let last = 0;
  const close = () => {
    if (entries.length < ENTRIES_MIN) kept.push(...entries.map(parted));
    entries = [];
    last = 0;
  };
  for (const line of lines) {
    const number = line.rows === undefined ? ENTRY.exec(line.text)?.[1] : undefined;
    if (number === undefined || Number(number) < last) close();
    if (number === undefined) kept.push(LEADER.test(line.text) ? parted(line) : line);
    else {
      entries.push(line);
      last = Number(number);
    }
  }
  close();
  return kept;
}

/** What is beside the dots are two cells. */
function parted(line: Line): Line {
  if (line.rows !== undefined) return line;
  const { text, x, width, size } = line;
  const [left = "", ...others] = text.split(LEADER).map((part) => part.trim());
  const right = others.join(" ").trim();
  if (right === "") {
    return {
      ...line,
      text: left,
      width: (width * left.length) / text.length,
      cells: [{ text: left, x }],
    };
  }
  const cells = [
    { text: left, x },
    { text: right, x: x + width - right.length * size * 0.5 },
  ];
  return { ...line, text: `${left} ${right}`, cells };
}
