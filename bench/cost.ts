// `npm run cost`: measures what an answer uses, and prints the tables of
// docs/cost.md: that times Cloudflare's published prices.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT, run } from "../scripts/command.ts";
import { flags } from "../scripts/flags.ts";
import type { Figures } from "./cost/figures.ts";
import { measure } from "./cost/measure.ts";
import { sections, written } from "./cost/page.ts";
import { refuseOtherSystems } from "./usage.ts";

const FIGURES = join(PROJECT, "bench/cost/figures.json");
const RESULTS = join(PROJECT, "bench/results.json");
const PAGE = join(PROJECT, "docs/cost.md");

const HELP = `Measures what one answer uses of everything that Cloudflare bills, multiplies
it by the published prices, and prints the tables of docs/cost.md.

  --write    writes the figures to bench/cost/figures.json and the tables to
             docs/cost.md; then run: npx biome check --write docs/cost.md
  --stored   measures nothing: takes the figures of bench/cost/figures.json

It measures on a workerd of its own, in about two minutes. The CPU of a search and the
memory of a stream are taken from bench/results.json, which \`npm run bench\` writes; without
it, they stay as they are. The prices are in bench/cost/prices.ts.`;

await run(async () => {
  const options = { write: { type: "boolean" }, stored: { type: "boolean" } } as const;
  const { write = false, stored = false } = flags(options, HELP);
  const known = JSON.parse(await readFile(FIGURES, "utf8")) as Figures;
  const figures = stored ? known : await measureAll(known);
  for (const [name, section] of Object.entries(sections(figures))) {
    console.log(`\n# ${name}\n\n${section}`);
  }
  if (!write) return;
  await writeFile(FIGURES, `${JSON.stringify(figures, null, 2)}\n`);
  await writeFile(PAGE, written(await readFile(PAGE, "utf8"), figures));
});

async function measureAll(known: Figures): Promise<Figures> {
  refuseOtherSystems();
  console.error("Measuring answers that quote.");
  const quotes = await measure("quotes");
  console.error("Measuring answers of a hosted model.");
  const model = await measure("model");
  return {
    ...known,
    ...(await benchmarked()),
    measuredOn: new Date().toISOString(),
    quotes: quotes.answer,
    model: model.answer,
    firstRowsWritten: quotes.firstRowsWritten,
    edgeCpuMs: quotes.edgeCpuMs,
    passageBytes: quotes.passageBytes,
  };
}

/** What `npm run bench` has measured. */
async function benchmarked(): Promise<Partial<Figures>> {
  const text = await readFile(RESULTS, "utf8").catch(() => undefined);
  if (text === undefined) return {};
  const { results } = JSON.parse(text) as {
    readonly results: readonly {
      readonly load: string;
      readonly columns: readonly string[];
      readonly rows: readonly { readonly name: string; readonly values: readonly number[] }[];
    }[];
  };
  const value = (load: string, column: string, name: string) => {
    const result = results.find((candidate) => candidate.load === load);
    const at = result?.columns.findIndex((candidate) => candidate.includes(column)) ?? -1;
    return result?.rows.find((row) => row.name === name)?.values[at];
  };
  const few = value("search", "CPU ms", "belay, 5000 passages");
  const many = value("search", "CPU ms", "belay, 50000 passages");
  const streamMb = value("paced", "MB", "belay");
  return {
    ...(few !== undefined && many !== undefined && { searchCpuMs: { "5000": few, "50000": many } }),
    ...(streamMb !== undefined && { streamMb }),
  };
}
