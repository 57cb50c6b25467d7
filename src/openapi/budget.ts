// The budget of the whole deployment, for operators.

import * as v from "valibot";
import { BudgetBody } from "../budget/budget-body.ts";
import { type Part, STRICT, shape } from "./operation.ts";

const pool = v.object({
  limit: v.nullable(v.number()),
  spent: v.number(),
  lent: v.number(),
});

const budgetShape = v.object({
  period: v.string(),
  endsAt: v.nullable(v.string()),
  generations: pool,
  anonymous: pool,
  usd: pool,
});

export function budget(): Part {
  return {
    tag: "Budget",
    about: `What all users together may spend. ${STRICT}`,
    shapes: {
      BudgetBody: shape(BudgetBody, "Limits of the present period.", {
        limit: "Generations; `null` leaves it to `BUDGET_LIMIT` again.",
        anonymousLimit: "Those of readers without a bearer token.",
        usd: "Dollars.",
      }),
      Budget: shape(budgetShape, "The budget of the present period.", {
        period: "Its name, such as `2026-11`.",
        endsAt: "When it ends; `null` if it never does.",
        generations: "Generations that were begun.",
        anonymous: "Those of readers without a bearer token.",
        usd: "Dollars.",
      }),
    },
    operations: [
      {
        route: "GET /api/v1/admin/budget",
        id: "getBudget",
        summary: "Show what is spent and lent",
        callers: "operators",
        replies: { 200: { about: "The budget.", json: "Budget" } },
        errors: ["NOT_FOUND"],
      },
      {
        route: "PATCH /api/v1/admin/budget",
        id: "changeBudget",
        summary: "Change the limits of the present period at once",
        about: "A missing member stays as it is.",
        callers: "operators",
        body: {
          shape: "BudgetBody",
          examples: { raised: { limit: 5_000, usd: 25.5 }, removed: { limit: null, usd: null } },
        },
        replies: { 200: { about: "The budget.", json: "Budget" } },
        errors: ["NOT_FOUND"],
      },
    ],
  };
}
