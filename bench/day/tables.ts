// What a simulated day prints.

import { type Day, type Deployment, PASSAGES_PER_DOCUMENT } from "./simulation.ts";

export interface Row {
  readonly deployment: Deployment;
  readonly day: Day;
}

/** Cloudflare's published prices in USD: docs/cost.md has their date. */
const PRICE = {
  request: 0.15 / 1e6,
  gbSecond: 12.5 / 1e6,
  rowRead: 0.001 / 1e6,
  rowWritten: 1 / 1e6,
  gbMonth: 0.2,
};
const GB_IN_MEMORY = 0.128;
const DAYS = 30;

/** Rows of a copy, measured: docs/copies.md. */
const ROWS_WRITTEN = { passage: 4, document: 4 };
const ROWS_READ = { passage: 6, poll: 9 };
const BYTES_PER_PASSAGE = 1_000;

export function loadTable(rows: readonly Row[], waitMs: number): string {
  const head = [
    ...["passages", "copies", "searches/s", "by arithmetic", "a day"],
    ...["wait p50", "p99", "original busy", "copy busy"],
  ];
  const lines = rows.map(({ deployment: { passages, copies }, day }) => [
    ...[whole(passages), String(copies), whole(day.peak), whole(day.byArithmetic)],
    ...[`${(day.searches / 1e6).toFixed(1)} M`, `${whole(day.p50)} ms`, `${whole(day.p99)} ms`],
    ...[percent(day.originalLoad), copies === 0 ? "-" : percent(day.copyLoad)],
  ]);
  return [
    `What one deployment carries, if one search in 100 may wait longer than ${waitMs} ms.`,
    "Searches a second are those of the busiest hour.",
    "",
    ...aligned([head, ...lines]),
    "",
  ].join("\n");
}

/** What the copies cost more than the original alone, with the searches above. */
export function costTable(rows: readonly Row[]): string {
  const head = [
    ...["passages", "copies", "requests a day", "rows written", "rows read"],
    ...["storage", "GB-s a day", "USD a month", "to build once"],
  ];
  const lines = rows
    .filter(({ deployment }) => deployment.copies > 0)
    .map(({ deployment: { passages, copies, changes }, day }) => {
      const requests = day.polls + 2 * changes * copies;
      const perDocument = ROWS_WRITTEN.document + PASSAGES_PER_DOCUMENT * ROWS_WRITTEN.passage;
      const written = changes * copies * perDocument;
      const read =
        day.polls * ROWS_READ.poll + changes * copies * PASSAGES_PER_DOCUMENT * ROWS_READ.passage;
      const gb = (passages * copies * BYTES_PER_PASSAGE) / 1e9;
      // A copy that is searched at least every ten seconds stays in memory.
      const gbSeconds = copies * 86_400 * GB_IN_MEMORY;
      const perDay =
        requests * PRICE.request +
        written * PRICE.rowWritten +
        read * PRICE.rowRead +
        gbSeconds * PRICE.gbSecond;
      const built = copies * (passages / PASSAGES_PER_DOCUMENT) * perDocument;
      return [
        ...[whole(passages), String(copies), whole(requests), whole(written), whole(read)],
        ...[
          `${gb.toFixed(2)} GB`,
          whole(gbSeconds),
          (perDay * DAYS + gb * PRICE.gbMonth).toFixed(2),
        ],
        `${whole(built)} rows, ${(built * PRICE.rowWritten).toFixed(2)} USD`,
      ];
    });
  return [
    "What the copies cost, beside the searches themselves.",
    "",
    ...aligned([head, ...lines]),
  ].join("\n");
}

function aligned(table: readonly (readonly string[])[]): string[] {
  const widths = (table[0] ?? []).map((_, i) =>
    Math.max(...table.map((row) => row[i]?.length ?? 0)),
  );
  return table.map((row) => row.map((cell, i) => cell.padStart(widths[i] ?? 0)).join("  "));
}

function whole(number: number): string {
  return Math.round(number).toLocaleString("en-US");
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}
