// The borrower: before an ask, it sees to it that the budget has lent what the
// ask may cost; from the alarm, it gives back what is idle. It holds a place
// for each ask until the ask's own synchronous block takes it, so that two asks
// that waited for one loan do not both count on it.

import type { Alarm } from "../alarm.ts";
import { Meter, worstCase } from "../answer/meter.ts";
import type { BudgetConfig } from "../budget-config.ts";
import { answeredIn } from "../deadline.ts";
import { reasonOf, toServiceError } from "../errors.ts";
import {
  type Account,
  type Amount,
  type Budget,
  covers,
  type Holder,
  isNothing,
  isSame,
  type Loan,
  minus,
  NOTHING,
  plus,
  positive,
  type ShownLimit,
  type Statement,
} from "../loan.ts";
import type { Ask } from "../protocol.ts";
import { windowAt } from "../window.ts";
import { FREE, type Payment, paidByFallback, refused } from "./payment.ts";
import * as refusals from "./refusals.ts";
import { ANONYMOUS } from "./settings.ts";
import type { Tables } from "./tables.ts";

/** How long one call may take, in milliseconds: an ask waits for it. */
const CALL_MS = 5_000;
/** What was not used for this long goes back, in milliseconds. */
const IDLE_MS = 30_000;
/** The shortest and the longest wait after a failure, in milliseconds. */
const RETRY_MS = 10_000;
const RETRY_MS_MAX = 60 * 60_000;
/** Each loan is for one waiting ask at least, and most are for more. */
const LOANS_MAX = 100;

export interface BorrowerParts {
  readonly tables: Tables;
  readonly alarm: Alarm;
  /** The object's id. */
  readonly user: string;
  /** Undefined where no limit is set. Throws UNAVAILABLE if one is wrong. */
  config(): BudgetConfig | undefined;
  /** Undefined where there is no binding. */
  budget(): Budget | undefined;
}

interface Payable {
  readonly ask: Ask;
  readonly userName: string;
}

interface Borrowing {
  readonly need: Amount;
  readonly period: Promise<string>;
}

export class Borrower {
  readonly #parts: BorrowerParts;
  /** For asks that have not begun, by period. */
  readonly #held = new Map<string, Amount>();
  /** What the budget has heard, by period. */
  readonly #told = new Map<string, Account>();
  /**
   * The periods that the budget has spoken of since this instance began. An
   * older copy of the database may have been restored: what it says is left
   * may be used.
   */
  readonly #confirmed = new Set<string>();
  #borrowing: Borrowing | undefined;
  /** The period of the last loan. */
  #lent: string | undefined;
  /** As the budget said last. */
  #shown: ShownLimit | null = null;
  /** When an ask last took or held something, in ms since the epoch. */
  #usedAt = 0;
  #failures = 0;

  constructor(parts: BorrowerParts) {
    this.#parts = parts;
  }

  /**
   * What a new ask is paid with. It never throws: a refusal is in the payment,
   * and counts only if the ask needs one. Release it in any case.
   * @param isFree Whether the ask seems to need none.
   */
  async pay({ ask, userName }: Payable, isFree: () => boolean): Promise<Payment> {
    let config: BudgetConfig | undefined;
    try {
      config = this.#parts.config();
      if (config === undefined) return FREE;
      // What is lent must be stored before it is used.
      this.#parts.tables.create(userName);
      const { prices, rewrites } = config;
      const isRewritten = rewrites && ask.history.length > 0;
      const micros = prices === undefined ? 0 : worstCase(ask, isRewritten, prices);
      const need = { generations: 1, micros };
      const period = await this.#hold(need, config, isFree);
      return this.#payment(period, need, prices && new Meter(micros, prices));
    } catch (thrown) {
      const refusal = toServiceError(thrown);
      const isUsedUp = refusal.code === "BUDGET_EXCEEDED";
      return isUsedUp && config?.fallback !== undefined ? paidByFallback() : refused(refusal);
    }
  }

  #payment(period: string, need: Amount, meter: Meter | undefined): Payment {
    const holder = this.#holder;
    const isErased = () => !this.#isStill(holder);
    let isHeld = true;
    return {
      ...{ budget: period, micros: need.micros, meter },
      get refusal() {
        return isErased() ? refusals.erased() : undefined;
      },
      release: () => {
        if (isHeld) this.#held.set(period, minus(this.#heldOf(period), need));
        isHeld = false;
      },
    };
  }

  /**
   * Holds a place, and returns its period. Throws BUDGET_EXCEEDED,
   * UNAVAILABLE.
   */
  async #hold(need: Amount, config: BudgetConfig, isFree: () => boolean): Promise<string> {
    let lent: string | undefined;
    for (let loans = 0; loans <= LOANS_MAX; loans += 1) {
      const period = lent ?? this.#presentPeriod(config);
      if (period !== undefined && covers(this.#roomOf(period), need)) {
        this.#held.set(period, plus(this.#heldOf(period), need));
        this.#usedAt = Date.now();
        return period;
      }
      // It costs a read, so an ask that finds room does not look.
      if (lent === undefined && isFree()) break;
      lent = await this.#borrowFor(need);
    }
    throw refusals.budgetUnavailable();
  }

  /**
   * The period of the newest loan; undefined if our clock says that it ended,
   * or if the budget has to confirm it. A clock that went back says nothing.
   */
  #presentPeriod({ period: kind }: BudgetConfig): string | undefined {
    const now = windowAt(Date.now(), kind);
    const last = this.#parts.tables.allowances.periods
      .filter(({ length }) => length === now.length)
      .at(-1);
    const isPresent = last !== undefined && last >= now;
    return isPresent && this.#confirmed.has(last) ? last : undefined;
  }

  #heldOf(period: string): Amount {
    return this.#held.get(period) ?? NOTHING;
  }

  #roomOf(period: string): Amount {
    return minus(this.#parts.tables.allowances.room(period), this.#heldOf(period));
  }

  /**
   * Asks at the same time share a call, and a refusal of no more than
   * theirs.
   */
  async #borrowFor(need: Amount): Promise<string | undefined> {
    const other = this.#borrowing;
    if (other !== undefined) {
      return other.period.catch((thrown) => {
        if (covers(need, other.need)) throw thrown;
        return undefined;
      });
    }
    const period = this.#borrow(need).finally(() => {
      this.#borrowing = undefined;
    });
    this.#borrowing = { need, period };
    return period;
  }

  async #borrow(need: Amount): Promise<string> {
    const { tables, alarm } = this.#parts;
    const budget = this.#parts.budget();
    if (budget === undefined) throw refusals.budgetUnavailable();
    const holder = this.#holder;
    this.#giveBack(false);
    const statements = this.#statements();
    const room = Object.fromEntries(
      tables.allowances.periods.map((period) => [period, this.#roomOf(period)]),
    );
    let loan: Loan;
    try {
      loan = await answeredIn(CALL_MS, () => budget.lend({ holder, statements, need, room }));
    } catch (thrown) {
      console.error("The budget could not lend:", reasonOf(thrown));
      throw refusals.budgetUnavailable();
    }
    if (!this.#isStill(holder)) throw refusals.erased();
    if (loan.type === "exceeded") throw refusals.budgetExceeded(loan.endsAt, Date.now());
    const { statement } = loan;
    this.#lent = statement.period;
    this.#shown = loan.shown;
    tables.transaction(() => tables.allowances.put(statement));
    this.#confirmed.add(statement.period);
    this.#heard(statements);
    alarm.set(Date.now() + IDLE_MS);
    return statement.period;
  }

  /**
   * What the budget said last, as a policy of the headers: others may have used
   * more since. Undefined before it said anything, and without a limit.
   */
  shown(now: number): { policy: string; left: string } | undefined {
    if (this.#shown === null) return undefined;
    const { limit, left, startsAt, endsAt } = this.#shown;
    if (startsAt === null || endsAt === null) {
      return { policy: `"budget";q=${limit}`, left: `"budget";r=${left}` };
    }
    const seconds = Math.max(0, Math.ceil((endsAt - now) / 1000));
    return {
      policy: `"budget";q=${limit};w=${(endsAt - startsAt) / 1000}`,
      left: `"budget";r=${left};t=${seconds}`,
    };
  }

  /**
   * Gives back what is idle, and sets the alarm if more is to come.
   * Never throws.
   */
  async run(): Promise<void> {
    const { tables, alarm } = this.#parts;
    try {
      if (!tables.exist || tables.allowances.periods.length === 0) return;
      const isIdle = this.#isIdle(Date.now());
      this.#giveBack(isIdle);
      await this.#settle(this.#untold());
      this.#failures = 0;
      if (!tables.exist || !this.#isLent()) return;
      // What an answer that is being written leaves over comes later.
      alarm.set(isIdle ? Date.now() + IDLE_MS / 2 : this.#usedAt + IDLE_MS);
    } catch (thrown) {
      this.#failures += 1;
      if (this.#failures === 1) console.error("The budget was not told:", reasonOf(thrown));
      alarm.set(Date.now() + Math.min(RETRY_MS * 2 ** (this.#failures - 1), RETRY_MS_MAX));
    }
  }

  /**
   * The budget asks for its own. It may have lent what we have not heard of.
   * Undefined if the user was erased.
   */
  recall(log: string, known: Statement, isUrgent: boolean): Statement | undefined {
    const { tables } = this.#parts;
    if (!tables.exist || tables.settings.get().log !== log) return undefined;
    const { allowances } = tables;
    const isGivenBack = isUrgent || this.#isIdle(Date.now());
    tables.transaction(() => {
      allowances.put(known);
      if (isGivenBack) allowances.giveBack(known.period, this.#heldOf(known.period));
    });
    return allowances.statement(known.period);
  }

  /**
   * The user is erased. If the budget cannot be told then, it asks, and counts
   * all that it lent as used.
   * @param erase Deletes all that is stored.
   */
  async erase(erase: () => Promise<void>): Promise<void> {
    const holder = this.#parts.tables.exist ? this.#holder : undefined;
    const statements = this.#lastStatements();
    await erase();
    this.#told.clear();
    this.#confirmed.clear();
    this.#lent = undefined;
    this.#shown = null;
    const budget = this.#parts.budget();
    if (holder === undefined || statements.length === 0 || budget === undefined) return;
    try {
      await answeredIn(CALL_MS, () => budget.settle(holder, statements));
    } catch (thrown) {
      console.error("The budget was not told of an erasure, and asks:", reasonOf(thrown));
    }
  }

  /** What is reserved counts as used. */
  #lastStatements(): Statement[] {
    const { exist, allowances } = this.#parts.tables;
    if (!exist) return [];
    return this.#statements().map((statement) => {
      const { period, returned, used } = statement;
      return {
        ...statement,
        returned: plus(returned, positive(allowances.room(period))),
        used: plus(used, allowances.reserved(period)),
      };
    });
  }

  /** Tells the budget, and takes what it knows. */
  async #settle(statements: readonly Statement[]): Promise<void> {
    if (statements.length === 0) return;
    const { tables } = this.#parts;
    const holder = this.#holder;
    const budget = this.#parts.budget();
    if (budget === undefined) throw refusals.budgetUnavailable();
    const known = await answeredIn(CALL_MS, () => budget.settle(holder, statements));
    if (!this.#isStill(holder)) return;
    tables.transaction(() => {
      for (const statement of known) tables.allowances.put(statement);
    });
    for (const { period } of known) this.#confirmed.add(period);
    this.#heard(statements);
  }

  /** The budget has these. What is over is deleted. */
  #heard(statements: readonly Statement[]): void {
    const { tables } = this.#parts;
    const { allowances } = tables;
    for (const statement of statements) this.#told.set(statement.period, statement);
    const over = this.#periodsOver.filter((period) => {
      const isTold = this.#isTold(period) && isNothing(allowances.reserved(period));
      return isTold && isNothing(this.#heldOf(period)) && !this.#hasRoom(period);
    });
    if (over.length === 0) return;
    tables.transaction(() => {
      for (const period of over) allowances.delete(period);
    });
    for (const period of over) {
      this.#told.delete(period);
      this.#confirmed.delete(period);
    }
  }

  /** Gives back what is left of periods that are over, or of all. */
  #giveBack(isOfAll: boolean): void {
    const { tables } = this.#parts;
    const periods = isOfAll ? tables.allowances.periods : this.#periodsOver;
    if (periods.length === 0) return;
    tables.transaction(() => {
      for (const period of periods) tables.allowances.giveBack(period, this.#heldOf(period));
    });
  }

  get #periodsOver(): string[] {
    const { periods } = this.#parts.tables.allowances;
    const present = this.#lent ?? periods.at(-1);
    return periods.filter((period) => period !== present);
  }

  /** Whether there is more to give back, or to tell, later. */
  #isLent(): boolean {
    const { allowances } = this.#parts.tables;
    return allowances.periods.some(
      (period) =>
        this.#hasRoom(period) ||
        !isNothing(allowances.reserved(period)) ||
        !isNothing(this.#heldOf(period)) ||
        !this.#isTold(period),
    );
  }

  #hasRoom(period: string): boolean {
    return !isNothing(positive(this.#parts.tables.allowances.room(period)));
  }

  #isTold(period: string): boolean {
    const told = this.#told.get(period);
    return told !== undefined && isSame(told, this.#parts.tables.allowances.statement(period));
  }

  #statements(): Statement[] {
    const { allowances } = this.#parts.tables;
    return allowances.periods.map((period) => allowances.statement(period));
  }

  #untold(): Statement[] {
    return this.#statements().filter(({ period }) => !this.#isTold(period));
  }

  get #holder(): Holder {
    const { log, name } = this.#parts.tables.settings.get();
    return { user: this.#parts.user, log, isAnonymous: name.startsWith(ANONYMOUS) };
  }

  /** False if the user was erased in between. */
  #isStill({ log }: Holder): boolean {
    const { tables } = this.#parts;
    return tables.exist && tables.settings.get().log === log;
  }

  /** A clock that went back makes nothing idle for ever. */
  #isIdle(now: number): boolean {
    return now < this.#usedAt || now - this.#usedAt >= IDLE_MS;
  }
}
