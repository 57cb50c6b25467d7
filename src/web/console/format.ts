// Numbers and times as the console shows them, in the operator's own form.

import { localeOf } from "../clock.ts";
import { element } from "../element.ts";

const LOCALE = localeOf("en");
const DAY_MS = 86_400_000;
const WHOLE = new Intl.NumberFormat(LOCALE);
const SHORT = new Intl.NumberFormat(LOCALE, { notation: "compact", maximumFractionDigits: 1 });
const SHARE = new Intl.NumberFormat(LOCALE, { style: "percent", maximumFractionDigits: 1 });
const CHANGE = new Intl.NumberFormat(LOCALE, {
  style: "percent",
  maximumFractionDigits: 0,
  signDisplay: "exceptZero",
});
const SCORE = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 2 });
const FULL_TIME = new Intl.DateTimeFormat(LOCALE, { dateStyle: "full", timeStyle: "long" });
const CLOCK = new Intl.DateTimeFormat(LOCALE, { timeStyle: "short" });
const SECONDS = new Intl.DateTimeFormat(LOCALE, { timeStyle: "medium" });
const DATE = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });
const OLD_DATE = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium" });
/** Days of the totals are days in UTC. */
const DAY = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", timeZone: "UTC" });

export function whole(n: number): string {
  return WHOLE.format(n);
}

/** "1 user", "2 users". */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${WHOLE.format(n)} ${n === 1 ? one : many}`;
}

export function short(n: number): string {
  return n < 10_000 ? WHOLE.format(n) : SHORT.format(n);
}

/** Empty if there is no whole. */
export function share(part: number, all: number): string {
  return all === 0 ? "" : SHARE.format(part / all);
}

/** "+12 %". Empty if there was nothing before. */
export function change(now: number, before: number): string {
  return before === 0 ? "" : CHANGE.format(now / before - 1);
}

export function score(value: number): string {
  return SCORE.format(value);
}

export function milliseconds(ms: number): string {
  return ms < 1_000 ? `${WHOLE.format(Math.round(ms))} ms` : `${SCORE.format(ms / 1_000)} s`;
}

export function bytes(n: number): string {
  if (n < 1_024) return `${n} B`;
  const isLarge = n >= 1_024 ** 2;
  return isLarge ? `${SHORT.format(n / 1_024 ** 2)} MiB` : `${SHORT.format(n / 1_024)} KiB`;
}

export function dayName(day: string): string {
  return DAY.format(Date.parse(day));
}

/** A time in ISO 8601: the time of day today, else the date too. */
export function time(at: string, now = new Date()): HTMLElement {
  const date = new Date(at);
  return element("time", { datetime: at, title: FULL_TIME.format(date) }, timeWords(date, now));
}

function timeWords(date: Date, now: Date): string {
  const clock = CLOCK.format(date);
  if (date.toDateString() === now.toDateString()) return clock;
  const isThisYear = date.getFullYear() === now.getFullYear();
  return `${(isThisYear ? DATE : OLD_DATE).format(date)}, ${clock}`;
}

/** The time of day with its seconds. */
export function timeNow(): string {
  return SECONDS.format(Date.now());
}

/** The UTC day this many days ago. */
export function daysAgo(days: number, now = Date.now()): string {
  return new Date(now - days * DAY_MS).toISOString().slice(0, 10);
}
