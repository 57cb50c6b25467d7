// A CPU profile of Belay's Worker under a load, and its self time by
// function and by part of the source.

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
  ask: { asks: 3_000, users: 100, atOnce: 20, tokens: 1, unit: "ms an ask", perUnit: 1_000 },
  saturated: { asks: 60, users: 60, atOnce: 10, tokens: 1_000, unit: "µs a token", perUnit: 1 },
} as const;

export type ProfileName = keyof typeof PROFILES;

const INTERVAL_US = 200;
const FUNCTIONS_SHOWN = 40;
const PARTS_SHOWN = 20;
/** A part is named by as many folders: `src/user`, `node_modules/jose`. */
const FOLDERS = 2;
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
  const { functions, parts } = selfTimes(measured, await sourceMap(belay.folder));
  const sampledMs = [...functions.values()].reduce((sum, us) => sum + us, 0) / 1_000;
  // On a busy machine, some of the sampled time was others'.
  const scale = Math.min(1, cpuMs / sampledMs);
  const outsideUs = Math.max(0, cpuMs - sampledMs) * 1_000;
  const units = count * tokens * perUnit;
  const line = (us: number, place: string) =>
    `${figure(us / units).padStart(8)} ${figure(us / cpuMs / 10).padStart(5)} %  ${place}`;
  const lines = (times: ReadonlyMap<string, number>, most: number) =>
    [
      ...Array.from(times, ([place, us]) => [place, us * scale] as const),
      [OUTSIDE, outsideUs] as const,
    ]
      .sort(([, one], [, other]) => other - one)
      .slice(0, most)
      .map(([place, us]) => line(us, place));
  const asked = `${count} asks of ${tokens === 1 ? "one token" : `${tokens} tokens`}, ${atOnce} at once`;
  return [
    `${asked}: self time by function, in ${unit}`,
    "",
    ...lines(functions, FUNCTIONS_SHOWN),
    "",
    "By part of the source, with what the runtime does when that part calls it:",
    "",
    ...lines(parts, PARTS_SHOWN),
    line(cpuMs * 1_000, "all CPU of the process, with the profiler's own"),
    "",
    `The profile is in ${relative(PROJECT, file)}: Chromium's DevTools and VS Code open it.`,
  ].join("\n");
}

interface SelfTimes {
  readonly functions: ReadonlyMap<string, number>;
  readonly parts: ReadonlyMap<string, number>;
}

/** The time of each function by itself, and of each part of the source, in microseconds. */
function selfTimes(
  { nodes, samples, timeDeltas }: CpuProfile,
  fileOf: (line: number) => string,
): SelfTimes {
  const functions = new Map<string, number>();
  const parts = new Map<string, number>();
  const known = new Map<number, { readonly name: string; readonly file: string }>();
  const callers = new Map(
    nodes.flatMap(({ id, children = [] }) => children.map((one) => [one, id])),
  );
  for (const { id, callFrame } of nodes) {
    const { functionName, url, lineNumber } = callFrame;
    const file = url === "" ? "" : fileOf(lineNumber);
    known.set(id, { name: functionName || `anonymous:${lineNumber + 1}`, file });
  }
  /** That of the caller, for a function of the runtime. */
  const partOf = (id: number): string => {
    for (let at: number | undefined = id; at !== undefined; at = callers.get(at)) {
      const { file = "" } = known.get(at) ?? {};
      if (file !== "") return folderOf(file);
    }
    return known.get(id)?.name ?? "(unknown)";
  };
  samples.forEach((id, i) => {
    const { name = "(unknown)", file = "" } = known.get(id) ?? {};
    if (name === IDLE) return;
    // The first sample after the thread waited says for how long it did.
    const us = Math.min(timeDeltas[i] ?? 0, 2 * INTERVAL_US);
    add(functions, [name, file].join("  ").trim(), us);
    add(parts, partOf(id), us);
  });
  return { functions, parts };
}

function add(times: Map<string, number>, place: string, us: number): void {
  times.set(place, (times.get(place) ?? 0) + us);
}

function folderOf(file: string): string {
  return file.split("/").slice(0, FOLDERS).join("/");
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
