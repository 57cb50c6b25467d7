// Shows the remaining quota and when it renews.

import type { Quota } from "../../client/client.ts";
import { clock } from "../clock.ts";
import { byId } from "../element.ts";

export class QuotaMeter {
  readonly #root = byId("quota", HTMLElement);
  readonly #words = byId("quota-words", HTMLElement);
  readonly #reset = byId("quota-reset", HTMLElement);
  readonly #bar = byId("quota-bar", HTMLMeterElement);
  #quota: Quota | undefined;

  show(quota: Quota): void {
    this.#quota = quota;
    const { limit, remaining, resetsAt } = quota;
    this.#root.hidden = false;
    this.#root.classList.toggle("spent", remaining === 0);
    this.#words.textContent = `${remaining} of ${limit} left`;
    this.#bar.max = Math.max(1, limit);
    this.#bar.value = remaining;
    this.#bar.style.setProperty("--left", `${(100 * remaining) / this.#bar.max}%`);
    this.#reset.textContent =
      resetsAt === null ? "" : `renews ${clock(Date.parse(resetsAt), Date.now())}`;
  }

  get spent(): boolean {
    return this.#quota?.remaining === 0 && this.#quota.reserved === 0;
  }

  /** Whether the rest is reserved for answers that may yet be refunded. */
  get held(): boolean {
    return this.#quota?.remaining === 0 && this.#quota.reserved > 0;
  }

  get resetsAt(): string | null {
    return this.#quota?.resetsAt ?? null;
  }
}

/** When the quota renews: the reader's local time, and the time until then. */
export function renewal(resetsAt: string | null, now: number): string {
  if (resetsAt === null) return "It does not renew.";
  const at = Date.parse(resetsAt);
  const minutes = Math.max(1, Math.ceil((at - now) / 60_000));
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  const wait =
    hours >= 48
      ? `${Math.round(hours / 24)} days`
      : [hours > 0 ? `${hours} h` : "", `${rest} min`].filter(Boolean).join(" ");
  return `It renews at ${clock(at, now)}, in ${wait}.`;
}
