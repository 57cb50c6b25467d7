// The windows of time in which things are counted: a UTC day, a UTC month, or
// all time. Pure.

import type { QuotaPeriod } from "./protocol.ts";

/**
 * The name of the window that holds a time: its UTC day or month, or `total`.
 */
export function windowAt(now: number, period: QuotaPeriod): string {
  const iso = new Date(now).toISOString();
  switch (period) {
    case "day":
      return iso.slice(0, "2026-11-22".length);
    case "month":
      return iso.slice(0, "2026-11".length);
    case "total":
      return "total";
  }
}

/**
 * When a window starts and ends, in milliseconds since the epoch; undefined
 * for `total`.
 */
export function windowSpan(window: string): { start: number; end: number } | undefined {
  const [year, month, day] = window.split("-").map(Number);
  if (year === undefined || month === undefined) return undefined;
  // Date.UTC carries over: day 32 of a month is in the next, month 13 in the
  // next year.
  return day === undefined
    ? { start: Date.UTC(year, month - 1), end: Date.UTC(year, month) }
    : { start: Date.UTC(year, month - 1, day), end: Date.UTC(year, month - 1, day + 1) };
}
