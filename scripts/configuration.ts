// What wrangler.toml declares, and what a server on this machine takes of it.

import { randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { parse } from "smol-toml";
import { Failure, PROJECT } from "./command.ts";

/** A binding that counts: at most `limit` in `period` seconds. */
export interface RateLimit {
  readonly name: string;
  readonly simple: { readonly limit: number; readonly period: number };
}

/** What we read of wrangler.toml. */
export interface Configuration {
  readonly name: string;
  readonly main: string;
  readonly compatibility_date: string;
  readonly compatibility_flags: readonly string[];
  readonly vars: Readonly<Record<string, unknown>>;
  readonly build: { readonly command: string; readonly watch_dir: readonly string[] };
  readonly assets: { readonly directory: string; readonly binding: string };
  readonly ratelimits: readonly RateLimit[];
  readonly durable_objects: {
    readonly bindings: readonly { readonly name: string; readonly class_name: string }[];
  };
}

/**
 * The databases in data folders are named after it, so it
 * stays the same whatever the deployment is called.
 */
const LOCAL_NAME = "belay";

/** All else is for a deployment: bindings that need an account, and routes. */
const LOCAL_KEYS = [
  "compatibility_date",
  "compatibility_flags",
  "durable_objects",
  "migrations",
  "ratelimits",
] as const;

/** Without wrangler's own reader, whose import takes half a second of CPU. */
export async function configuration(): Promise<Configuration> {
  const file = join(PROJECT, "wrangler.toml");
  try {
    const parsed = parse(await readFile(file, "utf8"));
    return {
      compatibility_flags: [],
      vars: {},
      ratelimits: [],
      ...parsed,
    } as unknown as Configuration;
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** The same for a server on this machine. The variables come from elsewhere. */
export async function localConfiguration(): Promise<Configuration> {
  return { ...(await configuration()), name: LOCAL_NAME, vars: {} };
}

/**
 * Writes a configuration for wrangler on this machine, and returns its path.
 * With other bindings `wrangler dev` would need an account.
 * @param folder For it. The variables may be secret: it must be private.
 */
export async function writeLocalConfiguration(
  folder: string,
  vars: Readonly<Record<string, string>>,
): Promise<string> {
  const local = await localConfiguration();
  const { main, build, assets } = local;
  const kept = LOCAL_KEYS.map((key) => [key, (local as unknown as Record<string, unknown>)[key]]);
  const written = {
    name: LOCAL_NAME,
    main: join(PROJECT, main),
    ...Object.fromEntries(kept),
    build: {
      command: build.command,
      cwd: PROJECT,
      // wrangler joins them to the folder.
      watch_dir: build.watch_dir.map((path) => relative(folder, join(PROJECT, path))),
    },
    assets: {
      ...assets,
      directory: join(PROJECT, assets.directory),
      // The Worker knows by which names it may be asked, for each file too.
      run_worker_first: true,
    },
    vars,
  };
  const path = join(folder, "wrangler.json");
  // Vitest reads its configuration twice at once.
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(written), { mode: 0o600 });
  await rename(draft, path);
  return path;
}
