// The variables of the budget. Without a limit there is none.

import {
  generatorConfig,
  invalid,
  oneOf,
  rewriteMode,
  text,
  type VariableName,
  type Variables,
} from "./config.ts";
import { kept } from "./kept.ts";
import type { QuotaPeriod } from "./protocol.ts";

/** In micro-dollars per token, which is dollars per million tokens. */
export interface Prices {
  readonly input: number;
  readonly output: number;
}

export interface BudgetConfig {
  readonly limits: {
    readonly generations: number | undefined;
    readonly anonymous: number | undefined;
    readonly micros: number | undefined;
  };
  readonly period: QuotaPeriod;
  /** Undefined where nothing is paid by the token. */
  readonly prices: Prices | undefined;
  /** Whether a model is asked for the query of a follow-up too. */
  readonly rewrites: boolean;
  /** What answers past the budget. */
  readonly fallback: "extractive" | undefined;
}

/** In dollars: more decimals are less than a micro-dollar. */
const DECIMAL = /^\d{1,9}(?:\.\d{1,6})?$/;
const MICROS = 1_000_000;

/** Undefined if no limit is set. */
export const budgetConfig = kept(readBudgetConfig);

function readBudgetConfig(env: Variables): BudgetConfig | undefined {
  const period = oneOf(env, "BUDGET_PERIOD", ["month", "day", "total"]);
  const usd = dollars(env, "BUDGET_USD");
  const limits = {
    generations: limit(env, "BUDGET_LIMIT"),
    anonymous: limit(env, "BUDGET_ANONYMOUS_LIMIT"),
    micros: usd === undefined ? undefined : Math.floor(usd * MICROS),
  };
  const input = dollars(env, "PRICE_INPUT_USD");
  const output = dollars(env, "PRICE_OUTPUT_USD");
  const fallback =
    text(env, "BUDGET_FALLBACK") === undefined
      ? undefined
      : oneOf(env, "BUDGET_FALLBACK", ["extractive"]);
  if (Object.values(limits).every((value) => value === undefined)) return undefined;
  const isFree = generatorConfig(env).kind === "extractive";
  if (usd !== undefined && !isFree) {
    if (input === undefined) throw unpriced("PRICE_INPUT_USD");
    if (output === undefined) throw unpriced("PRICE_OUTPUT_USD");
  }
  const isPriced = !isFree && input !== undefined && output !== undefined;
  const prices = isPriced ? { input, output } : undefined;
  return { limits, period, prices, rewrites: rewriteMode(env) !== "off", fallback };
}

function unpriced(name: VariableName) {
  return invalid(name, "is not set, and BUDGET_USD needs it: the price of a million tokens");
}

function limit(env: Variables, name: VariableName): number | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw invalid(name, "must be a whole number from 0 to 999999999");
}

function dollars(env: Variables, name: VariableName): number | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  if (DECIMAL.test(value)) return Number(value);
  throw invalid(name, "must be a number of dollars such as 12.5, with at most 6 decimals");
}
