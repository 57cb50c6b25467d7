// A month's bill, and what the free plan carries.

import { type Item, LIMITS, MODEL, PLAN_DOLLARS, PRICES, VECTORS } from "./prices.ts";
import { type AnswerUsage, modelDollars, neurons } from "./usage.ts";

export interface BillLine {
  readonly item: Item;
  readonly used: number;
  readonly dollars: number;
}

export interface Bill {
  readonly lines: readonly BillLine[];
  readonly planDollars: number;
  readonly modelDollars: number;
  readonly totalDollars: number;
}

export const ITEMS = Object.keys(PRICES) as readonly Item[];

/** Of the paid plan, after what it includes. */
export function bill(usage: AnswerUsage, answersAMonth: number): Bill {
  const lines = ITEMS.map((item) => {
    const used = usage.each[item] * answersAMonth;
    const { included, dollars, per } = PRICES[item];
    return { item, used, dollars: (Math.max(0, used - included) / per) * dollars };
  });
  const model = modelDollars(usage) * answersAMonth;
  const all = lines.reduce((sum, { dollars }) => sum + dollars, 0);
  return {
    lines,
    planDollars: PLAN_DOLLARS,
    modelDollars: model,
    totalDollars: PLAN_DOLLARS + all + model,
  };
}

/** The price of a million answers, with nothing included. */
export function listPrice(usage: AnswerUsage, item: Item): number {
  const { dollars, per } = PRICES[item];
  return ((usage.each[item] * 1e6) / per) * dollars;
}

export interface FreeLimit {
  readonly what: string;
  /** A day; of stored data, in all. */
  readonly carries: number;
  readonly each: number;
  readonly answersADay: number;
}

/** The limits of the free plan, the one that binds first at the top. */
export function freeLimits(usage: AnswerUsage, storedDays: number): FreeLimit[] {
  const limits = ITEMS.filter((item) => Number.isFinite(PRICES[item].free)).map((item) => {
    const { what, unit, free } = PRICES[item];
    // Stored data fills up until the first answers are deleted.
    const each = item === "storedGb" ? usage.each[item] * storedDays : usage.each[item];
    return { what: `${what} (${unit})`, carries: free, each, answersADay: free / each };
  });
  if (usage.kind === "model") {
    const each = neurons(usage);
    const carries = MODEL.freeNeurons;
    limits.push({ what: "Workers AI (neurons)", carries, each, answersADay: carries / each });
  }
  return limits.sort((one, other) => one.answersADay - other.answersADay);
}

/** Whether a request of this much CPU fits the free plan's limit. */
export function fitsFreeCpu(cpuMs: number): boolean {
  return cpuMs <= LIMITS.freeCpuMs;
}

/** What a million questions add in Vectorize, and passages each month. */
export function vectorDollars(passages: number): { questions: number; stored: number } {
  const { dimensions, queriedDollars, storedDollars } = VECTORS;
  return {
    questions: dimensions * queriedDollars,
    stored: ((passages * dimensions) / 1e6) * (queriedDollars + storedDollars),
  };
}
