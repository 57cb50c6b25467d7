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
  ask: { asks: 600, users: 100, atOnce: 20, tokens: 1, unit: "ms an ask", perUnit: 1_000 },
  saturated: { asks: 60, users: 60, atOnce: 10, tokens: 1_000, unit: "µs a token", perUnit: 1 },
} as const;

export type ProfileName = keyof typeof PROFILES;

const INTERVAL_US = 200;
const FUNCTIONS_SHOWN = 40;
/** What V8 calls the time in which the Worker's thread waits. */
const IDLE = "(idle)";
const OUTSIDE = "(outside V8: sockets, disk, compiling, other threads)";

export async function profile(
  name: ProfileName,
  belay: Belay,
  contender: Contender,
): Promise<string> {
  const { asks: count, users, atOnce, tokens, unit, perUnit } = PROFILES[name];
  // An object that is idle for 10 s ends: few users keep theirs awake.
  const askers = range(0, count).map((i) => i % users);
  const load = async () => {
    await asks(contender, askers, { tokens }, atOnce);
  };
  // Code that runs for the first time is not yet compiled.
  await load();
  const inspector = await Inspector.connect(belay.inspectorPort);
  const before = belay.server.cpuMs;
  const measured = await inspector.profile(INTERVAL_US, load);
  const cpuMs = belay.server.cpuMs - before;
  inspector.close();

  const file = join(PROJECT, "bench", `${name}.cpuprofile`);
  await writeFile(file, JSON.stringify(measured));
  const times = selfTimes(measured, await sourceMap(belay.folder));
  const sampledMs = [...times.values()].reduce((sum, us) => sum + us, 0) / 1_000;
  // On a busy machine, some of the sampled time was others'.
  const scale = Math.min(1, cpuMs / sampledMs);
  times.set(OUTSIDE, Math.max(0, cpuMs - sampledMs) * 1_000);
  const parts = count * tokens * perUnit;
  const line = (us: number, place: string) =>
    `${figure(us / parts).padStart(8)} ${figure(us / cpuMs / 10).padStart(5)} %  ${place}`;
  return [
    `${count} asks of ${tokens === 1 ? "one token" : `${tokens} tokens`}, ${atOnce} at once: self time by function, in ${unit}`,
    "",
    ...Array.from(times, ([place, us]) => [place, place === OUTSIDE ? us : us * scale] as const)
      .sort(([, a], [, b]) => b - a)
      .slice(0, FUNCTIONS_SHOWN)
      .map(([place, us]) => line(us, place)),
    line(cpuMs * 1_000, "all CPU of the process, with the profiler's own"),
    "",
    `The profile is in ${relative(PROJECT, file)}: Chromium's DevTools and VS Code open it.`,
  ].join("\n");
}

/** The time of each function by itself, in microseconds. */
function selfTimes(
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
  samples.forEach((id, i) => {
    const place = places.get(id) ?? "(unknown)";
    if (place === IDLE) return;
    // The first sample after the thread waited says for how long it did.
    const us = Math.min(timeDeltas[i] ?? 0, 2 * INTERVAL_US);
    times.set(place, (times.get(place) ?? 0) + us);
  });
  return times;
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
