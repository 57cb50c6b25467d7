// Loads the pages of a site.

import pMap from "p-map";
import { Failure } from "../command.ts";
import type { Source } from "./config.ts";
import { Fetcher, isPrivate, Unfetched } from "./fetcher.ts";
import { documentOf } from "./files.ts";
import type { Load } from "./load.ts";
import { PUTS_AT_ONCE } from "./load-files.ts";
import type { Reading } from "./reading.ts";
import { Site } from "./site.ts";
import { State } from "./state.ts";

const PAGES_MAX = 5_000;
const MINUTES_MAX = 120;
const RATE = 10;

export interface SiteRun {
  /** The server and the collection. */
  readonly target: readonly string[];
  readonly isDry: boolean;
  readonly signal: AbortSignal;
}

export async function loadSite(
  start: string,
  source: Source,
  load: Load,
  reading: Reading,
  { target, isDry, signal }: SiteRun,
): Promise<void> {
  const { select, exclude, prefix, prune, allowPrivate } = source;
  const state = await State.open([...target, start, prefix, JSON.stringify({ select, exclude })]);
  const refuses = allowPrivate ? () => false : isPrivate;
  const fetcher = new Fetcher({ refuses, rate: source.rate ?? RATE, signal });
  const site = new Site(start, fetcher, reading, state, {
    prefix,
    pagesMax: source.maxPages ?? PAGES_MAX,
    until: Date.now() + (source.maxMinutes ?? MINUTES_MAX) * 60_000,
    selectors: { select, exclude },
    signal,
    holds: (id, hash) => load.holds(id, hash),
    leaveOut: (url, reason) => load.leaveOut(url, reason),
  });
  const { progress } = load;
  if (state.resumedFrom !== undefined) progress.say("Taking up the run that was stopped.");
  let isDone = false;
  try {
    for await (const page of site.pages()) {
      progress.expect(site.total);
      if (page.kind === "unchanged") load.note("unchanged", page.id);
      else if (page.kind === "skipped") load.note("skipped", page.url, page.reason);
      else if (page.kind === "gone") load.leaveOut(page.url, page.reason);
      else {
        const { id, url, read } = page;
        const { text, title, notes = [] } = read;
        const document = documentOf(text, { id, url, title, name: url, isNamed: false, notes });
        if ("reason" in document) load.leaveOut(url, document.reason);
        else if (await load.put(document)) await page.done(document.contentHash);
      }
      progress.advance();
    }
    isDone = site.incomplete === undefined;
  } catch (error) {
    if (error instanceof Unfetched) throw new Failure(`${start}: ${error.message}`);
    throw error;
  } finally {
    if (!isDry) await state.save(isDone);
  }
  if (site.incomplete !== undefined) {
    load.note("skipped", start, `${site.incomplete}.${prune ? " Nothing is pruned." : ""}`);
    return;
  }
  // An empty site is likelier a mistake than a wish to delete all.
  if (site.there.size === 0) {
    load.note("skipped", start, `it has no page to read.${prune ? " Nothing is pruned." : ""}`);
    return;
  }
  if (!prune) return;
  const gone = load.goneBelow([site.prefix], (id) => site.there.has(id));
  await pMap(gone, (id) => load.delete(id), { concurrency: PUTS_AT_ONCE });
}
