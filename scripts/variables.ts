// The variables as the Worker gets them: wrangler.toml,
// overridden by .dev.vars, overridden by the command.
// Makes the secret that a fresh checkout lacks.

import { randomBytes } from "node:crypto";
import { appendFile, chmod, link, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { parse } from "smol-toml";
import { Failure, PROJECT, systemReason } from "./command.ts";
import { isBinding, isVariable, misnamed } from "./variable-names.ts";

export type Variables = Readonly<Record<string, string>>;

const DEV_VARS = join(PROJECT, ".dev.vars");

/** What we read of wrangler.toml. */
interface Configuration {
  readonly name: string;
  readonly main: string;
  readonly compatibility_date: string;
  readonly compatibility_flags: readonly string[];
  readonly vars: Readonly<Record<string, unknown>>;
  readonly durable_objects: {
    readonly bindings: readonly { readonly name: string; readonly class_name: string }[];
  };
}

/** Without wrangler's own reader, whose import takes half a second of CPU. */
export async function configuration(): Promise<Configuration> {
  const file = join(PROJECT, "wrangler.toml");
  try {
    const parsed = parse(await readFile(file, "utf8"));
    return { compatibility_flags: [], vars: {}, ...parsed } as unknown as Configuration;
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${(error as Error).message}`);
  }
}

export async function variables(overrides: Variables = {}): Promise<Variables> {
  const { vars } = await configuration();
  const configured = Object.entries(vars).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return { ...Object.fromEntries(configured), ...(await devVars()), ...overrides };
}

/**
 * Throws a Failure if .dev.vars sets a
 * binding: it would break every request.
 */
export async function refuseBindings(): Promise<void> {
  const name = Object.keys(await devVars()).find(isBinding);
  if (name !== undefined) throw new Failure(`${misnamed(name)} Remove it from .dev.vars.`);
}

/** Warnings about variables that Belay does not read. Other programs may. */
export function unread(all: Variables): string[] {
  return Object.keys(all)
    .filter((name) => !isVariable(name))
    .sort()
    .map((name) => `Set in wrangler.toml or .dev.vars: ${misnamed(name)}`);
}

/**
 * Adds a secret to .dev.vars, except where it or published
 * keys are set, and makes the file unreadable for other users.
 */
export async function makeAuthSecret(overrides: Variables = {}): Promise<void> {
  const line = `AUTH_SECRET=${randomBytes(32).toString("base64url")}\n`;
  try {
    const file = await readFile(DEV_VARS, "utf8").catch(absent);
    if (file !== undefined) await closeToOthers();
    if (file !== undefined && parseEnv(file).AUTH_SECRET) return;
    if ((await variables(overrides)).AUTH_JWKS_URL) return;
    if (file === undefined) await putInPlace(line);
    else await appendFile(DEV_VARS, file === "" || file.endsWith("\n") ? line : `\n${line}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).errno === undefined) throw error;
    throw new Failure(`${DEV_VARS} cannot be used: ${systemReason(error)}.`);
  }
}

async function closeToOthers(): Promise<void> {
  if (((await stat(DEV_VARS)).mode & 0o077) === 0) return;
  // Fails if the file belongs to another user.
  await chmod(DEV_VARS, 0o600).catch(() => {});
}

/** Links the whole file into place: of two first runs, one wins. */
async function putInPlace(line: string): Promise<void> {
  const draft = `${DEV_VARS}.${process.pid}`;
  await writeFile(draft, line, { mode: 0o600 });
  try {
    await link(draft, DEV_VARS);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(draft);
  }
}

async function devVars(): Promise<Variables> {
  return parseEnv((await readFile(DEV_VARS, "utf8").catch(absent)) ?? "") as Variables;
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
