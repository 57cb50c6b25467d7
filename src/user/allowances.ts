// What the budget has lent this user: an account a period. What a query takes
// is in its own row of the query log, so an ask writes no row more. `used` of a
// stored account has the queries up to `folded_to`; those after it are added
// when the rows are read. borrower.ts decides when to borrow and to give back.

import {
  ACCOUNT_COLUMNS,
  ACCOUNT_NAMES,
  type Account,
  type AccountRow,
  type Amount,
  accountOf,
  accountValues,
  balance,
  isSame,
  merged,
  minus,
  NO_ACCOUNT,
  NOTHING,
  plus,
  positive,
  type Statement,
} from "../loan.ts";
import { numberOf } from "./query-id.ts";

export const ALLOWANCES_SCHEMA = `
  CREATE TABLE allowances (
    period TEXT PRIMARY KEY,
    ${ACCOUNT_COLUMNS},
    folded_to INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`;

type Row = AccountRow & { period: string; folded_to: number };

/** A query that takes from the budget. */
interface Taking {
  readonly period: string;
  readonly micros: number;
}

interface Allowance {
  readonly account: Account;
  /** For answers that are being written: the most that they may cost. */
  readonly reserved: Amount;
  /** Of `used`, what is stored in the account's own row. */
  readonly folded: Amount;
  readonly foldedTo: number;
}

interface State {
  readonly allowances: Map<string, Allowance>;
  /** By the query's number. */
  readonly takings: Map<number, Taking>;
}

export class Allowances {
  readonly #sql: SqlStorage;
  #state: State | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The table was made: it has no rows. */
  begin(): void {
    this.#state = { allowances: new Map(), takings: new Map() };
  }

  /** Drops what is known of the stored rows. */
  forget(): void {
    this.#state = undefined;
  }

  /** The periods with an account, the first one first. */
  get periods(): string[] {
    return [...this.#current.allowances.keys()].sort();
  }

  statement(period: string): Statement {
    return { ...this.#allowance(period).account, period };
  }

  reserved(period: string): Amount {
    return this.#allowance(period).reserved;
  }

  /** What an ask may take. Negative where more was used than was lent. */
  room(period: string): Amount {
    const { account, reserved } = this.#allowance(period);
    return minus(balance(account), reserved);
  }

  /** A query is reserved. Call it in the transaction that does so. */
  take(queryId: string, taking: Taking): void {
    this.#current.takings.set(numberOf(queryId), taking);
    const { period, micros } = taking;
    const allowance = this.#allowance(period);
    const reserved = plus(allowance.reserved, amountOf(micros));
    this.#current.allowances.set(period, { ...allowance, reserved });
  }

  /**
   * A query is resolved. Call it in the transaction that does so.
   * @param micros What it cost; undefined for the most that it may.
   */
  resolve(queryId: string, micros: number | undefined): void {
    const number = numberOf(queryId);
    const taking = this.#current.takings.get(number);
    if (taking === undefined) return;
    this.#current.takings.delete(number);
    const { period } = taking;
    const { account, reserved, ...rest } = this.#allowance(period);
    const used = plus(account.used, amountOf(micros ?? taking.micros));
    this.#current.allowances.set(period, {
      ...rest,
      account: { ...account, used },
      reserved: minus(reserved, amountOf(taking.micros)),
    });
  }

  /** Takes what the budget knows. Call it in a transaction. */
  put({ period, ...known }: Statement): void {
    const before = this.#current.allowances.get(period);
    const account = merged(before?.account ?? NO_ACCOUNT, known);
    if (before !== undefined && isSame(account, before.account)) return;
    this.#write(period, account);
  }

  /**
   * Gives back what is left, except what is `held`. Call it in a
   * transaction.
   */
  giveBack(period: string, held: Amount): void {
    const rest = positive(minus(this.room(period), held));
    const { account } = this.#allowance(period);
    const returned = plus(account.returned, rest);
    if (isSame(account, { ...account, returned })) return;
    this.#write(period, { ...account, returned });
  }

  /**
   * Rows of queries up to a number are about to be deleted. Call it in the
   * transaction that does so.
   */
  fold(to: number): void {
    for (const [period, { account, foldedTo }] of this.#current.allowances) {
      if (foldedTo < to) this.#write(period, account);
    }
  }

  /** Nothing of the period is in use any more. Call it in a transaction. */
  delete(period: string): void {
    this.#sql.exec("DELETE FROM allowances WHERE period = ?", period);
    this.#current.allowances.delete(period);
  }

  get #current(): State {
    this.#state ??= this.#read();
    return this.#state;
  }

  #allowance(period: string): Allowance {
    return (
      this.#current.allowances.get(period) ?? {
        account: NO_ACCOUNT,
        reserved: NOTHING,
        folded: NOTHING,
        foldedTo: this.#lastNumber(0),
      }
    );
  }

  #read(): State {
    const state: State = { allowances: new Map(), takings: new Map() };
    for (const row of this.#sql.exec<Row>("SELECT * FROM allowances").toArray()) {
      const account = accountOf(row);
      const folded = { folded: account.used, foldedTo: row.folded_to };
      state.allowances.set(row.period, { account, reserved: NOTHING, ...folded });
    }
    const firsts = Array.from(state.allowances.values(), ({ foldedTo }) => foldedTo);
    if (firsts.length > 0) this.#readQueries(state, Math.min(...firsts));
    return state;
  }

  #readQueries({ allowances, takings }: State, after: number): void {
    const rows = this.#sql
      .exec<{ number: number; state: string; budget: string; cost: number }>(
        `SELECT number, state, budget, cost FROM queries
         WHERE number > ? AND budget IS NOT NULL AND cost IS NOT NULL`,
        after,
      )
      .toArray();
    for (const { number, state, budget: period, cost: micros } of rows) {
      const allowance = allowances.get(period);
      if (allowance === undefined || number <= allowance.foldedTo) continue;
      const amount = amountOf(micros);
      const { account, reserved } = allowance;
      if (state === "reserved") {
        takings.set(number, { period, micros });
        allowances.set(period, { ...allowance, reserved: plus(reserved, amount) });
      } else {
        const used = plus(account.used, amount);
        allowances.set(period, { ...allowance, account: { ...account, used } });
      }
    }
  }

  /** Stores an account. Queries up to the first that is reserved are folded. */
  #write(period: string, account: Account): void {
    const before = this.#allowance(period);
    const to = this.#foldableTo(period, before.foldedTo);
    const queries = this.#sql
      .exec<{ generations: number; micros: number }>(
        `SELECT count(*) AS generations, coalesce(sum(cost), 0) AS micros FROM queries
         WHERE number > ? AND number <= ? AND budget = ? AND cost IS NOT NULL`,
        ...[before.foldedTo, to, period],
      )
      .one();
    // If the budget knows of more, rows were lost: an older copy was restored.
    const lost = minus(account.used, before.account.used);
    const folded = plus(plus(before.folded, queries), lost);
    this.#sql.exec(
      `INSERT OR REPLACE INTO allowances (period, ${ACCOUNT_NAMES}, folded_to)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[period, ...accountValues({ ...account, used: folded }), to],
    );
    const { reserved } = before;
    this.#current.allowances.set(period, { account, reserved, folded, foldedTo: to });
  }

  #foldableTo(period: string, foldedTo: number): number {
    const open = [...this.#current.takings]
      .filter(([, taking]) => taking.period === period)
      .map(([number]) => number - 1);
    return Math.max(foldedTo, Math.min(this.#lastNumber(foldedTo), ...open));
  }

  /** Rows may have been deleted since a number. */
  #lastNumber(known: number): number {
    const { last } = this.#sql
      .exec<{ last: number | null }>("SELECT max(number) AS last FROM queries")
      .one();
    return Math.max(known, last ?? 0);
  }
}

function amountOf(micros: number): Amount {
  return { generations: 1, micros };
}
