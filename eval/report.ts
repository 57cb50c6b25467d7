// The figures as a person reads them, in at most 100 columns.

import { BASELINES, type BaselineName } from "./baselines.ts";
import type { ContenderFigures, Figures, SearchCost } from "./figures.ts";
import type { ScaleFigures } from "./scale.ts";
import type { Shares } from "./verdicts.ts";

export function report(figures: Figures): string {
  const { documents, passages, questions, styles } = figures;
  const all = contenders(figures);
  const others = all.slice(1);
  return [
    `${figures.collection}: ${documents} documents in ${passages} passages, ${questions} questions`,
    "",
    row("ranking", "nDCG@10", "recall@10", "MRR@10"),
    ...all.map(([name, { ranking }]) =>
      row(name, three(ranking?.ndcg), three(ranking?.recall), three(ranking?.mrr)),
    ),
    "",
    SEARCH_HEAD,
    searchRow("Belay", figures.search),
    "",
    ...ANSWERS_HEAD,
    ...Object.entries(styles).map(([style, shares]) => answersRow(`  ${style}`, shares)),
    answersRow("Belay", figures.belay.answers),
    ...others.map(([name, { answers }]) => answersRow(name, answers)),
    ...refusals(figures),
  ].join("\n");
}

export function scaleReport(figures: ScaleFigures): string {
  return [
    `${figures.collection}, filled up to ${figures.documents} documents in ${figures.passages} passages, in ${figures.ingestSeconds.toFixed(1)} s`,
    "",
    SEARCH_HEAD,
    searchRow("questions of the collection", figures.search),
    searchRow("questions of 4,000 characters", figures.longSearch),
  ].join("\n");
}

const NAME_WIDTH = 48;
const FIGURE_WIDTH = 12;
const STYLE_WIDTH = 23;
const SHARE_WIDTH = 9;

const SEARCH_HEAD = row("search", "p50", "p99", "rows read", "at most");
// Two lines a head, or the columns would not fit.
const ANSWERS_HEAD = [
  sharesRow("", "", "holds", "gold in", "cites", "refused", "refused", "median", ""),
  sharesRow(
    "answers",
    "asked",
    "gold",
    "sources",
    "gold 1st",
    "wrongly",
    "rightly",
    "length",
    "score",
  ),
];

/** Nothing if neither was measured. */
function refusals(figures: Figures): string[] {
  const shares: [string, number | undefined][] = [
    ["Belay, while a question's documents are deleted", figures.refusedWithoutDocuments],
    ...contenders(figures).map(([name, { refusedForeign }]): [string, number | undefined] => [
      `${name}, for foreign questions`,
      refusedForeign,
    ]),
  ];
  const rows = shares.flatMap(([name, share]) =>
    share === undefined ? [] : [row(name, tenths(share))],
  );
  return rows.length === 0 ? [] : ["", row('"nothing found", rightly', "share"), ...rows];
}

function contenders(figures: Figures): [string, ContenderFigures][] {
  return [
    ["Belay", figures.belay],
    ...Object.entries(BASELINES).map(([name, { label }]): [string, ContenderFigures] => [
      label,
      figures.baselines[name as BaselineName],
    ]),
  ];
}

function answersRow(name: string, shares: Shares): string {
  return sharesRow(
    name,
    `${shares.questions}`,
    percent(shares.holds),
    percent(shares.goldInSources),
    percent(shares.firstIsGold),
    percent(shares.refusedWrongly),
    percent(shares.refusedRightly),
    shares.length === undefined ? NONE : `${shares.length}`,
    three(shares.score),
  );
}

function searchRow(name: string, { p50, p99, rowsRead }: SearchCost): string {
  const times = [p50, p99].map((ms) => `${ms.toFixed(1)} ms`);
  return row(name, ...times, rowsRead.mean.toFixed(1), `${rowsRead.max}`);
}

function row(name: string, ...columns: readonly string[]): string {
  return line(name, NAME_WIDTH, columns, FIGURE_WIDTH);
}

function sharesRow(name: string, ...columns: readonly string[]): string {
  return line(name, STYLE_WIDTH, columns, SHARE_WIDTH);
}

function line(name: string, width: number, columns: readonly string[], each: number): string {
  // A longer style would move the columns.
  const start = name.length > width ? `${name.slice(0, width - 1)}…` : name.padEnd(width);
  return start + columns.map((column) => column.padStart(each)).join("");
}

/** Where there is nothing to count. */
const NONE = "-";

function three(figure: number | undefined): string {
  return figure === undefined ? NONE : figure.toFixed(3);
}

function percent(share: number | undefined): string {
  return share === undefined ? NONE : `${Math.round(100 * share)} %`;
}

function tenths(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
