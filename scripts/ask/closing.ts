// What follows an answer: its sources, and what it cost. Pure.

import type { Outcome, Quota, Receipt, Source } from "../../src/client/client.ts";
import { indented, type Line, type Run, run, wrap } from "./lines.ts";

/** What a stop cost, by the state of the receipt. */
const STOPPED: Readonly<Record<Receipt["state"], string>> = {
  refunded: "Stopped. You were not charged.",
  charged: "Stopped too late: the answer was complete. It is charged.",
  reserved: "Stopped. Your refunds are used up, so the answer is finished and charged.",
};

export function sourceLines({ sources, found }: Outcome, width: number): Line[] {
  if (sources.length === 0) return [];
  // Where no source is cited, all of them may have helped.
  const isCited = ({ cited }: Source) => found && cited !== false;
  const used = sources.some(isCited) ? sources.filter(isCited) : [];
  const others = sources.filter((source) => !used.includes(source));
  const list = (name: string, listed: readonly Source[], ...style: Run["style"]) =>
    listed.length === 0
      ? []
      : [
          [],
          [run(name, ...style)],
          ...listed.flatMap((source) => lines(source, used.includes(source), width)),
        ];
  const rest = found ? "Also found, not cited" : "Closest passages";
  return [...list("Sources", used, "bold"), ...list(rest, others, "dim")];
}

function lines({ n, title, heading, url, documentId }: Source, isUsed: boolean, width: number) {
  const mark = `[${n}] `;
  const space = run(" ".repeat(mark.length));
  const place = heading.filter((part, i) => i > 0 || part !== title);
  const name = [
    run(title, ...(isUsed ? [] : (["dim"] as const))),
    ...(place.length > 0 ? [run(` › ${place.join(" › ")}`, "dim")] : []),
  ];
  const inside = Math.max(1, width - mark.length);
  return [
    ...indented(wrap(name, inside), run(mark, isUsed ? "cyan" : "dim"), space),
    // Not broken, so that it can be opened and copied.
    ...indented(wrap([run(url ?? documentId, "dim")], Infinity), space, space),
  ];
}

/** Undefined where the service could not be asked. */
export interface Cost {
  readonly receipt: Receipt | undefined;
  readonly quota: Quota | undefined;
}

export function costLine({ quotaRemaining, found }: Outcome, { receipt, quota }: Cost): string {
  return `${charge(receipt, found)} ${remaining(quota, quotaRemaining)}`;
}

export function stopLine(receipt: Receipt | undefined): string {
  if (receipt !== undefined) return STOPPED[receipt.state];
  return "Stopped. An answer that does not arrive whole is not charged.";
}

/** When a quota renews, in words. */
export function timeOf(iso: string): string {
  const [day = "", time = ""] = iso.split("T");
  return `${day}, ${time.slice(0, 5)} UTC`;
}

function charge(receipt: Receipt | undefined, found: boolean): string {
  if (receipt?.state === "charged") return "Charged.";
  if (receipt?.state === "refunded") {
    return found ? "Not charged." : "Not charged, because nothing was found.";
  }
  return "Whether it was charged is not known yet.";
}

function remaining(quota: Quota | undefined, left: number): string {
  if (quota === undefined) return `${left} answers are left.`;
  const until = quota.resetsAt === null ? "" : ` until ${timeOf(quota.resetsAt)}`;
  return `${quota.remaining} of ${quota.limit} answers are left${until}.`;
}
