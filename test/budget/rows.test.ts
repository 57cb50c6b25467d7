// What a budget adds to the rows that Cloudflare bills, in both objects.

import { runDurableObjectAlarm } from "cloudflare:test";
import { expect, it } from "vitest";
import { billedRows } from "../billed-rows.ts";
import { asked, idle, TestBudget } from "./test-budget.ts";

const AT_ONCE = 16;

interface Rows {
  /** One ask, until all that was lent for it is back. */
  readonly alone: number;
  /** Each of many asks, one soon after the other. */
  readonly often: number;
  readonly ofBudget: number;
}

async function rows(variables: Record<string, unknown>): Promise<Rows> {
  const budget = new TestBudget(variables);
  const user = await budget.newUser();
  // It makes the tables.
  await asked(user);
  await idle(user);
  const counts = [await billedRows(user.stub), await billedRows(budget.stub)];
  const all = () => counts.reduce((sum, count) => sum + count(), 0);
  const before = all();
  await asked(user);
  for (let alarms = 0; alarms < 3; alarms += 1) await idle(user);
  await runDurableObjectAlarm(budget.stub);
  const alone = all() - before;
  const askAll = () => Promise.all(Array.from({ length: AT_ONCE }, () => asked(user)));
  // Loans grow to 16 asks.
  for (let rounds = 0; rounds < 3; rounds += 1) await askAll();
  const warm = all();
  for (let rounds = 0; rounds < 4; rounds += 1) await askAll();
  return { alone, often: (all() - warm) / (4 * AT_ONCE), ofBudget: counts[1]?.() ?? 0 };
}

it("a budget adds no row where none is set, and few where one is", async () => {
  const [without, set] = [await rows({}), await rows({ BUDGET_LIMIT: "1000000" })];
  expect(without.ofBudget).toBe(0);
  const extra = { alone: set.alone - without.alone, often: set.often - without.often };
  // docs/operating.md has the figures.
  expect(extra.alone).toBeLessThanOrEqual(10);
  expect(extra.often).toBeLessThanOrEqual(0.6);
}, 60_000);
