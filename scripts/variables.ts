// The variables as a server on this machine gets them: its own
// values, overridden by .dev.vars, overridden by the command.
// Makes the secret that a fresh checkout lacks.

import { randomBytes } from "node:crypto";
import { appendFile, chmod, link, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { Failure, PROJECT, systemReason } from "./command.ts";
import { LOCAL_VARIABLES } from "./local-variables.ts";
import { isBinding, isVariable, misnamed } from "./variable-names.ts";

export type Variables = Readonly<Record<string, string>>;

const DEV_VARS = join(PROJECT, ".dev.vars");
/** Characters that differ in a secret. Random ones have many more. */
const DISTINCT_MIN = 8;

export async function variables(overrides: Variables = {}): Promise<Variables> {
  return { ...LOCAL_VARIABLES, ...(await devVars()), ...overrides };
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
    .map((name) => `Set in .dev.vars: ${misnamed(name)}`);
}

/**
 * Throws a Failure if others could sign in to a server that they reach: the
 * secret is not set, or anyone can read or guess it.
 */
export async function checkSecret(overrides: Variables): Promise<void> {
  const { AUTH_SECRET, AUTH_JWKS_URL } = await variables(overrides);
  if (AUTH_JWKS_URL) return;
  const why = AUTH_SECRET ? await weakness(AUTH_SECRET) : "is not set";
  if (why === undefined) return;
  throw new Failure(
    `AUTH_SECRET ${why}, and others can reach this server. Set it in the environment with --env, or in .dev.vars. To make one: openssl rand -base64 32`,
  );
}

async function weakness(secret: string): Promise<string | undefined> {
  const example = await readFile(`${DEV_VARS}.example`, "utf8").catch(absent);
  if (parseEnv(example ?? "").AUTH_SECRET === secret) return "is the one of .dev.vars.example";
  return new Set(secret).size < DISTINCT_MIN ? "is easily guessed" : undefined;
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
    if (overrides.AUTH_SECRET) return;
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
