// The packages of the contenders, which the project itself does not need.
// Run by itself, it installs them: `npm run check` reads their types.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Failure, PROJECT, run } from "../scripts/command.ts";

const FOLDER = join(PROJECT, "bench");

/** Installs them unless they are there. */
export async function installPackages(): Promise<void> {
  if (await isInstalled()) return;
  console.error("Installing the contenders' packages into bench/node_modules.");
  const args = ["ci", "--prefix", FOLDER, "--no-audit", "--no-fund", "--loglevel=error"];
  await promisify(execFile)("npm", args, { cwd: FOLDER }).catch((error) => {
    throw new Failure(`npm ${args.join(" ")} failed.\n${error.stderr ?? error.message}`);
  });
}

/** npm writes down what it installed. */
async function isInstalled(): Promise<boolean> {
  const [wanted, installed] = await Promise.all([
    packagesIn("package-lock.json"),
    packagesIn("node_modules/.package-lock.json"),
  ]);
  return wanted !== undefined && wanted === installed;
}

async function packagesIn(file: string): Promise<string | undefined> {
  try {
    const { packages } = JSON.parse(await readFile(join(FOLDER, file), "utf8"));
    const versions = Object.entries(packages as Record<string, { version?: string }>)
      .filter(([path]) => path !== "")
      .map(([path, { version }]) => `${path}@${version}`);
    return versions.sort().join("\n");
  } catch {
    return undefined;
  }
}

if (import.meta.main) await run(installPackages);
