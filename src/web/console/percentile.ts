// Percentiles of a histogram, and the days of a chart. Pure.

import type { Histogram } from "../../report.ts";

/**
 * The bound that this share of all durations is at most, in ms; Infinity if it
 * is above all bounds, undefined if there is no duration.
 */
export function percentile(
  histogram: Histogram,
  boundsMs: readonly number[],
  share: number,
): number | undefined {
  const count = histogram.reduce((sum, n) => sum + n, 0);
  if (count === 0) return undefined;
  let below = 0;
  for (const [place, n] of histogram.entries()) {
    below += n;
    if (below >= share * count) return boundsMs[place] ?? Number.POSITIVE_INFINITY;
  }
  return Number.POSITIVE_INFINITY;
}

export function together(histograms: readonly Histogram[]): Histogram {
  const length = Math.max(0, ...histograms.map((histogram) => histogram.length));
  return Array.from({ length }, (_, place) =>
    histograms.reduce((sum, histogram) => sum + (histogram[place] ?? 0), 0),
  );
}

/** Every UTC day from the first to the last, both included. */
export function daysBetween(first: string, last: string): string[] {
  const days: string[] = [];
  for (let at = Date.parse(first); at <= Date.parse(last); at += 86_400_000) {
    days.push(new Date(at).toISOString().slice(0, 10));
  }
  return days;
}
