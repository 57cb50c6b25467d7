// Packages that a folder needs and the project itself does not: the contenders
// of bench, and the clients of test/packages. Run by itself, it installs those
// of the folders that it is given: `npm run check` reads their types.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Failure, PROJECT, run } from "./command.ts";

/** Installs the packages of a folder of the project, unless they are there. */
export async function installPackages(name: string): Promise<void> {
  const folder = join(PROJECT, name);
  if (await isInstalled(folder)) return;
  console.error(`Installing packages into ${name}/node_modules.`);
  const args = ["ci", "--prefix", folder, "--no-audit", "--no-fund", "--loglevel=error"];
  await promisify(execFile)("npm", args, { cwd: folder }).catch((error) => {
    throw new Failure(`npm ${args.join(" ")} failed.\n${error.stderr ?? error.message}`);
  });
}

interface Locked {
  readonly version?: string;
  readonly optional?: boolean;
}

/** npm writes down what it installed. */
async function isInstalled(folder: string): Promise<boolean> {
  const [wanted, installed] = await Promise.all([
    packagesIn(join(folder, "package-lock.json")),
    packagesIn(join(folder, "node_modules/.package-lock.json")),
  ]);
  return wanted !== undefined && wanted === installed;
}

async function packagesIn(file: string): Promise<string | undefined> {
  try {
    const { packages } = JSON.parse(await readFile(file, "utf8"));
    const versions = Object.entries(packages as Record<string, Locked>)
      // npm installs only those optional packages that are for this system.
      .filter(([path, { optional }]) => path !== "" && optional !== true)
      .map(([path, { version }]) => `${path}@${version}`);
    return versions.sort().join("\n");
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  await run(async () => {
    for (const folder of process.argv.slice(2)) await installPackages(folder);
  });
}
