// Tables of a PDF page between rules: lines of one width, without lines between columns. Pure.

import { type Grid, NEAR, places } from "./pdf-grid.ts";
import type { Item } from "./pdf-lines.ts";
import type { Stroke } from "./pdf-strokes.ts";
import { isSign } from "./pdf-text.ts";

/** In sizes of the font: a gap this wide in all lines between two rules is between columns. */
const COLUMN_GAP = 0.45;

/** Where no text is, from left to right. */
type Gap = readonly [number, number];

/** What is between two rules. */
interface Band {
  readonly top: number;
  readonly bottom: number;
  readonly gaps: readonly Gap[];
}

/** Of bands that follow each other and have the same columns. */
export function ruledOf(items: readonly Item[], strokes: readonly Stroke[]): Grid[] {
  const across = strokes.filter(({ isHorizontal }) => isHorizontal);
  const sets = Map.groupBy(
    across,
    ({ from, to }) => `${Math.round(from / NEAR)} ${Math.round(to / NEAR)}`,
  );
  return [...sets.values()].flatMap((rules) => {
    const { from, to } = rules[0] as Stroke;
    const runs = runsOf(bandsOf(items, rules)).filter((run) => run.bands.length > 1);
    return runs.map(({ bands, gaps }): Grid => {
      const [top = 0, bottom = 0] = [bands[0]?.top, bands.at(-1)?.bottom];
      const inner = gaps.map(([left, right]) => (left + right) / 2);
      return {
        xs: [from, ...inner, to],
        ys: [top, ...bands.map((band) => band.bottom)],
        across: rules,
        down: inner.map((at) => ({ isHorizontal: false, at, from: bottom, to: top })),
        isRuled: true,
      };
    });
  });
}

function bandsOf(items: readonly Item[], rules: readonly Stroke[]): Band[] {
  const { from, to } = rules[0] as Stroke;
  const ys = places(rules.map(({ at }) => at)).reverse();
  const inside = items.filter(
    ({ x, width, text }) => text.trim() !== "" && x > from - NEAR && x + width < to + NEAR,
  );
  return ys.slice(1).map((bottom, i) => {
    const top = ys[i] as number;
    return { top, bottom, gaps: gapsOf(inside.filter(({ y }) => y > bottom && y < top)) };
  });
}

/** Without the gaps between the signs of a list and its items. */
function gapsOf(items: readonly Item[]): Gap[] {
  const gaps: Gap[] = [];
  let end: number | undefined;
  let areSigns = true;
  for (const { x, width, size, text } of [...items].sort((a, b) => a.x - b.x)) {
    if (end !== undefined && x - end > COLUMN_GAP * size && !areSigns) gaps.push([end, x]);
    areSigns &&= isSign(text.trim());
    end = Math.max(end ?? 0, x + width);
  }
  return gaps;
}

/** A run ends where a column would be lost. */
function runsOf(bands: readonly Band[]): { bands: Band[]; gaps: readonly Gap[] }[] {
  const runs: { bands: Band[]; gaps: readonly Gap[] }[] = [];
  for (const band of bands) {
    const run = runs.at(-1);
    const common = run === undefined ? [] : shared(run.gaps, band.gaps);
    // The first band may have more columns than the second, and is then none of its rows.
    const least =
      run?.bands.length === 1 ? Math.max(run.gaps.length, band.gaps.length) : run?.gaps.length;
    if (run !== undefined && common.length > 0 && common.length === least) {
      run.bands.push(band);
      run.gaps = common;
    } else runs.push({ bands: [band], gaps: band.gaps });
  }
  return runs;
}

function shared(some: readonly Gap[], others: readonly Gap[]): Gap[] {
  return some.flatMap(([left, right]) =>
    others.flatMap(([from, to]): Gap[] => {
      const [start, end] = [Math.max(left, from), Math.min(right, to)];
      return end - start > NEAR ? [[start, end]] : [];
    }),
  );
}
