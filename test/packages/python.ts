// Python with the packages of requirements.txt, in a folder that git ignores.

import { execFile } from "node:child_process";
import { copyFile, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const WANTED = join(import.meta.dirname, "requirements.txt");
const FOLDER = join(import.meta.dirname, ".venv");
const INSTALLED = join(FOLDER, "requirements.txt");

/** Resolves with its python3. Installs the packages unless they are there. */
export async function pythonWithPackages(): Promise<string> {
  const python = join(FOLDER, "bin/python3");
  const installed = await readFile(INSTALLED, "utf8").catch(() => undefined);
  if (installed === (await readFile(WANTED, "utf8"))) return python;
  const run = promisify(execFile);
  await rm(FOLDER, { recursive: true, force: true });
  await run("python3", ["-m", "venv", FOLDER]);
  // The list is complete. A registry that cannot be reached is left at once.
  const options = ["--quiet", "--no-deps", "--retries=0", "--disable-pip-version-check"];
  await run(python, ["-m", "pip", "install", ...options, "-r", WANTED]);
  await copyFile(WANTED, INSTALLED);
  return python;
}
