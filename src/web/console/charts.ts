// Charts of days, drawn by uPlot: bars on top of each other, or lines. The cursor of
// one is in all of them. A screen reader and the keyboard go from day to day as in
// a slider, and each chart has its numbers in a table.

import uPlot from "uplot";
import { element } from "../element.ts";
import { dayName } from "./format.ts";
import { Table } from "./table.ts";

export interface Series {
  readonly name: string;
  /** One for each day; undefined where there is none. */
  readonly values: readonly (number | undefined)[];
}

export interface Chart {
  readonly title: string;
  readonly kind: "bars" | "lines";
  readonly days: readonly string[];
  /** Drawn in the colours 1, 2, 3 and so on. */
  readonly series: readonly Series[];
  format(value: number): string;
}

const HEIGHT_PX = 190;
/** Charts with this key share their cursor. */
const CURSOR = { key: "days", setSeries: false };
const NONE = "–";
/** A change of these needs other colours. */
const SCHEMES = ["(prefers-color-scheme: dark)", "(forced-colors: active)"];

/** @param gone Aborted when the chart is not shown any more. */
export function chart(drawn: Chart, gone: AbortSignal): HTMLElement {
  const { title, days, series, format } = drawn;
  const keys = series.map(({ name }, i) => new Key(name, i));
  const day = element("span", { class: "day" });
  const frame = element("div", {
    ...{ class: "plot", role: "slider", tabindex: "0", "aria-label": `${title}, by day` },
    ...{ "aria-valuemin": "1", "aria-valuemax": `${days.length}` },
  });
  /** Shows the numbers of a day, or of no day. */
  const point = (at: number | undefined) => {
    day.textContent = at === undefined ? "" : dayName(days[at] ?? "");
    const texts = keys.map((key, i) => {
      const value = at === undefined ? undefined : series[i]?.values[at];
      return key.show(at === undefined ? "" : value === undefined ? NONE : format(value));
    });
    const last = days.length - 1;
    frame.ariaValueNow = `${(at ?? last) + 1}`;
    frame.ariaValueText =
      at === undefined ? `${days.length} days` : `${day.textContent}: ${texts.join(", ")}`;
  };
  point(undefined);
  plot(drawn, keys, frame, point, gone);
  return element(
    "figure",
    { class: "chart" },
    element("figcaption", {}, element("span", {}, title), day),
    element("ul", { class: "legend" }, ...keys.map(({ root }) => root)),
    frame,
    numbers(drawn),
  );
}

/** What a colour shows, and its number of the day under the cursor. */
class Key {
  readonly root: HTMLElement;
  readonly #name: string;
  readonly #swatch: HTMLElement;
  readonly #value = element("b", {});

  constructor(name: string, place: number) {
    this.#name = name;
    this.#swatch = element("i", { class: `series-${place + 1}` });
    this.root = element("li", {}, this.#swatch, name, " ", this.#value);
  }

  show(value: string): string {
    this.#value.textContent = value;
    return `${this.#name} ${value}`;
  }

  /** As it is now: the style sheet has it, in the light, the dark and for print. */
  get colour(): string {
    return getComputedStyle(this.#swatch).color;
  }
}

/** Draws once the frame has a width, and again when that or the colours change. */
function plot(
  drawn: Chart,
  keys: readonly Key[],
  frame: HTMLElement,
  point: (at: number | undefined) => void,
  gone: AbortSignal,
): void {
  let made: uPlot | undefined;
  const sizes = new ResizeObserver(() => {
    const width = Math.floor(frame.clientWidth);
    if (width === 0) return;
    if (made === undefined) {
      const options = optionsOf(drawn, keys, frame, width, point);
      made = new uPlot(options, dataOf(drawn), frame);
      // The keyboard and screen readers have the frame.
      made.root.ariaHidden = "true";
    } else {
      made.setSize({ width, height: HEIGHT_PX });
    }
  });
  sizes.observe(frame);
  for (const query of SCHEMES) {
    matchMedia(query).addEventListener("change", () => made?.redraw(true, true), { signal: gone });
  }
  // Letters that load later have other widths.
  document.fonts.ready.then(() => made?.redraw(false, true));
  frame.addEventListener("keydown", (event) => {
    const at = made && steppedTo(event.key, made.cursor.idx ?? undefined, drawn.days.length);
    if (made === undefined || at === undefined) return;
    event.preventDefault();
    made.setCursor({ left: made.valToPos(at, "x"), top: HEIGHT_PX / 2 }, true);
  });
  frame.addEventListener("blur", () => made?.setCursor({ left: -10, top: -10 }, true));
  gone.addEventListener("abort", () => {
    sizes.disconnect();
    made?.destroy();
    made = undefined;
  });
}

/** Where a key leads; undefined if it does not move. */
function steppedTo(key: string, at: number | undefined, length: number): number | undefined {
  const last = length - 1;
  const steps: Readonly<Record<string, number>> = {
    ...{ ArrowLeft: (at ?? length) - 1, ArrowDown: (at ?? length) - 1 },
    ...{ ArrowRight: (at ?? last - 1) + 1, ArrowUp: (at ?? last - 1) + 1 },
    ...{ PageUp: (at ?? last) + 7, PageDown: (at ?? length) - 7 },
    ...{ Home: 0, End: last },
  };
  const to = Object.hasOwn(steps, key) ? steps[key] : undefined;
  return to === undefined ? undefined : Math.min(Math.max(to, 0), last);
}

/**
 * The highest bar is drawn first, and the lower ones over it: each is as high as
 * itself and all below it.
 */
function dataOf({ kind, days, series }: Chart): uPlot.AlignedData {
  const places = days.map((_, place) => place);
  if (kind === "lines") {
    return [places, ...series.map(({ values }) => values.map((value) => value ?? null))];
  }
  let below = days.map(() => 0);
  const sums = series.map(({ values }) => {
    below = below.map((sum, i) => sum + (values[i] ?? 0));
    return below;
  });
  return [places, ...sums.reverse()];
}

function optionsOf(
  { kind, days, series, format }: Chart,
  keys: readonly Key[],
  frame: HTMLElement,
  width: number,
  point: (at: number | undefined) => void,
): uPlot.Options {
  const style = () => getComputedStyle(frame);
  const { fontFamily, fontSize } = style();
  const font = `${fontSize} ${fontFamily}`;
  const line = () => style().borderTopColor;
  const ink = () => style().color;
  const bars = uPlot.paths.bars?.({ size: [0.72, 36], radius: [0.12, 0] });
  const drawnSeries = series.map((_, i): uPlot.Series => {
    if (kind === "lines") {
      const colour = () => keys[i]?.colour ?? "";
      const filter = () => pointsOf(series[i]?.values ?? []);
      return { stroke: colour, width: 2, points: { show: true, size: 5, fill: colour, filter } };
    }
    const colour = () => keys[series.length - 1 - i]?.colour ?? "";
    const points = { show: false };
    return { fill: colour, width: 0, points, ...(bars && { paths: bars }) };
  });
  return {
    ...{ width, height: HEIGHT_PX, legend: { show: false }, padding: [8, 4, 0, 0] },
    series: [{}, ...drawnSeries],
    scales: {
      x: { time: false, range: () => [-0.5, days.length - 0.5] },
      y: { range: (_plot, _min, max) => (max > 0 ? uPlot.rangeNum(0, max, 0.1, true) : [0, 2]) },
    },
    axes: [
      {
        ...{ font, stroke: ink, size: 24, gap: 4, space: 64 },
        ...{ grid: { show: false }, ticks: { show: false }, incrs: [1, 2, 7, 14, 30] },
        values: (_plot, places) => places.map((place) => dayName(days[place] ?? "")),
      },
      {
        ...{ font, stroke: ink, gap: 6, size: widthOfNumbers, incrs: wholeSteps(), space: 36 },
        ...{ grid: { stroke: line, width: 1 }, ticks: { show: false } },
        values: (_plot, places) => places.map(format),
      },
    ],
    cursor: { y: false, drag: { x: false, y: false }, sync: CURSOR, points: { show: false } },
    hooks: { setCursor: [({ cursor }) => point(cursor.idx ?? undefined)] },
  };
}

/** Each day of a month. Of more, only those whose neighbours have no value. */
function pointsOf(values: Series["values"]): number[] {
  const has = (at: number) => values[at] !== undefined;
  const isShown = (at: number) => values.length <= 31 || !(has(at - 1) || has(at + 1));
  return [...values.keys()].filter((at) => has(at) && isShown(at));
}

/** 1, 2, 5, 10 and so on: there is no half question. */
function wholeSteps(): number[] {
  return Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((n) => n * 10 ** power)).flat();
}

/** The axis is as wide as its longest number, in letters of up to 7 px. */
function widthOfNumbers(_plot: uPlot, values: readonly string[] | null): number {
  return Math.max(2, ...(values ?? []).map(({ length }) => length)) * 7 + 10;
}

function numbers({ title, days, series, format }: Chart): HTMLElement {
  const columns = series.map(({ name }) => ({ title: name, isNumber: true }));
  const table = new Table(title, [{ title: "Day" }, ...columns]);
  const rows = days.map((day, i) => {
    const values = series.map(({ values }) => values[i]);
    return [dayName(day), ...values.map((n) => (n === undefined ? NONE : format(n)))];
  });
  const words = element("summary", {}, "Numbers");
  return element("details", { class: "numbers" }, words, table.fill(rows.reverse()));
}
