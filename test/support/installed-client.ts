// The client as others get it: packed by npm, and installed from the tarball
// into a folder that holds nothing else.

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildClient } from "../../scripts/build-client.ts";

export interface InstalledClient {
  /** Programs in it import the package by name. */
  readonly folder: string;
  /** What npm packed. */
  readonly packed: Packed;
  readonly tarball: string;
  /** Compressed size of the code. */
  readonly codeBytes: number;
  remove(): Promise<void>;
}

export interface Packed {
  readonly filename: string;
  /** Of the tarball, in bytes. */
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

export async function installClient(name?: string): Promise<InstalledClient> {
  const parent = await mkdtemp(join(tmpdir(), "belay-client-"));
  const built = join(parent, "built");
  const codeBytes = await buildClient(built, name);
  const [packed] = JSON.parse(await npm(parent, "pack", "./built", "--json")) as [Packed];
  const tarball = join(parent, packed.filename);
  const folder = await mkdtemp(join(parent, "program-"));
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  // Offline: it needs nothing else.
  await npm(folder, "install", tarball, "--offline", "--no-audit", "--no-fund");
  const remove = () => rm(parent, { recursive: true, force: true });
  return { folder, packed, tarball, codeBytes, remove };
}

async function npm(folder: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("npm", args, { cwd: folder });
  return stdout;
}
