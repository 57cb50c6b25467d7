// The day of a time, as a heading of the history.

import { localeOf } from "../clock.ts";
import type { PageWords } from "./words/page-words.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const WEEK = 7;

/** Today, yesterday, the weekday of the last week, or the date. Arguments in ms. */
export function dayOf(at: number, now: number, words: PageWords): string {
  const days = Math.round((midnight(now) - midnight(at)) / DAY_MS);
  if (days <= 0) return words.today;
  if (days === 1) return words.yesterday;
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const form: Intl.DateTimeFormatOptions =
    days < WEEK
      ? { weekday: "long" }
      : { day: "numeric", month: "long", ...(!sameYear && { year: "numeric" }) };
  return new Intl.DateTimeFormat(localeOf(words.lang), form).format(at);
}

/** Where the reader is. Days of 23 and 25 hours are rounded away. */
function midnight(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}
