// The process of workerd below a command, as the system sees it.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** Of Linux: what /proc counts in. */
const TICK_MS = 10;

/** @param parent The process of `npm run serve`. */
export async function workerdBelow(parent: number): Promise<number> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,comm="]);
  const [, pid] = new RegExp(`^ *(\\d+) +${parent} .*workerd$`, "m").exec(stdout) ?? [];
  return Number(pid);
}

/** The CPU time it has used so far. Other load on the machine adds nothing. */
export async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // Its name may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
