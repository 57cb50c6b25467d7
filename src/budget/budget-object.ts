// BudgetObject: one for all users. It lends what may be spent to user objects,
// so that all of them together never spend more than the operator said. An ask
// waits for it only where its user has nothing left.

import { DurableObject } from "cloudflare:workers";
import { type IRequest, Router } from "itty-router";
import { Alarm } from "../alarm.ts";
import { type BudgetConfig, budgetConfig } from "../budget-config.ts";
import { bodyTimeoutMs, type Variables } from "../config.ts";
import { Database } from "../database.ts";
import { answeredIn } from "../deadline.ts";
import { reasonOf, ServiceError, toServiceError } from "../errors.ts";
import { errorResponse } from "../formats/format.ts";
import { CHANGE_HEADER, JSON_BODY, json } from "../formats/json.ts";
import type { Budget, Debtor, Holder, Loan, LoanRequest, Statement } from "../loan.ts";
import { API_PREFIX, encodeJson } from "../protocol.ts";
import { readJson } from "../request.ts";
import { windowSpan } from "../window.ts";
import { parseBudgetChange } from "./budget-body.ts";
import { BUDGET_SCHEMA, Ledger, type OpenLoan } from "./ledger.ts";
import { POOLS } from "./pool.ts";
import { highestPercent, type ShownBudget, shownBudget } from "./shown.ts";

/** A holder that was silent for this long is asked for its loan, in ms. */
const SILENCE_MS = 45_000;
/** If nothing is left, one that was silent for this long, in ms. */
const URGENT_SILENCE_MS = 1_000;
/** Between two urgent rounds, in milliseconds. */
const URGENT_AGAIN_MS = 1_000;
/** How many holders are asked at a time, and for how long, in milliseconds. */
const RECALLED_AT_ONCE = 50;
const RECALL_MS = 3_000;
/** The wait before the work of an alarm is tried again, in milliseconds. */
const RETRY_MS = 30_000;
/** Between two rounds, where there is more to recall, in milliseconds. */
const MORE_MS = 1_000;
/** How long a change waits until a lowered limit holds, in milliseconds. */
const LOWER_MS = 5_000;
/** Accounts that one alarm deletes. */
const PRUNED_AT_ONCE = 500;
const BODY_BYTES_MAX = 1024;
/** The log tells once in a period that this much of a limit is spent. */
const TOLD_PERCENT = 80;

/** Made in wiring.ts. */
export interface BudgetParts {
  /** @param user The object's id. */
  debtor(user: string): Debtor;
}

export class BudgetObject extends DurableObject<Variables> implements Budget {
  readonly #parts: BudgetParts;
  readonly #alarm: Alarm;
  readonly #database: Database;
  readonly #ledger: Ledger;
  #urgent: Promise<number> | undefined;
  #urgentAt = Number.NEGATIVE_INFINITY;

  readonly #router = Router<IRequest, []>({ base: `${API_PREFIX}/admin` })
    .get("/budget", () => json(this.#shown))
    .patch("/budget", (request) => this.#change(request));

  constructor(ctx: DurableObjectState, env: Variables, parts: BudgetParts) {
    super(ctx, env);
    this.#parts = parts;
    this.#alarm = new Alarm(ctx.storage);
    this.#database = new Database(ctx.storage, BUDGET_SCHEMA, "budget");
    this.#ledger = new Ledger(ctx.storage.sql);
    if (this.#database.hasTables) ctx.blockConcurrencyWhile(() => this.#alarm.recall());
  }

  async lend(request: LoanRequest): Promise<Loan> {
    const loan = this.#lend(request);
    if (loan.type === "lent") return loan;
    await this.#recallUrgently();
    const second = this.#lend(request);
    if (second.type === "exceeded") this.#tell(100);
    return second;
  }

  #lend(request: LoanRequest): Loan {
    const now = Date.now();
    const loan = this.#database.write(() => this.#ledger.lend(request, this.#config, now));
    if (loan.type === "lent") this.#alarm.set(now + SILENCE_MS);
    return loan;
  }

  settle(holder: Holder, statements: readonly Statement[]): Promise<readonly Statement[]> {
    const now = Date.now();
    const known = this.#database.write(() =>
      statements.map((statement) => this.#ledger.settle(holder, statement, now)),
    );
    this.#tellShare();
    if (this.#ledger.oldestLoan() !== undefined) this.#alarm.set(now + SILENCE_MS);
    return Promise.resolve(known);
  }

  /** The part of the budget that is spent or lent, in percent. */
  percent(): Promise<number> {
    return Promise.resolve(highestPercent(this.#current.status, "lent"));
  }

  override async fetch(request: Request): Promise<Response> {
    try {
      return await this.#router.fetch(request);
    } catch (thrown) {
      return errorResponse(toServiceError(thrown), JSON_BODY);
    }
  }

  /** Never throws: the runtime drops an alarm that keeps throwing. */
  override async alarm(): Promise<void> {
    this.#alarm.clear();
    try {
      const now = Date.now();
      if (this.#isOverlent) await this.#recallOverlent();
      else await this.#recall(now - SILENCE_MS, false);
      this.#database.write(() => this.#ledger.prune(now, PRUNED_AT_ONCE));
      const oldest = this.#ledger.oldestLoan();
      if (oldest === undefined) return;
      this.#alarm.set(Math.max(Math.min(oldest, now) + SILENCE_MS, Date.now() + MORE_MS));
    } catch (thrown) {
      console.error("The budget's alarm failed and is tried again:", thrown);
      this.#alarm.set(Date.now() + RETRY_MS);
    }
  }

  // --- Recalls ---

  /** Requests at the same time share one round. */
  async #recallUrgently(): Promise<void> {
    if (this.#urgent === undefined) {
      if (performance.now() - this.#urgentAt < URGENT_AGAIN_MS) return;
      this.#urgent = this.#recall(Date.now() - URGENT_SILENCE_MS, true).finally(() => {
        this.#urgent = undefined;
        this.#urgentAt = performance.now();
      });
    }
    await this.#urgent;
  }

  /**
   * A limit was lowered below what is spent and lent: each holder is asked once
   * for what is not in use. The alarm goes on where there are too many.
   */
  async #recallOverlent(): Promise<void> {
    const since = Date.now();
    const endsAt = performance.now() + LOWER_MS;
    while (this.#isOverlent && (await this.#recall(since, true)) === RECALLED_AT_ONCE) {
      if (performance.now() < endsAt) continue;
      this.#alarm.set(Date.now() + MORE_MS);
      return;
    }
  }

  /** Whether more is spent and lent than a limit allows, and some is lent. */
  get #isOverlent(): boolean {
    const { status } = this.#current;
    return POOLS.some((pool) => {
      const { limit, spent, lent } = status[pool];
      return limit !== undefined && lent > 0 && spent + lent > limit;
    });
  }

  /** Asks silent holders for what they do not use. Returns how many. */
  async #recall(since: number, isUrgent: boolean): Promise<number> {
    const loans = this.#database.write(() =>
      this.#ledger.openLoans(since, Date.now(), RECALLED_AT_ONCE),
    );
    await Promise.all(loans.map((loan) => this.#recallOne(loan, isUrgent)));
    this.#tellShare();
    return loans.length;
  }

  async #recallOne({ holder, statement }: OpenLoan, isUrgent: boolean): Promise<void> {
    try {
      const debtor = this.#parts.debtor(holder.user);
      const answer = await answeredIn(RECALL_MS, () =>
        debtor.recall(holder.log, statement, isUrgent),
      );
      const now = Date.now();
      this.#database.write(() => {
        if (answer === undefined) this.#ledger.writeOff(holder, statement, now);
        else this.#ledger.settle(holder, answer, now);
      });
    } catch (thrown) {
      console.error("A loan could not be recalled, and is again later:", reasonOf(thrown));
      this.#database.write(() => this.#ledger.heardNothing(holder, statement, Date.now()));
    }
  }

  // --- Operators ---

  async #change(request: Request): Promise<Response> {
    const { period } = this.#config;
    const timeoutMs = bodyTimeoutMs(this.env);
    const limits = { bytesMax: BODY_BYTES_MAX, timeoutMs, untyped: true };
    const change = parseBudgetChange(await readJson(request, limits));
    this.#database.write(() => {
      const { pools } = this.#ledger;
      const current = pools.current(Date.now(), period);
      for (const { pool, value } of change.limits) pools.setLimit(current, pool, value);
      // Of another limit another part is spent.
      pools.tell(current, 0);
    });
    await this.#recallOverlent();
    this.#tellShare();
    const response = json(this.#shown);
    response.headers.set(CHANGE_HEADER, encodeJson(change.body));
    return response;
  }

  get #current() {
    const { limits, period } = this.#config;
    return this.#database.write(() => {
      const { pools } = this.#ledger;
      const current = pools.current(Date.now(), period);
      return { period: current, status: pools.status(current, limits) };
    });
  }

  get #shown(): ShownBudget {
    const { period, status } = this.#current;
    return shownBudget(period, windowSpan(period)?.end, status);
  }

  // --- The log ---

  #tellShare(): void {
    // The limits may have been removed while loans are out.
    if (budgetConfig(this.env) === undefined) return;
    const percent = highestPercent(this.#current.status, "spent");
    if (percent >= 100) this.#tell(100);
    else if (percent >= TOLD_PERCENT) this.#tell(TOLD_PERCENT);
  }

  /** Once in a period, and again after an operator changed a limit. */
  #tell(percent: number): void {
    const { period } = this.#current;
    const { pools } = this.#ledger;
    if (pools.told(period) >= percent) return;
    this.#database.write(() => {
      pools.open(period);
      pools.tell(period, percent);
    });
    console.warn(encodeJson({ event: "budget", percent, ...this.#shown }));
  }

  // --- What several of the above need ---

  /** Throws UNAVAILABLE if a variable is wrong, or no limit is set. */
  get #config(): BudgetConfig {
    const config = budgetConfig(this.env);
    if (config !== undefined) return config;
    throw new ServiceError(
      "NOT_FOUND",
      "This deployment has no budget. Set BUDGET_LIMIT, BUDGET_ANONYMOUS_LIMIT or BUDGET_USD.",
    );
  }
}
