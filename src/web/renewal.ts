// When a quota renews, in words.

import { clock, waitUntil } from "./clock.ts";
import type { Words } from "./words/words.ts";

/** @param now In ms. */
export function renewal(words: Words, resetsAt: string | null, now: number): string {
  if (resetsAt === null) return words.neverRenews;
  const at = Date.parse(resetsAt);
  return words.renewsAt(clock(at, now, words.lang), waitUntil(at, now, words.lang));
}
