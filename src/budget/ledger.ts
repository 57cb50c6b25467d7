// The ledger of the budget: an account for each user and period, and the rule
// by which it lends. Nothing here ends a loan by a clock: clocks go back. What
// is lent comes back when its holder says so. Call everything that writes in a
// transaction.

import {
  ACCOUNT_COLUMNS,
  ACCOUNT_NAMES,
  type Account,
  type AccountRow,
  type Amount,
  accountOf,
  accountValues,
  covers,
  type Holder,
  isNothing,
  isSame,
  type Loan,
  type LoanRequest,
  merged,
  minus,
  NO_ACCOUNT,
  NOTHING,
  outstanding,
  plus,
  positive,
  type ShownLimit,
  type Statement,
  times,
} from "../loan.ts";
import type { QuotaPeriod } from "../protocol.ts";
import { Schema } from "../schema.ts";
import { windowSpan } from "../window.ts";
import { freeOf, type Limits, POOLS_SCHEMA, Pools, partsOf } from "./pools.ts";

/** The most asks that one grant is for. */
const ASKS_MAX = 16;
/** A holder that asks again within this many ms gets twice as much. */
const HOT_MS = 60_000;
/** A grant for more than one ask takes at most this part of what is free. */
const PART = 32;
/** How long the accounts of a period are kept after it ended, in ms. */
const KEPT_MS = 7 * 86_400_000;

export const BUDGET_SCHEMA = new Schema(
  `${POOLS_SCHEMA}
  CREATE TABLE accounts (
    period TEXT NOT NULL,
    user TEXT NOT NULL,
    log TEXT NOT NULL,
    is_anonymous INTEGER NOT NULL CHECK (is_anonymous IN (0, 1)),
    ${ACCOUNT_COLUMNS},
    asks INTEGER NOT NULL,
    granted_at INTEGER NOT NULL,
    heard_at INTEGER NOT NULL,
    is_open INTEGER NOT NULL CHECK (is_open IN (0, 1)),
    PRIMARY KEY (period, user, log)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX open_accounts ON accounts (heard_at) WHERE is_open = 1;
`,
  "accounts",
  [],
);

type Row = AccountRow & {
  period: string;
  user: string;
  log: string;
  is_anonymous: number;
  /** How many asks the last grant was for, and when it was made. */
  asks: number;
  granted_at: number;
  /** When the holder was last heard of. */
  heard_at: number;
};

export interface Terms {
  readonly limits: Limits;
  readonly period: QuotaPeriod;
}

/** A loan that is out. */
export interface OpenLoan {
  readonly holder: Holder;
  readonly statement: Statement;
}

export class Ledger {
  readonly pools: Pools;
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.pools = new Pools(sql);
  }

  /**
   * Takes a holder's statements, and lends for one ask at least, or
   * nothing.
   */
  lend({ holder, statements, need, room }: LoanRequest, terms: Terms, now: number): Loan {
    for (const statement of statements) this.settle(holder, statement, now);
    const period = this.pools.current(now, terms.period);
    this.pools.open(period);
    const row = this.#row(holder, period);
    const account = row === undefined ? NO_ACCOUNT : accountOf(row);
    const said = statements.find((statement) => statement.period === period) ?? NO_ACCOUNT;
    const shown = this.#shownLimit(holder, period, terms.limits);
    // The reply to an earlier request was lost: this is its grant.
    if (!covers(said.granted, account.granted)) return lent(period, account, shown);
    const left = room[period] ?? NOTHING;
    // It only had to be confirmed.
    if (covers(left, need)) return lent(period, account, shown);
    const size = isHot(row, now) ? Math.min(ASKS_MAX, 2 * row.asks) : 1;
    for (let asks = size; asks >= 1; asks = Math.floor(asks / 2)) {
      const grant = positive(minus(times(need, asks), left));
      if (!this.#fits(grant, holder, period, terms.limits, asks === 1 ? 1 : PART)) continue;
      const after = { ...account, granted: plus(account.granted, grant) };
      this.#put(holder, period, row, after, { asks, grantedAt: now, now });
      return lent(period, after, shown);
    }
    return { type: "exceeded", endsAt: windowSpan(period)?.end ?? null };
  }

  /** Of the limit that holds for the holder: before this grant. */
  #shownLimit({ isAnonymous }: Holder, period: string, limits: Limits): ShownLimit | null {
    const { anonymous, generations } = this.pools.status(period, limits);
    const pools = isAnonymous ? [anonymous, generations] : [generations];
    const span = windowSpan(period);
    const [shown] = pools
      .flatMap((pool) => (pool.limit === undefined ? [] : [{ ...pool, limit: pool.limit }]))
      .map((pool) => ({ limit: pool.limit, left: freeOf(pool) }))
      .sort((one, other) => one.left - other.left);
    if (shown === undefined) return null;
    return { ...shown, startsAt: span?.start ?? null, endsAt: span?.end ?? null };
  }

  #fits(grant: Amount, holder: Holder, period: string, limits: Limits, part: number): boolean {
    const status = this.pools.status(period, limits);
    return partsOf(grant, holder.isAnonymous).every(
      ([pool, amount]) => amount <= freeOf(status[pool]) / part,
    );
  }

  /** Takes a holder's statement. Returns the account as it is known here. */
  settle(holder: Holder, statement: Statement, now: number): Statement {
    const { period } = statement;
    const row = this.#row(holder, period);
    if (row === undefined && !this.#isKept(period, now)) {
      // The period was closed long ago, and nothing of it is out.
      return statement;
    }
    this.pools.open(period);
    const before = row === undefined ? NO_ACCOUNT : accountOf(row);
    const after = merged(before, statement);
    this.#put(holder, period, row, after, { ...grantOf(row), now });
    return { ...after, period };
  }

  /** The user was erased, and said nothing: what is out counts as used. */
  writeOff(holder: Holder, { period }: Statement, now: number): void {
    const row = this.#row(holder, period);
    if (row === undefined) return;
    const account = accountOf(row);
    const used = plus(account.used, outstanding(account));
    this.#put(holder, period, row, { ...account, used }, { ...grantOf(row), now });
  }

  /** A holder could not be reached: it is asked again later. */
  heardNothing({ user, log }: Holder, { period }: Statement, now: number): void {
    this.#sql.exec(
      "UPDATE accounts SET heard_at = ?4 WHERE period = ?1 AND user = ?2 AND log = ?3",
      ...[period, user, log, now],
    );
  }

  /** Loans whose holders were not heard of since a time, the oldest first. */
  openLoans(since: number, now: number, limit: number): OpenLoan[] {
    return this.#sql
      .exec<Row>(
        // A time to come is one of a clock that went back.
        `SELECT * FROM accounts WHERE is_open = 1 AND (heard_at <= ?1 OR heard_at > ?2)
         ORDER BY heard_at LIMIT ?3`,
        ...[since, now, limit],
      )
      .toArray()
      .map((row) => ({
        holder: { user: row.user, log: row.log, isAnonymous: row.is_anonymous === 1 },
        statement: { ...accountOf(row), period: row.period },
      }));
  }

  /** When the holder of the oldest loan was heard of; undefined if none is. */
  oldestLoan(): number | undefined {
    const [row] = this.#sql
      .exec<{ heard_at: number }>(
        "SELECT heard_at FROM accounts WHERE is_open = 1 ORDER BY heard_at LIMIT 1",
      )
      .toArray();
    return row?.heard_at;
  }

  /** Deletes accounts of periods that ended long ago. */
  prune(now: number, limit: number): void {
    // Not of all accounts: there are as many as users.
    for (const { period } of this.#sql
      .exec<{ period: string }>(
        `SELECT period FROM periods WHERE EXISTS
           (SELECT 1 FROM accounts WHERE accounts.period = periods.period)`,
      )
      .toArray()) {
      if (this.#isKept(period, now)) continue;
      this.#sql.exec(
        `DELETE FROM accounts WHERE (period, user, log) IN
           (SELECT period, user, log FROM accounts WHERE period = ? AND is_open = 0 LIMIT ?)`,
        period,
        limit,
      );
    }
  }

  /** The sums of all accounts of a period, counted again: for the audit. */
  recount(period: string): Record<string, number> {
    return this.#sql
      .exec<Record<string, number>>(
        `SELECT coalesce(sum(used_generations), 0) AS generations_spent,
           coalesce(sum(used_generations * is_anonymous), 0) AS anonymous_spent,
           coalesce(sum(used_micros), 0) AS micros_spent,
           coalesce(sum(max(0, granted_generations - returned_generations
             - used_generations)), 0) AS generations_lent,
           coalesce(sum(is_anonymous * max(0, granted_generations - returned_generations
             - used_generations)), 0) AS anonymous_lent,
           coalesce(sum(max(0, granted_micros - returned_micros - used_micros)), 0)
             AS micros_lent
         FROM accounts WHERE period = ?`,
        period,
      )
      .one();
  }

  #isKept(period: string, now: number): boolean {
    const end = windowSpan(period)?.end;
    return end === undefined || end + KEPT_MS > now;
  }

  #row({ user, log }: Holder, period: string): Row | undefined {
    return this.#sql
      .exec<Row>(
        "SELECT * FROM accounts WHERE period = ? AND user = ? AND log = ?",
        ...[period, user, log],
      )
      .toArray()[0];
  }

  #put(
    { user, log, isAnonymous }: Holder,
    period: string,
    row: Row | undefined,
    after: Account,
    { asks, grantedAt, now }: { asks: number; grantedAt: number; now: number },
  ): void {
    const before = row === undefined ? NO_ACCOUNT : accountOf(row);
    const isOpen = !isNothing(outstanding(after));
    // A statement that says nothing new costs no row, unless a loan is out.
    if (row !== undefined && isSame(before, after) && !isOpen) return;
    this.pools.move(period, isAnonymous, before, after);
    this.#sql.exec(
      `INSERT OR REPLACE INTO accounts (period, user, log, is_anonymous, ${ACCOUNT_NAMES},
         asks, granted_at, heard_at, is_open)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[period, user, log, isAnonymous ? 1 : 0, ...accountValues(after)],
      ...[asks, grantedAt, now, isOpen ? 1 : 0],
    );
  }
}

function isHot(row: Row | undefined, now: number): row is Row {
  if (row === undefined) return false;
  const age = now - row.granted_at;
  return age >= 0 && age < HOT_MS;
}

/** The last grant. */
function grantOf(row: Row | undefined): { asks: number; grantedAt: number } {
  return { asks: row?.asks ?? 1, grantedAt: row?.granted_at ?? 0 };
}

function lent(period: string, account: Account, shown: ShownLimit | null): Loan {
  return { type: "lent", statement: { ...account, period }, shown };
}
