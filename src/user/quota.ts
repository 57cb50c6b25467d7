// A user's quota as it stands: the limit that holds for them, and what is left of it in the present
// window. Says it as a body, as headers and as a refusal; counts nothing itself.

import type { UserConfig } from "../config.ts";
import { ServiceError } from "../errors.ts";
import type { Quota as QuotaBody } from "../protocol.ts";
import { type Counters, type Ledger, windowSpan } from "./ledger.ts";
import { ANONYMOUS, type Settings } from "./settings.ts";

interface Standing {
  readonly window: string;
  readonly limit: number;
  readonly refundLimit: number;
  readonly counters: Counters;
}

export class Quota {
  readonly #config: () => UserConfig;
  readonly #settings: Settings;
  readonly #ledger: Ledger;

  constructor(config: () => UserConfig, settings: Settings, ledger: Ledger) {
    this.#config = config;
    this.#settings = settings;
    this.#ledger = ledger;
  }

  /** The overrides where there are any, else the variables: read at each ask, never stored in a window. */
  limits(): { limit: number; refundLimit: number } {
    const config = this.#config();
    const settings = this.#settings.get();
    const { limit, refundLimit } = settings.name.startsWith(ANONYMOUS)
      ? { limit: config.anonymousLimit, refundLimit: config.anonymousRefundLimit }
      : { limit: config.quotaLimit, refundLimit: config.refundLimit };
    return {
      limit: settings.quota_limit ?? limit,
      refundLimit: settings.refund_limit ?? refundLimit,
    };
  }

  standing(now: number): Standing {
    const window = this.#ledger.currentWindow(now, this.#config().quotaPeriod);
    return { window, ...this.limits(), counters: this.#ledger.counters(window) };
  }

  remaining(now: number): number {
    const { limit, counters } = this.standing(now);
    return remaining(limit, counters);
  }

  /** Whether the window still allows a refund for leaving or stopping. */
  allowsRefund(window: string): boolean {
    return this.#ledger.counters(window).left < this.limits().refundLimit;
  }

  body(now: number): QuotaBody {
    const { window, limit, refundLimit, counters } = this.standing(now);
    const { reserved, charged, refunded, left } = counters;
    const end = windowSpan(window)?.end;
    return {
      limit,
      remaining: remaining(limit, counters),
      reserved,
      charged,
      refunded,
      refundsLeft: Math.max(0, refundLimit - left),
      period: this.#config().quotaPeriod,
      resetsAt: end === undefined ? null : new Date(end).toISOString(),
    };
  }

  /** draft-ietf-httpapi-ratelimit-headers: the policy, and what is left of it until the reset. */
  headers(now: number): Record<string, string> {
    const { window, limit, counters } = this.standing(now);
    const span = windowSpan(window);
    const length = span === undefined ? "" : `;w=${(span.end - span.start) / 1000}`;
    const reset = span === undefined ? "" : `;t=${secondsUntil(span.end, now)}`;
    return {
      "ratelimit-policy": `"quota";q=${limit}${length}`,
      ratelimit: `"quota";r=${remaining(limit, counters)}${reset}`,
    };
  }

  exceeded(now: number): ServiceError {
    const { limit, resetsAt } = this.body(now);
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

export function remaining(limit: number, { reserved, charged }: Counters): number {
  return Math.max(0, limit - reserved - charged);
}

function secondsUntil(time: number, now: number): number {
  return Math.max(0, Math.ceil((time - now) / 1000));
}
