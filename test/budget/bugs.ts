// Bugs of the budget that its histories must find: see test/model/bugs.ts.

import type { Edit } from "../model/bugs.ts";

const BORROWER = "user/borrower.ts";
const ALLOWANCES = "user/allowances.ts";
const LEDGER = "budget/ledger.ts";
const POOLS = "budget/pools.ts";

export const BUDGET_BUGS: Readonly<Record<string, readonly Edit[]>> = {
  "a grant made again because its reply was lost": [
    {
      file: LEDGER,
      from: "if (!covers(said.granted, account.granted)) return lent(period, account, shown);",
      to: "",
    },
    // The user takes what the reply says as an addition.
    {
      file: BORROWER,
      from: "tables.transaction(() => tables.allowances.put(statement));",
      to: `tables.transaction(() => {
        const known = tables.allowances.statement(statement.period);
        const granted = plus(known.granted, { generations: 1, micros: need.micros });
        tables.allowances.put({ ...statement, granted });
      });`,
    },
  ],
  "a loan over the limit": [
    { file: POOLS, from: "Math.max(0, limit - spent - lent)", to: "Math.max(0, limit - spent)" },
  ],
  "a loan that ends by the clock": [
    {
      file: LEDGER,
      from: `"UPDATE accounts SET heard_at = ?4 WHERE period = ?1 AND user = ?2 AND log = ?3",
      ...[period, user, log, now],
    );`,
      to: `"UPDATE accounts SET heard_at = ?4 WHERE period = ?1 AND user = ?2 AND log = ?3",
      ...[period, user, log, now],
    );
    const row = this.#row({ user, log, isAnonymous: false }, period);
    if (row === undefined) return;
    const account = accountOf(row);
    const returned = plus(account.returned, outstanding(account));
    const holder = { user, log, isAnonymous: row.is_anonymous === 1 };
    this.#put(holder, period, row, { ...account, returned }, { ...grantOf(row), now });`,
    },
  ],
  "a period that opens again": [
    {
      file: POOLS,
      from: "return last !== null && last > period ? last : period;",
      to: "return period;",
    },
    {
      file: POOLS,
      from: '"INSERT OR IGNORE INTO periods (period) VALUES (?)"',
      to: '"INSERT OR REPLACE INTO periods (period) VALUES (?)"',
    },
  ],
  "what is reserved given back": [
    {
      file: ALLOWANCES,
      from: "return minus(balance(account), reserved);",
      to: "return balance(account);",
    },
  ],
  "a query folded while it is reserved": [
    {
      file: ALLOWANCES,
      from: "return Math.max(foldedTo, Math.min(this.#lastNumber(foldedTo), ...open));",
      to: "return Math.max(foldedTo, this.#lastNumber(foldedTo), ...open.slice(0, 0));",
    },
  ],
  "what an older message says taken as it is": [
    {
      file: "loan.ts",
      from: "returned: larger(one.returned, other.returned)",
      to: "returned: other.returned",
    },
  ],
  "a loan that the budget never recalls": [
    {
      file: LEDGER,
      from: "WHERE is_open = 1 AND (heard_at <= ?1 OR heard_at > ?2)",
      to: "WHERE is_open = 1 AND heard_at <= ?1 AND ?2 < 0 AND heard_at >= 0",
    },
  ],
  "a loan of a restored copy that the budget has not confirmed": [
    { file: BORROWER, from: "isPresent && this.#confirmed.has(last)", to: "isPresent" },
  ],
  "queries deleted that no account has counted": [
    {
      file: ALLOWANCES,
      from: "if (foldedTo < to) this.#write",
      to: "if (foldedTo > to) this.#write",
    },
  ],
  "an erasure that forgets what is being written": [
    {
      file: BORROWER,
      from: "used: plus(used, allowances.reserved(period)),",
      to: "used,\n        returned: plus(plus(returned, positive(allowances.room(period))), allowances.reserved(period)),",
    },
    {
      file: BORROWER,
      from: "        returned: plus(returned, positive(allowances.room(period))),\n",
      to: "",
    },
  ],
  "a loan of an erased user that counts as unused": [
    {
      file: LEDGER,
      from: "const used = plus(account.used, outstanding(account));\n    this.#put(holder, period, row, { ...account, used }",
      to: "const returned = plus(account.returned, outstanding(account));\n    this.#put(holder, period, row, { ...account, returned }",
    },
  ],
};
