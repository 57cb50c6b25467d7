// The reservations of one user: each transaction that moves a query and its
// window's counter together, and the log line that says so. When one is moved
// is decided in asks.ts.

import { withCitations } from "../answer/citations.ts";
import { type ErrorCode, encodeJson, type Finish, type RefundReason } from "../protocol.ts";
import { takes } from "./payment.ts";
import type { Answer, NewQuery, Spent } from "./queries.ts";
import type { Tables } from "./tables.ts";

/** What the log says of a run, and no row does. */
export interface Logged {
  /** The best of its sources; undefined without any. */
  readonly score: number | undefined;
  /** Those that were searched. */
  readonly collections: readonly string[];
  /** All tokens of the answer and its prompt, if the model counted them. */
  readonly modelTokens: number | undefined;
  /** Of the client's `traceparent`. */
  readonly traceId: string | undefined;
}

/** How a query ended, for the log: never what was said. */
interface Resolution extends Partial<Spent>, Partial<Logged> {
  readonly state: "charged" | "refunded";
  readonly reason?: RefundReason;
  readonly code?: ErrorCode;
  readonly finish?: Finish;
  readonly found?: boolean;
  readonly tokens?: number;
  /** How many sources the answer cites. */
  readonly cited?: number;
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
    const { ledger, queries, keys, allowances } = this.#tables;
    const { payment } = query;
    return this.#tables.transaction(() => {
      if (!ledger.reserve(query.window, room)) return undefined;
      const id = queries.insert(query);
      if (takes(payment)) allowances.take(id, { period: payment.budget, micros: payment.micros });
      keys.put(query.key, id);
      return id;
    });
  }

  /** No effect if the query is not reserved any more. */
  charge(queryId: string, answer: Answer & Logged): void {
    const { ledger, queries, allowances } = this.#tables;
    const isMoved = this.#tables.transaction(() => {
      const window = queries.charge(queryId, Date.now(), answer);
      if (window === undefined) return false;
      ledger.charge(window);
      allowances.resolve(queryId, answer.micros);
      return true;
    });
    if (isMoved) this.#log(queryId, { state: "charged", ...factsOf(answer) });
  }

  /** No effect if the query is not reserved any more. */
  refund(queryId: string, reason: RefundReason, facts: Omit<Resolution, "state"> = {}): void {
    this.#refund(queryId, reason, facts, () =>
      this.#tables.queries.refund(queryId, Date.now(), reason, facts.micros),
    );
  }

  /** Stores an answer that found nothing, without a charge. */
  refundNothingFound(queryId: string, answer: Answer & Logged): void {
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
    const { ledger, allowances } = this.#tables;
    const isMoved = this.#tables.transaction(() => {
      const window = move();
      if (window === undefined) return false;
      ledger.refund(window, reason);
      allowances.resolve(queryId, facts.micros);
      return true;
    });
    if (isMoved) this.#log(queryId, { state: "refunded", reason, ...facts });
  }

  /** An operator's refund of a charge. The second one has no effect. */
  refundCharge(queryId: string): void {
    const { ledger, queries, outbox } = this.#tables;
    this.#tables.transaction(() => {
      const window = queries.refundCharge(queryId, Date.now());
      if (window === undefined) return;
      ledger.refundCharge(window);
      outbox.refundedCharge(queryId, queries.get(queryId)?.asked_at ?? 0);
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

function factsOf(answer: Answer & Logged): Omit<Resolution, "state"> {
  const { finish, found, tokens, firstTokenMs, totalMs, rewriteMs, rewriteTokens } = answer;
  const { score, collections, modelTokens, traceId, micros, fallback } = answer;
  const sources = withCitations(answer.sources, tokens.join(""));
  const cited = sources.filter((source) => source.cited).length;
  const spent = { firstTokenMs, totalMs, rewriteMs, rewriteTokens, micros, fallback };
  const logged = { score, cited, collections, modelTokens, traceId };
  return { finish, found, tokens: tokens.length, ...logged, ...spent };
}
