// A CPU profile of Belay's Worker under a load, and its self time by
// function.

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT } from "../scripts/command.ts";
import type { Belay } from "./belay.ts";
import type { Contender } from "./contender.ts";
import { type CpuProfile, Inspector } from "./inspector.ts";
import { asks, range } from "./load.ts";
import { figure } from "./table.ts";

/** What can be profiled, and in what its time is counted. */
export const PROFILES = {
  short: { asks: 600, atOnce: 20, tokens: 1, unit: "ms an ask", perUnit: 1_000 },
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
  const divisor = count * tokens * perUnit;
  const times = selfTimes(measured, await sourceMap(belay.folder));
  const shown = [...times].sort(([, a], [, b]) => b - a).slice(0, FUNCTIONS_SHOWN);
  const sum = [...times.values()].reduce((total, us) => total + us, 0);
  return [
    `${unit}, self time by function (${count} asks of ${tokens} tokens, ${atOnce} at once)`,
    ...shown.map(([place, us]) => `${figure(us / divisor).padStart(8)}  ${place}`),
    `${figure(sum / divisor).padStart(8)}  all of the Worker's thread that is not idle`,
    `${figure((cpuMs * 1_000) / divisor).padStart(8)}  all CPU of the process meanwhile, with the profiler's own`,
    "",
    `The profile is in ${file}: Chromium's DevTools and VS Code open it.`,
  ].join("\n");
}

/** Microseconds by function. */
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
    if (place !== IDLE) times.set(place, (times.get(place) ?? 0) + (timeDeltas[i] ?? 0));
  });
  return times;
}

/** The source file of a line of the bundle: esbuild names it above its code. */
async function sourceMap(folder: string): Promise<(line: number) => string> {
  const bundle = (await readdir(folder)).find((name) => name === "worker.js") ?? "worker.js";
  const files: string[] = [];
  let file = "";
  for (const line of (await readFile(join(folder, bundle), "utf8")).split("\n")) {
    [, file = file] = /^\/\/ (\S+\.[cm]?[jt]s)$/.exec(line) ?? [];
    files.push(file);
  }
  return (line) => files[line] ?? "";
}
