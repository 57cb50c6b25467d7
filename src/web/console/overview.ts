// How the deployment did in the last days: what needs a look now, totals beside those
// of the days before, charts, and who and what leads.

import type { Histogram } from "../../report.ts";
import type { ShownCounts, ShownDay, ShownTotals } from "../../shown.ts";
import { element } from "../element.ts";
import { Area, empty } from "./area.ts";
import { chart } from "./charts.ts";
import { chosenOf, PERIODS, segments } from "./fields.ts";
import { change, daysAgo, milliseconds, share, short } from "./format.ts";
import { leaders } from "./leaders.ts";
import { daysBetween, percentile, together } from "./percentile.ts";
import { addressOf, type Place } from "./place.ts";
import { status } from "./status.ts";
import { REASON_NAMES, REASONS } from "./words.ts";

/** Totals of a period, and of as many days before it. */
interface Shown {
  readonly period: number;
  readonly days: readonly ShownDay[];
  readonly before: readonly ShownDay[];
  readonly boundsMs: readonly number[];
}

export function overview(place: Place): void {
  const { api, root, controls, filters, gone, keep } = place;
  let days = chosenOf(PERIODS, filters.get("days"), "30");
  const totals = new Area(
    async (signal): Promise<Shown> => {
      const period = Number(days);
      const first = daysAgo(period - 1);
      const since = daysAgo(2 * period - 1);
      const body = await api.get<ShownTotals>("/totals", { since }, signal);
      const isBefore = ({ day }: ShownDay) => day < first;
      return {
        ...{ period, boundsMs: body.boundsMs, before: body.days.filter(isBefore) },
        days: body.days.filter((day) => !isBefore(day)),
      };
    },
    shown,
    gone,
  );
  const lists = leaders(place, () => days);
  const load = () => {
    totals.load();
    lists.load();
  };
  controls.append(
    segments("Period", PERIODS, days, (chosen) => {
      days = chosen;
      keep({ days });
      load();
    }),
  );
  root.append(status(place), totals.root, lists.root);
  load();
}

function shown(all: Shown, gone: AbortSignal): readonly Node[] {
  const { days, boundsMs, period } = all;
  if (days.length === 0) {
    return [
      empty("No question was asked in this time. An answer is listed half a minute after its end."),
    ];
  }
  const names = daysBetween(daysAgo(period - 1), daysAgo(0));
  const byName = new Map(days.map((day) => [day.day, day]));
  const of = (read: (day: ShownDay) => number) =>
    names.map((name) => {
      const day = byName.get(name);
      return day === undefined ? 0 : read(day);
    });
  const counted = (
    title: string,
    series: readonly [name: string, read: (day: ShownDay) => number][],
  ) =>
    chart(
      {
        ...{ title, kind: "bars", days: names, format: short },
        series: series.map(([name, read]) => ({ name, values: of(read) })),
      },
      gone,
    );
  const timed = (title: string, which: "firstTokenMs" | "totalMs") => {
    const values = (part: number) =>
      names.map((name) => {
        const ms = percentile(byName.get(name)?.[which] ?? [], boundsMs, part);
        // Longer than all bounds: drawn at the last.
        return ms === undefined ? undefined : Math.min(ms, boundsMs.at(-1) ?? ms);
      });
    const series = [
      { name: "median", values: values(0.5) },
      { name: "95%", values: values(0.95) },
    ];
    return chart({ title, kind: "lines", days: names, series, format: milliseconds }, gone);
  };
  return [
    tiles(all),
    element(
      "div",
      { class: "charts" },
      counted("Questions", [
        ["charged", ({ charged }) => charged],
        ["refunded", ({ refunded }) => refundsOf(refunded)],
      ]),
      counted(
        "Refunds by reason",
        REASON_NAMES.map((reason) => [REASONS[reason], ({ refunded }) => refunded[reason]]),
      ),
      timed("Time to the first token", "firstTokenMs"),
      timed("Time of a whole answer", "totalMs"),
    ),
  ];
}

function tiles({ days, before, boundsMs, period }: Shown): HTMLElement {
  const sum = (read: (day: ShownDay) => number, of = days) =>
    of.reduce((total, day) => total + read(day), 0);
  const asked = sum((day) => day.asked);
  const refunded = sum((day) => refundsOf(day.refunded));
  const unanswered = sum((day) => day.refunded.nothing_found);
  const failed = sum((day) => day.failed);
  const first = together(days.map(({ firstTokenMs }) => firstTokenMs));
  const since = `than in the ${period} days before`;
  const changed = (read: (day: ShownDay) => number) => {
    const words = change(sum(read), sum(read, before));
    return words === "" ? "" : element("span", { title: `${words} ${since}` }, words);
  };
  const unansweredLink = addressOf(["questions"], { days: `${period}` });
  return element(
    "dl",
    { class: "tiles" },
    tile(
      "Asked",
      short(asked),
      changed((day) => day.asked),
    ),
    tile(
      "Charged",
      short(sum((day) => day.charged)),
      changed((day) => day.charged),
    ),
    tile("Refunded", short(refunded), share(refunded, asked)),
    tile("Failed", short(failed), share(failed, asked)),
    tile(
      "Nothing found",
      unanswered === 0 ? "0" : element("a", { href: unansweredLink }, short(unanswered)),
      share(unanswered, asked),
    ),
    tile(
      "Tokens",
      short(sum((day) => day.tokens)),
      changed((day) => day.tokens),
    ),
    tile("First token, median", atMost(first, boundsMs, 0.5)),
    tile("First token, 95%", atMost(first, boundsMs, 0.95)),
  );
}

function tile(name: string, value: Node | string, note: Node | string = ""): HTMLElement {
  const remark = note === "" ? [] : [" ", element("small", {}, note)];
  return element("div", {}, element("dt", {}, name), element("dd", {}, value, ...remark));
}

/** A histogram says only between which bounds a time is. */
function atMost(histogram: Histogram, boundsMs: readonly number[], part: number): string {
  const ms = percentile(histogram, boundsMs, part);
  if (ms === undefined) return "–";
  const isBounded = Number.isFinite(ms);
  return isBounded ? `≤ ${milliseconds(ms)}` : `> ${milliseconds(boundsMs.at(-1) ?? 0)}`;
}

function refundsOf(refunds: ShownCounts["refunded"]): number {
  return REASON_NAMES.reduce((total, reason) => total + refunds[reason], 0);
}
