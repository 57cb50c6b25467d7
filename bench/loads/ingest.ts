// Searches while `npm run ingest` loads 5,000 pages: how much longer the
// slowest hundredth of them takes.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { filler } from "../../eval/filler.ts";
import { readOwnCollection } from "../../eval/own.ts";
import { Failure, PROJECT } from "../../scripts/command.ts";
import { Documents } from "../../scripts/documents.ts";
import { Progress } from "../../scripts/progress.ts";
import { API_PREFIX } from "../../src/protocol.ts";
import type { Belay } from "../belay.ts";
import type { Bench } from "../load.ts";
import { queriesFrom } from "../queries.ts";
import { median, quantile, type Result } from "../result.ts";

const PAGES = 5_000;
/** In the corpus before. */
const DOCUMENTS = 250;
const WARM_UP = 300;
/** Searches without a load, before each part of it and after. */
const ALONE = 750;
/** Between two searches, as many readers together ask. */
const PAUSE_MS = 5;
const LIMIT = 1.5;

interface Waits {
  readonly alone: number[];
  readonly beside: number[];
}

export async function ingest({ field, model, rounds }: Bench): Promise<Result> {
  const belay = await field.startBelay({ modelUrl: model.url });
  const folder = await mkdtemp(join(tmpdir(), "belay-bench-"));
  try {
    const token = await belay.token("operator", true);
    const { documents: own } = await readOwnCollection();
    const texts = filler(own.values());
    const documents = new Documents(belay.server.url, token);
    for (let i = 0; i < DOCUMENTS; i += 1) {
      const { id, title, text } = texts.next().value;
      await documents.put(id, { title, text, url: null });
    }
    const queries = queriesFrom(own.values());
    const search = async (): Promise<number> => {
      const query = encodeURIComponent(String(queries.next().value));
      const url = `${belay.server.url}${API_PREFIX}/admin/documents?search=${query}`;
      const used = belay.server.fineCpuMs;
      const began = performance.now();
      const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
      await response.arrayBuffer();
      const ms = performance.now() - began;
      if (!response.ok) throw new Failure(`A search is refused: ${response.status}.`);
      // The server's own time, where other programs held it up.
      return Math.min(ms, belay.server.fineCpuMs - used);
    };
    for (let i = 0; i < WARM_UP; i += 1) await search();
    const progress = new Progress("ingest: rounds", rounds);
    const waits: Waits[] = [];
    const seconds: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const part = join(folder, `part-${round}`);
      await mkdir(part);
      for (let i = 0; i < PAGES / rounds; i += 1) {
        await writeFile(join(part, `${i}.html`), pageOf(texts.next().value));
      }
      const alone: number[] = [];
      const searchAlone = async () => {
        for (let i = 0; i < ALONE; i += 1) {
          alone.push(await search());
          await delay(PAUSE_MS);
        }
      };
      const beside: number[] = [];
      await searchAlone();
      const began = performance.now();
      const command = load(part, belay, token);
      while (command.isRunning()) {
        beside.push(await search());
        await delay(PAUSE_MS);
      }
      await command.done;
      seconds.push((performance.now() - began) / 1_000);
      // Afterwards too, since there is more to search in then.
      await searchAlone();
      waits.push({ alone, beside });
      progress.advance();
    }
    progress.clear();
    const row = (name: string, of: (one: Waits) => number[]) => ({
      name,
      values: [0.5, 0.99, 1].map((share) => median(waits.map((one) => quantile(of(one), share)))),
    });
    const p99 = (times: readonly number[]) => quantile(times, 0.99);
    return {
      load: "ingest",
      title: `Searches while ${PAGES.toLocaleString("en")} pages are loaded`,
      columns: ["median ms", "p99 ms", "longest ms"],
      rows: [row("alone", ({ alone }) => alone), row("beside the load", ({ beside }) => beside)],
      goals: [
        {
          what: "p99 of searches beside a load of pages, to that without",
          value: median(waits.map(({ alone, beside }) => p99(beside) / p99(alone))),
          ...{ limit: LIMIT, unit: "", isRatio: true },
        },
      ],
      remarks: [
        `The pages take ${Math.round(seconds.reduce((sum, part) => sum + part, 0))} s in all.`,
      ],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
    await belay.stop();
  }
}

/** A tenth of a long document, with headings, as a site writes it. */
function pageOf({ title, text }: { readonly title: string; readonly text: string }): string {
  const escaped = (words: string) => words.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  const parts = text.split("\n\n").slice(0, 3);
  const inner = parts.map((part, i) => `<h2 id="p${i}">Part ${i}</h2><p>${escaped(part)}</p>`);
  return `<!doctype html><title>${escaped(title)}</title><nav><a href="/">Home</a></nav><main><h1>${escaped(title)}</h1>${inner.join("")}</main>`;
}

/** The command, below all others: it usually runs on another machine. */
function load(folder: string, belay: Belay, token: string) {
  const script = join(PROJECT, "scripts/ingest.ts");
  const command = spawn(
    "nice",
    ["-n", "19", process.execPath, script, folder, `--server=${belay.server.url}`],
    { env: { ...process.env, BELAY_TOKEN: token }, stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  command.stderr.on("data", (data: Buffer) => {
    said = (said + data.toString()).slice(-2_000);
  });
  const done = once(command, "close").then(([code]) => {
    if (code !== 0) throw new Failure(`npm run ingest fails:\n${said}`);
  });
  return { done, isRunning: () => command.exitCode === null && command.signalCode === null };
}
