// What a process uses, as Linux counts it.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Failure } from "../scripts/command.ts";

/** `getconf CLK_TCK`: 100 on every Linux that Node runs on. */
const TICKS_A_SECOND = 100;

export function refuseOtherSystems(): void {
  if (!existsSync("/proc/self/stat")) {
    throw new Failure("The benchmark reads CPU times from /proc: it runs on Linux only.");
  }
}

/** Milliseconds of CPU so far, user and system, all threads. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name of the program, in brackets, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_A_SECOND;
}

/** The same to the microsecond, of the threads that still run. */
export function fineCpuMs(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const used = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0];
    nanoseconds += Number(used);
  }
  return nanoseconds / 1e6;
}

/** Megabytes of memory in use. */
export function memoryMb(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1_024;
}
