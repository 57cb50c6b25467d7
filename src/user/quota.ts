// A user's quota: the limit, and what remains of it in the present window.
// Written as a body, as headers and as a refusal; the counters are in
// ledger.ts.

import type { UserConfig } from "../config.ts";
import { ServiceError } from "../errors.ts";
import type { Quota as QuotaBody } from "../protocol.ts";
import { windowSpan } from "../window.ts";
import type { Counters } from "./ledger.ts";
import { ANONYMOUS } from "./settings.ts";
import { refundsLeft } from "./sharing.ts";
import type { Tables } from "./tables.ts";

interface Status {
  readonly window: string;
  readonly limit: number;
  /** How much of the limit the window itself may use. */
  readonly room: number;
  /** Includes what windows of another period counted in the same time. */
  readonly counters: Counters;
}

interface Refundable {
  readonly queryId: string;
  readonly window: string;
  readonly identity: string | null;
}

export class Quota {
  readonly #config: () => UserConfig;
  readonly #tables: Tables;
  /** Undefined before a request of this user. */
  #claimed: number | null | undefined;

  constructor(config: () => UserConfig, tables: Tables) {
    this.#config = config;
    this.#tables = tables;
  }

  /** The limit of the caller's bearer token; null if it has none. */
  claim(limit: number | null): void {
    this.#claimed = limit;
  }

  /** Stores the last one, if it changed: operators see it. */
  keepClaim(): void {
    const { settings, outbox } = this.#tables;
    const claimed = this.#claimed;
    if (claimed === undefined || claimed === settings.get().claimed_limit) return;
    this.#tables.transaction(() => {
      settings.setClaimedLimit(claimed);
      outbox.settingsChanged();
    });
  }

  /**
   * The overrides, else the bearer token's, else the variables: read at each
   * ask, never stored in a window.
   */
  limits(): { limit: number; refundLimit: number } {
    const config = this.#config();
    const settings = this.#tables.settings.get();
    const { limit, refundLimit } = settings.name.startsWith(ANONYMOUS)
      ? { limit: config.anonymousLimit, refundLimit: config.anonymousRefundLimit }
      : { limit: config.quotaLimit, refundLimit: config.refundLimit };
    const claimed = this.#claimed === undefined ? settings.claimed_limit : this.#claimed;
    return {
      limit: settings.quota_limit ?? claimed ?? limit,
      refundLimit: settings.refund_limit ?? refundLimit,
    };
  }

  status(now: number): Status {
    const window = this.#tables.ledger.currentWindow(now, this.#config().quotaPeriod);
    const { limit } = this.limits();
    const { used } = this.#elsewhere(window);
    const counters = this.#tables.ledger.counters(window);
    return {
      window,
      limit,
      room: Math.max(0, limit - used),
      counters: { ...counters, charged: counters.charged + used },
    };
  }

  /**
   * What windows of another QUOTA_PERIOD count in this time: a change grants
   * nothing.
   */
  #elsewhere(window: string): { used: number; refunds: number } {
    if (!this.#tables.ledger.isMixed(window)) return { used: 0, refunds: 0 };
    return this.#tables.queries.countedElsewhere(window, windowSpan(window)?.start ?? 0);
  }

  /** @param freed Reservations that are about to be refunded. */
  remaining(now: number, freed = 0): number {
    const { limit, counters } = this.status(now);
    return remaining(limit, counters, freed);
  }

  /**
   * How many counted refunds the window still allows, to one of those who
   * share it.
   */
  refundsLeft(window: string, identity: string | null): number {
    const { refunds_counted: all } = this.#tables.ledger.counters(window);
    const refundLimit = this.limits().refundLimit - this.#elsewhere(window).refunds;
    if (identity === null) return Math.max(0, refundLimit - all);
    const own = this.#tables.queries.countedRefundsOf(identity, window);
    return refundsLeft(refundLimit, { own, all });
  }

  /**
   * If storage cannot say what the allowance has left, the user gets a
   * refund.
   */
  allowsRefund({ queryId, window, identity }: Refundable): boolean {
    try {
      return this.refundsLeft(window, identity) > 0;
    } catch (thrown) {
      console.error(`The refund allowance could not be read for query ${queryId}:`, thrown);
      return true;
    }
  }

  body(now: number, identity: string | null): QuotaBody {
    const { window, limit, counters } = this.status(now);
    const { reserved, charged, refunded } = counters;
    return {
      limit,
      remaining: remaining(limit, counters),
      reserved,
      charged,
      refunded,
      refundsLeft: this.refundsLeft(window, identity),
      period: this.#config().quotaPeriod,
      resetsAt: endOf(window),
    };
  }

  /**
   * draft-ietf-httpapi-ratelimit-headers: the policy, and what remains until
   * the reset.
   * @param other A further policy.
   */
  headers(now: number, other?: { policy: string; left: string }): Record<string, string> {
    const { window, limit, counters } = this.status(now);
    const span = windowSpan(window);
    const length = span === undefined ? "" : `;w=${(span.end - span.start) / 1000}`;
    const reset = span === undefined ? "" : `;t=${secondsUntil(span.end, now)}`;
    return {
      "ratelimit-policy": listOf(`"quota";q=${limit}${length}`, other?.policy),
      ratelimit: listOf(`"quota";r=${remaining(limit, counters)}${reset}`, other?.left),
    };
  }

  exceeded(now: number): ServiceError {
    const { window, limit } = this.status(now);
    const resetsAt = endOf(window);
    const renews = resetsAt === null ? "It does not renew." : `It renews at ${resetsAt}.`;
    const message =
      limit === 0
        ? "Your limit is 0. Ask the operator."
        : `The quota of ${limit} is used up. ${renews}`;
    return new ServiceError("QUOTA_EXCEEDED", message, {
      body: { quotaRemaining: 0, resetsAt },
      headers: {
        // SDKs in wide use would ask twice more.
        "x-should-retry": "false",
        ...(resetsAt !== null && { "retry-after": `${secondsUntil(Date.parse(resetsAt), now)}` }),
        ...this.headers(now),
      },
    });
  }
}

export function remaining(limit: number, { reserved, charged }: Counters, freed = 0): number {
  return Math.max(0, limit - reserved + freed - charged);
}

function listOf(...items: (string | undefined)[]): string {
  return items.filter((item) => item !== undefined).join(", ");
}

function endOf(window: string): string | null {
  const end = windowSpan(window)?.end;
  return end === undefined ? null : new Date(end).toISOString();
}

function secondsUntil(time: number, now: number): number {
  return Math.max(0, Math.ceil((time - now) / 1000));
}
