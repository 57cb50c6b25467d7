// The body with which an operator changes the limits of the present period.
// The rules are the wire's (docs/protocol.md).

import * as v from "valibot";
import { check, wholeNumber } from "../request.ts";
import type { Pool } from "./pool.ts";

const LIMIT_MAX = 1_000_000_000;
const MICROS = 1_000_000;

// Null leaves a limit to its variable again.
export const BudgetBody = v.strictObject({
  limit: v.optional(v.nullable(wholeNumber(0, LIMIT_MAX))),
  anonymousLimit: v.optional(v.nullable(wholeNumber(0, LIMIT_MAX))),
  usd: v.optional(
    v.nullable(
      v.pipe(
        v.number(),
        v.minValue(0, "must be from 0 to 1000000"),
        v.maxValue(1_000_000, "must be from 0 to 1000000"),
      ),
    ),
  ),
});

export interface BudgetChange {
  /** As it was sent. */
  readonly body: v.InferOutput<typeof BudgetBody>;
  readonly limits: readonly { readonly pool: Pool; readonly value: number | null }[];
}

export function parseBudgetChange(sent: unknown): BudgetChange {
  const body = check(BudgetBody, sent);
  const { limit, anonymousLimit, usd } = body;
  const micros = usd === undefined || usd === null ? usd : Math.floor(usd * MICROS);
  const limits: readonly [Pool, number | null | undefined][] = [
    ["generations", limit],
    ["anonymous", anonymousLimit],
    ["micros", micros],
  ];
  const set = limits.flatMap(([pool, value]) => (value === undefined ? [] : [{ pool, value }]));
  return { body, limits: set };
}
