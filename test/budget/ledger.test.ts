// What the budget object's alarm reads where there are many users.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { BUDGET_SCHEMA, Ledger } from "../../src/budget/ledger.ts";
import { rowsOf } from "../corpus/sql-rows.ts";

const USERS = 1_000;
const NOW = Date.parse("2026-11-20T12:00:00Z");
const LONG_AFTER = Date.parse("2026-12-20T12:00:00Z");
const TERMS = {
  limits: { generations: undefined, anonymous: undefined, micros: undefined },
  period: "month",
} as const;

it("an alarm looks at few of the accounts, and deletes those of an ended month", async () => {
  const stub = env.BUDGET.getByName(`ledger ${crypto.randomUUID()}`);
  await runInDurableObject(stub, async (_object, { storage }) => {
    const { sql } = storage;
    BUDGET_SCHEMA.create(sql);
    const ledger = new Ledger(sql);
    const need = { generations: 1, micros: 0 };
    for (let user = 0; user < USERS; user += 1) {
      const holder = { user: `user ${user}`, log: "log", isAnonymous: false };
      const loan = ledger.lend({ holder, statements: [], need, room: {} }, TERMS, NOW);
      if (loan.type !== "lent") throw new Error("Nothing was lent.");
      const { statement } = loan;
      ledger.settle(holder, { ...statement, used: statement.granted }, NOW);
    }
    const alarm = async (now: number) => {
      const { read } = await rowsOf(sql, () => {
        ledger.openLoans(now, now, 50);
        ledger.oldestLoan();
        ledger.prune(now, 100);
      });
      return read;
    };
    const accounts = () => Number(sql.exec("SELECT count(*) AS count FROM accounts").one().count);
    expect(await alarm(NOW)).toBeLessThanOrEqual(10);
    expect(accounts()).toBe(USERS);
    await alarm(LONG_AFTER);
    expect(accounts()).toBe(USERS - 100);
    expect(ledger.pools.status("2026-11", TERMS.limits).generations.spent).toBe(USERS);
  });
});
