// What an operator has to know at once, above all numbers. Each check is a line of
// CHECKS: it says nothing while all is well.

import { element } from "../element.ts";
import { messageOf } from "./area.ts";
import type { BudgetBody } from "./bodies.ts";
import { budgetWords } from "./budget.ts";
import type { Place } from "./place.ts";

/** Resolves with what is wrong, or undefined. */
type Check = (place: Place) => Promise<string | undefined>;

const CHECKS: readonly Check[] = [health];

export function status(place: Place): HTMLElement {
  const { gone } = place;
  const root = element("div", { class: "status", "aria-live": "polite" });
  const say = (words: string) => {
    const mark = element("p", { class: "failure" }, words);
    if (!gone.aborted) root.append(mark);
  };
  for (const check of CHECKS) {
    check(place).then(
      (wrong) => wrong !== undefined && say(wrong),
      (thrown) => say(messageOf(thrown)),
    );
  }
  return root;
}

/** As a monitor asks. A server without a budget says nothing of one. */
async function health({ api, gone }: Place): Promise<string | undefined> {
  const response = await fetch("/healthz", { signal: gone }).catch(() => undefined);
  if (response === undefined) return undefined;
  if (response.ok) {
    const hasBudget = (await response.text().catch(() => "")).includes("\nbudget: ");
    return hasBudget ? budgetWords(await api.get<BudgetBody>("/budget", {}, gone)) : undefined;
  }
  const body: { message?: string } = await response.json().catch(() => ({}));
  return `Asks are refused. ${body.message ?? `The health check answered ${response.status}.`}`;
}
