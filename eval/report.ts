// The figures as a person reads them.

import type { Figures, SearchCost } from "./figures.ts";
import type { Ranking } from "./measures.ts";
import type { ScaleFigures } from "./scale.ts";

export function report(figures: Figures): string {
  const { rankings, answers } = figures;
  const shares: [string, number | undefined][] = [
    ["the answer has a right answer in it", answers.gold],
    ["the first citation is a right document", answers.firstCitation],
    ['"nothing found", although a document answers', answers.refused],
    ['"nothing found", while its documents are deleted', answers.refusedWithoutDocuments],
    ['"nothing found", for foreign questions', answers.refusedForeign],
  ];
  return [
    `${figures.collection}: ${figures.documents} documents in ${figures.passages} passages, ${figures.questions} questions`,
    "",
    row("ranking", "nDCG@10", "recall@10", "MRR@10"),
    rankingRow("Belay", rankings.belay),
    rankingRow("SQLite's own tokenizer", rankings.sqlite),
    rankingRow("MiniSearch", rankings.miniSearch),
    "",
    SEARCH_HEAD,
    searchRow("Belay", figures.search),
    "",
    row("extractive answers", "share"),
    ...shares.flatMap(([name, share]) =>
      share === undefined ? [] : [row(name, `${(100 * share).toFixed(1)} %`)],
    ),
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

const NAME_WIDTH = 54;
const FIGURE_WIDTH = 12;

const SEARCH_HEAD = row("search", "p50", "p99", "rows read", "at most");

function searchRow(name: string, { p50, p99, rowsRead }: SearchCost): string {
  const times = [p50, p99].map((ms) => `${ms.toFixed(1)} ms`);
  return row(name, ...times, rowsRead.mean.toFixed(1), `${rowsRead.max}`);
}

function rankingRow(name: string, { ndcg, recall, mrr }: Ranking): string {
  return row(name, ndcg.toFixed(3), recall.toFixed(3), mrr.toFixed(3));
}

function row(name: string, ...columns: readonly string[]): string {
  return name.padEnd(NAME_WIDTH) + columns.map((column) => column.padStart(FIGURE_WIDTH)).join("");
}
