// The bundle of the Worker, made once for all servers of a run:
// making it takes a second of CPU.

import { existsSync } from "node:fs";
import { cp, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { bundle } from "../../scripts/workerd.ts";

/** Its folder. vitest.config.ts names it; other programs have none. */
const FOLDER = process.env.BELAY_TEST_BUNDLE;

/** Whether this run has one. */
export const isBundled = FOLDER !== undefined;

/** Runs once for each project, before its tests; the first makes the bundle. */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (FOLDER === undefined || existsSync(FOLDER)) return undefined;
  await mkdir(FOLDER);
  await bundle(FOLDER);
  return () => rm(FOLDER, { recursive: true, force: true });
}

/** Copies the bundle into a folder. */
export async function copyBundle(folder: string): Promise<void> {
  if (FOLDER === undefined) return bundle(folder);
  await cp(join(FOLDER, "worker.js"), join(folder, "worker.js"));
}
