// The secrets of a deployment as this machine has them: from the environment,
// from a file, or typed. None is ever printed.

import { randomBytes } from "node:crypto";
import { appendFile, chmod, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { parseEnv } from "node:util";
import { SECRETS, type SecretName } from "../../src/config.ts";
import { Failure, PROJECT, systemReason } from "../command.ts";
import { misnamed } from "../variable-names.ts";
import type { Need, Plan } from "./plan.ts";

export const SECRETS_FILE = ".deploy.vars";
/** A path that was not typed. */
const OWN_FILE = join(PROJECT, SECRETS_FILE);

export interface Secret {
  readonly value: string;
  /** Where it comes from, for people. */
  readonly from: string;
}

export type Secrets = ReadonlyMap<SecretName, Secret>;

/** Others with these names are often set for other programs. */
const OWN_NAMES: readonly SecretName[] = ["AUTH_SECRET", "AUTH_SECRET_PREVIOUS", "SESSION_SECRET"];
const AUTH_SECRET_BYTES_MIN = 32;

/** Those of the environment and the file that this deployment can use. */
export async function givenSecrets(plan: Plan, typedFile: string | undefined): Promise<Secrets> {
  const used = new Set<SecretName>([...OWN_NAMES, ...plan.needs.map(({ name }) => name)]);
  const file = await secretsOf(typedFile);
  const given = SECRETS.map((name): [SecretName, Secret | undefined] => {
    const fromEnvironment = used.has(name) ? process.env[name] : undefined;
    if (fromEnvironment) return [name, { value: fromEnvironment, from: "the environment" }];
    const value = file[name];
    return [name, value ? { value, from: typedFile ?? SECRETS_FILE } : undefined];
  });
  return new Map(given.filter((one): one is [SecretName, Secret] => one[1] !== undefined));
}

async function secretsOf(typed: string | undefined): Promise<NodeJS.Dict<string>> {
  const path = typed === undefined ? OWN_FILE : resolve(PROJECT, typed);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" && typed === undefined) return "";
    throw new Failure(`${path} cannot be read: ${systemReason(error)}.`);
  });
  const values = parseEnv(text);
  const other = Object.keys(values).find((name) => !(SECRETS as readonly string[]).includes(name));
  if (other === undefined) return values;
  throw new Failure(
    `${typed ?? SECRETS_FILE} is for secrets. ${misnamed(other)} Variables are under [vars] in wrangler.toml.`,
  );
}

/** Asks for a secret without showing it. Undefined: there is none. */
export async function asked(need: Need): Promise<Secret | undefined> {
  const { name, purpose } = need;
  const otherwise = name === "AUTH_SECRET" ? "have one made" : "leave it out";
  for (;;) {
    const value = await typed(`${name} ${purpose}. Paste it, or press Enter to ${otherwise}: `);
    if (value === "") return name === "AUTH_SECRET" ? made() : undefined;
    if (name !== "AUTH_SECRET" || Buffer.byteLength(value) >= AUTH_SECRET_BYTES_MIN) {
      return { value, from: "the terminal" };
    }
    console.error(`${name} must be at least ${AUTH_SECRET_BYTES_MIN} bytes long.`);
  }
}

async function typed(question: string): Promise<string> {
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  // From here on the terminal shows nothing that is typed.
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  process.stderr.write(question);
  const stopped = new Promise<never>((_, reject) => {
    lines.once("SIGINT", () => reject(new Failure("Stopped. Nothing was deployed.")));
    lines.once("close", () => reject(new Failure("No input. Nothing was deployed.")));
  });
  try {
    return (await Promise.race([lines.question(""), stopped])).trim();
  } finally {
    stopped.catch(() => {});
    lines.close();
    process.stderr.write("\n");
  }
}

/** It is stored in a file: there is no other copy. */
async function made(): Promise<Secret> {
  const value = randomBytes(32).toString("base64url");
  const before = await readFile(OWN_FILE, "utf8").catch(() => "");
  const start = before === "" || before.endsWith("\n") ? "" : "\n";
  try {
    await appendFile(OWN_FILE, `${start}AUTH_SECRET=${value}\n`, { mode: 0o600 });
    await chmod(OWN_FILE, 0o600);
  } catch (error) {
    throw new Failure(`${OWN_FILE} cannot be written: ${systemReason(error)}.`);
  }
  console.error(`A new AUTH_SECRET is in ${SECRETS_FILE}, which git ignores. Keep a copy of it.`);
  return { value, from: SECRETS_FILE };
}
