// A CPU profile of Belay's Worker under a load, and its self time by
// function.

import { readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { PROJECT } from "../scripts/command.ts";
import type { Belay } from "./belay.ts";
import type { Contender } from "./contender.ts";
import { type CpuProfile, Inspector } from "./inspector.ts";
import { asks, range } from "./load.ts";
import { figure } from "./table.ts";

/** What can be profiled, and in what its time is counted. */
export const PROFILES = {
  ask: { asks: 600, atOnce: 20, tokens: 1, unit: "ms an ask", perUnit: 1_000 },
  saturated: { asks: 60, atOnce: 10, tokens: 1_000, unit: "µs a token", perUnit: 1 },
} as const;

export type ProfileName = keyof typeof PROFILES;

const INTERVAL_US = 200;
const FUNCTIONS_SHOWN = 40;
/** What V8 calls the time in which the Worker's thread waits. */
const IDLE = "(idle)";

export async function profile(
  name: ProfileName,
  belay: Belay,
  contender: Contender,
): Promise<string> {
  const { asks: count, atOnce, tokens, unit, perUnit } = PROFILES[name];
  const load = async (first: number) => {
    await asks(contender, range(first, count), { tokens }, atOnce);
  };
  // Code that runs for the first time is not yet compiled.
  await load(0);
  const inspector = await Inspector.connect(belay.inspectorPort);
  const before = belay.server.cpuMs;
  const measured = await inspector.profile(INTERVAL_US, () => load(0));
  const cpuMs = belay.server.cpuMs - before;
  inspector.close();

  const file = join(PROJECT, "bench", `${name}.cpuprofile`);
  await writeFile(file, JSON.stringify(measured));
  const shares = selfShares(measured, await sourceMap(belay.folder));
  const cost = (cpuMs * 1_000) / (count * tokens * perUnit);
  const line = (share: number, place: string) =>
    `${figure(share * cost).padStart(8)} ${figure(share * 100).padStart(5)} %  ${place}`;
  return [
    `${count} asks of ${tokens === 1 ? "one token" : `${tokens} tokens`}, ${atOnce} at once: self time by function, in ${unit}`,
    "",
    ...[...shares]
      .sort(([, a], [, b]) => b - a)
      .slice(0, FUNCTIONS_SHOWN)
      .map(([place, share]) => line(share, place)),
    line(1, "all CPU of the process, with the profiler's own"),
    "",
    `The profile is in ${relative(PROJECT, file)}: Chromium's DevTools and VS Code open it.`,
  ].join("\n");
}

/**
 * The share of each function in the time in which the Worker's thread was not
 * idle. Times themselves would tell how busy the machine was.
 */
function selfShares(
  { nodes, samples, timeDeltas }: CpuProfile,
  fileOf: (line: number) => string,
): Map<string, number> {
  const places = new Map<number, string>();
  for (const { id, callFrame } of nodes) {
    const { functionName, url, lineNumber } = callFrame;
    const file = url === "" ? "" : fileOf(lineNumber);
    places.set(id, [functionName || `anonymous:${lineNumber + 1}`, file].join("  ").trim());
  }
  const times = new Map<string, number>();
  let total = 0;
  samples.forEach((id, i) => {
    const place = places.get(id) ?? "(unknown)";
    const us = timeDeltas[i] ?? 0;
    if (place === IDLE) return;
    times.set(place, (times.get(place) ?? 0) + us);
    total += us;
  });
  return new Map(Array.from(times, ([place, us]) => [place, us / total]));
}

/** The source file of a line of the bundle: esbuild names it above its code. */
async function sourceMap(folder: string): Promise<(line: number) => string> {
  const files: string[] = [];
  let file = "";
  for (const line of (await readFile(join(folder, "worker.js"), "utf8")).split("\n")) {
    [, file = file] = /^\/\/ (\S+\.[cm]?[jt]s)$/.exec(line) ?? [];
    files.push(file);
  }
  return (line) => files[line] ?? "";
}
