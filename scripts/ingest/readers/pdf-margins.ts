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
const LEADER = /(?:\s?[.·…]){6,}\s*\d{0,4}\s*$/;

/** Takes off running heads and feet, page numbers, and entries that dots lead to a page. */
export function withoutEdges(
  pages: readonly (readonly Line[])[],
  heights: readonly number[],
): Line[][] {
  const isInMargin = (line: Line, page: number) => {
    const height = heights[page] ?? 0;
    return line.y < height * MARGIN || line.y > height * (1 - MARGIN);
  };
  const body = bodySize(
    pages.flatMap((lines, page) => lines.filter((line) => !isInMargin(line, page))),
  );
  const counts = new Map<string, Set<number>>();
  const key = (line: Line) =>
    `${Math.round(line.y / 4)} ${line.text.replace(/\d+|\b[ivxl]+\b/gi, "#").trim()}`;
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
    lines.filter((line) => {
      if (LEADER.test(line.text)) return false;
      if (!edges[page]?.has(line)) return true;
      if ((counts.get(key(line))?.size ?? 0) >= least) return false;
      if (line.rows !== undefined) return true;
      if (isInMargin(line, page) && line.size < body * SMALL) return false;
      return !(
        pages.length > 1 &&
        /^[-–—\s]*(?:page\s+)?\d{1,4}(?:\s*(?:\/|of)\s*\d{1,4})?[-–—\s]*$/i.test(line.text)
      );
    }),
  );
}
