// What the service says about quota and charges: read again until it is settled.

import type { Client, Quota, Receipt } from "../../client/client.ts";
import { localeOf } from "../clock.ts";
import type { PageWords } from "./words/page-words.ts";

/** Pauses in ms between reads, until the last answer is charged. */
const SETTLING_MS = [100, 400, 1_600];

export class Accounts {
  readonly #client: Client;
  readonly #onQuota: (quota: Quota) => void;
  #reads = 0;

  constructor(client: Client, onQuota: (quota: Quota) => void) {
    this.#client = client;
    this.#onQuota = onQuota;
  }

  async refresh(): Promise<void> {
    this.#reads += 1;
    const reading = this.#reads;
    const quota = await this.#client.quota();
    // A later answer is newer.
    if (reading === this.#reads) this.#onQuota(quota);
  }

  /** Reads the quota after the charge, some ms after the answer. */
  async settle(isUnsettled: () => boolean): Promise<void> {
    for (const ms of SETTLING_MS) {
      if (!isUnsettled()) return;
      await new Promise((resolve) => setTimeout(resolve, ms));
      await this.refresh().catch(() => {});
    }
  }

  /** The receipt of an answer, some milliseconds after its end. */
  async receipt(queryId: string): Promise<Receipt | undefined> {
    for (const ms of [0, ...SETTLING_MS]) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      const receipt = await this.#client.query(queryId);
      if (receipt.state !== "reserved") return receipt;
    }
    return undefined;
  }
}

/** When it was asked, and what it cost. */
export function accountOf({ askedAt, state, reason }: Receipt, words: PageWords): string {
  const form = { dateStyle: "medium", timeStyle: "short" } as const;
  const when = new Intl.DateTimeFormat(localeOf(words.lang), form).format(Date.parse(askedAt));
  const cost = state === "charged" ? words.charged : reason === null ? "" : words.refunded[reason];
  return [when, cost].filter(Boolean).join(" · ");
}
