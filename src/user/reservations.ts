// The reservations of one user: each transaction that moves a query and its
// window's counter together, and the log line that says so. When one is moved
// is decided in asks.ts.

import { type ErrorCode, encodeJson, type Finish, type RefundReason } from "../protocol.ts";
import type { Answer, NewQuery, Spent } from "./queries.ts";
import type { Tables } from "./tables.ts";

/** How a query ended, for the log: never what was said. */
interface Resolution extends Partial<Spent> {
  readonly state: "charged" | "refunded";
  readonly reason?: RefundReason;
  readonly code?: ErrorCode;
  readonly finish?: Finish;
  readonly found?: boolean;
  readonly tokens?: number;
}

export class Reservations {
  readonly #ctx: DurableObjectState;
  readonly #tables: Tables;

  constructor(ctx: DurableObjectState, tables: Tables) {
    this.#ctx = ctx;
    this.#tables = tables;
  }

  /**
   * Reserves, and returns the query's id; undefined if the window has no
   * room.
   */
  make(query: NewQuery, room: number): string | undefined {
    const { ledger, queries, keys } = this.#tables;
    return this.#tables.transaction(() => {
      if (!ledger.reserve(query.window, room)) return undefined;
      const id = queries.insert(query);
      keys.put(query.key, id);
      return id;
    });
  }

  /** No effect if the query is not reserved any more. */
  charge(queryId: string, answer: Answer): void {
    const { ledger, queries } = this.#tables;
    const isMoved = this.#tables.transaction(() => {
      const window = queries.charge(queryId, Date.now(), answer);
      if (window !== undefined) ledger.charge(window);
      return window !== undefined;
    });
    if (isMoved) this.#log(queryId, { state: "charged", ...factsOf(answer) });
  }

  /** No effect if the query is not reserved any more. */
  refund(queryId: string, reason: RefundReason, facts: Omit<Resolution, "state"> = {}): void {
    this.#refund(queryId, reason, facts, () =>
      this.#tables.queries.refund(queryId, Date.now(), reason),
    );
  }

  /** Stores an answer that found nothing, without a charge. */
  refundNothingFound(queryId: string, answer: Answer): void {
    this.#refund(queryId, "nothing_found", factsOf(answer), () =>
      this.#tables.queries.refundNothingFound(queryId, Date.now(), answer),
    );
  }

  /** @param move Refunds the query, and returns its window. */
  #refund(
    queryId: string,
    reason: RefundReason,
    facts: Omit<Resolution, "state">,
    move: () => string | undefined,
  ): void {
    const isMoved = this.#tables.transaction(() => {
      const window = move();
      if (window !== undefined) this.#tables.ledger.refund(window, reason);
      return window !== undefined;
    });
    if (isMoved) this.#log(queryId, { state: "refunded", reason, ...facts });
  }

  /** An operator's refund of a charge. The second one has no effect. */
  refundCharge(queryId: string): void {
    const { ledger, queries } = this.#tables;
    this.#tables.transaction(() => {
      const window = queries.refundCharge(queryId, Date.now());
      if (window !== undefined) ledger.refundCharge(window);
    });
  }

  /** Refunds what is reserved without a run: its instance died. */
  sweep(isLive: (queryId: string) => boolean): void {
    const { ledger, queries } = this.#tables;
    for (const { id } of queries.reserved(ledger.reserved())) {
      if (isLive(id)) continue;
      try {
        this.refund(id, "expired");
      } catch (thrown) {
        // It stays reserved, so the alarm is set again. The others must not
        // wait for it.
        console.error(`Query ${id} could not be swept:`, thrown);
      }
    }
  }

  /**
   * One line for each query, at its end. The user is the object's id, a hash
   * of the name. The line waits for the disk: a write that is lost is
   * repeated by the next instance.
   */
  #log(queryId: string, resolution: Resolution): void {
    const user = this.#ctx.id.toString();
    const line = encodeJson({ event: "query", queryId, user, ...resolution });
    this.#ctx.waitUntil(
      this.#ctx.storage.sync().then(
        () => console.log(line),
        () => {},
      ),
    );
  }
}

function factsOf(answer: Answer): Omit<Resolution, "state"> {
  const { finish, found, tokens, firstTokenMs, totalMs, rewriteMs, rewriteTokens } = answer;
  const spent = { firstTokenMs, totalMs, rewriteMs, rewriteTokens };
  return { finish, found, tokens: tokens.length, ...spent };
}
