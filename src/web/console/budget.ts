// What the overview says of the budget. Asks that it refuses are in no total.

import type { BudgetBody } from "./bodies.ts";

/** The log tells of the same part. */
const TOLD = 0.8;

const NUMBER = new Intl.NumberFormat("en");
const DOLLARS = new Intl.NumberFormat("en", { style: "currency", currency: "USD" });

/** Undefined while less than 80 % of each limit is spent. */
export function budgetWords(budget: BudgetBody): string | undefined {
  const { period, endsAt, generations, anonymous, usd } = budget;
  const pools = [
    { ...generations, amount: NUMBER, of: "answers" },
    { ...anonymous, amount: NUMBER, of: "answers without a bearer token" },
    { ...usd, amount: DOLLARS, of: "for the model" },
  ];
  const told = pools.flatMap(({ limit, spent, amount, of }) =>
    limit !== null && spent >= TOLD * limit
      ? [
          {
            isUsedUp: spent >= limit,
            words: `${amount.format(spent)} of ${amount.format(limit)} ${of}`,
          },
        ]
      : [],
  );
  if (told.length === 0) return undefined;
  const isUsedUp = told.some((pool) => pool.isUsedUp);
  const until = endsAt === null ? "" : ` until ${endsAt.slice(0, 10)}, 00:00 UTC`;
  return [
    `The budget of ${period === "total" ? "all time" : period} is ${isUsedUp ? "" : "nearly "}used up:`,
    `${told.map(({ words }) => words).join(", ")}.`,
    isUsedUp && `Asks past it are refused${until}, or quoted with BUDGET_FALLBACK.`,
    "PATCH /api/v1/admin/budget raises it.",
  ]
    .filter(Boolean)
    .join(" ");
}
