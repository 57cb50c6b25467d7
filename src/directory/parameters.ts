// The query parameters of the directory's lists, checked.

import { wholeParameter, wrongParameter } from "../request.ts";
import { type QueriesPage, USER_ORDERS, type UsersPage } from "./listings.ts";
import type { ReportPage } from "./operators-report.ts";

/** Rows on a page. */
export const LISTED = { byDefault: 50, min: 1, max: 200 };
/** The length of each list of the report. */
const REPORTED = { byDefault: 10, min: 1, max: 100 };

/** Days of totals without `since`. */
const DAYS_SHOWN = 30;
const DAY_MS = 86_400_000;
const REASONS = ["disconnected", "cancelled", "nothing_found", "failed", "expired", "operator"];

export function usersPage(parameters: URLSearchParams): UsersPage {
  return {
    search: parameters.get("search") ?? "",
    sort: oneOf(parameters, "sort", USER_ORDERS) ?? "lastSeen",
    since: day(parameters, "since"),
    limit: wholeParameter(parameters, "limit", LISTED),
    after: parameters.get("after"),
  };
}

export function queriesPage(parameters: URLSearchParams): QueriesPage {
  const found = oneOf(parameters, "found", ["true", "false"]);
  return {
    user: parameters.get("user"),
    found: found === null ? null : found === "true",
    rating: oneOf(parameters, "rating", ["up", "down", "any"]),
    reason: oneOf(parameters, "reason", REASONS),
    collection: parameters.get("collection"),
    since: time(parameters, "since") ?? 0,
    until: time(parameters, "until") ?? Number.MAX_SAFE_INTEGER,
    limit: wholeParameter(parameters, "limit", LISTED),
    before: cursor(parameters),
  };
}

/** UTC days, both included. */
export function totalsDays(
  parameters: URLSearchParams,
  now: number,
): { since: string; until: string } {
  const first = new Date(now - (DAYS_SHOWN - 1) * DAY_MS).toISOString().slice(0, 10);
  return { since: day(parameters, "since") ?? first, until: day(parameters, "until") ?? "9999" };
}

/** UTC days, both included, and the length of each list. */
export function reportPage(parameters: URLSearchParams, now: number): ReportPage {
  const { since } = totalsDays(parameters, now);
  const until = day(parameters, "until") ?? new Date(now).toISOString().slice(0, 10);
  return { since, until, limit: wholeParameter(parameters, "limit", REPORTED) };
}

/** `before` of the page before: a whole number. */
export function cursor(parameters: URLSearchParams): number {
  const text = parameters.get("before");
  if (text === null) return Number.MAX_SAFE_INTEGER;
  const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw wrongParameter("before", "what the page before says");
}

function oneOf<const T extends readonly string[]>(
  parameters: URLSearchParams,
  name: string,
  choices: T,
): T[number] | null {
  const value = parameters.get(name);
  if (value === null || choices.includes(value)) return value;
  throw wrongParameter(name, choices.join(", "));
}

function day(parameters: URLSearchParams, name: string): string | null {
  const value = parameters.get(name);
  if (value === null) return null;
  const isDay = /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value));
  if (isDay) return value;
  throw wrongParameter(name, "a day such as 2026-11-22");
}

/** A day, or a time in ISO 8601. */
function time(parameters: URLSearchParams, name: string): number | undefined {
  const value = parameters.get(name);
  if (value === null) return undefined;
  const ms = /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?$/.test(value)
    ? Date.parse(value)
    : Number.NaN;
  if (ms >= 0) return ms;
  throw wrongParameter(name, "a day such as 2026-11-22, or a time such as 2026-11-22T09:00:00Z");
}
