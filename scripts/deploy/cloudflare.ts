// The account on Cloudflare, over wrangler.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { stripVTControlCharacters } from "node:util";
import * as v from "valibot";
import { Failure, PROJECT } from "../command.ts";
import { printableLines } from "../printable.ts";
import { WRANGLER, wranglerEnvironment } from "../wrangler.ts";
import type { Secrets } from "./secrets.ts";

const SecretList = v.array(v.object({ name: v.string() }));
const Deployed = v.object({ type: v.literal("deploy"), targets: v.array(v.string()) });

const NO_WORKER = /Worker ".*" not found|\b10007\b/;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Cloudflare {
  readonly #folder: string;

  /** @param folder For private files. The caller deletes it. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The names of the secrets of a Worker. Undefined if there is none. */
  async secretNames(worker: string): Promise<ReadonlySet<string> | undefined> {
    const args = ["secret", "list", `--name=${worker}`, "--format=json"];
    const { code, stdout, stderr } = await this.#wrangler(args);
    const list = v.safeParse(SecretList, jsonOf(stdout));
    if (code === 0 && list.success) return new Set(list.output.map(({ name }) => name));
    if (NO_WORKER.test(stderr)) return undefined;
    throw new Failure(
      `Cloudflare does not say which secrets ${worker} has, so nothing was deployed. Log in with npx wrangler login, or set CLOUDFLARE_API_TOKEN, and with several accounts CLOUDFLARE_ACCOUNT_ID.\n\n${stderr}`,
    );
  }

  /** Uploads the Worker and these secrets at once. Returns where it is reached. */
  async deploy(secrets: Secrets): Promise<readonly string[]> {
    const file = join(this.#folder, "secrets.json");
    const output = join(this.#folder, "output.ndjson");
    const values = [...secrets].map(([name, { value }]) => [name, value]);
    await writeFile(file, JSON.stringify(Object.fromEntries(values)), { mode: 0o600 });
    try {
      const args = ["deploy", ...(values.length === 0 ? [] : [`--secrets-file=${file}`])];
      const { code } = await this.#wrangler(args, output);
      if (code !== 0) {
        throw new Failure(
          "wrangler could not deploy: its reason is above. The Worker and its secrets go up together, so either both are in place or neither. Mend it and run the command again.",
        );
      }
    } finally {
      await rm(file, { force: true });
    }
    const lines = (await readFile(output, "utf8")).split("\n").map(jsonOf);
    return lines.flatMap((line) => {
      const deployed = v.safeParse(Deployed, line);
      return deployed.success ? deployed.output.targets : [];
    });
  }

  /** @param output Where it writes what it did. It then talks to the terminal. */
  async #wrangler(args: readonly string[], output?: string): Promise<Ended> {
    const options = [`--cwd=${PROJECT}`, `--config=${join(PROJECT, "wrangler.toml")}`, "--env="];
    const child = spawn(process.execPath, [WRANGLER, ...args, ...options], {
      env: {
        ...wranglerEnvironment(this.#folder),
        ...(output !== undefined && { WRANGLER_OUTPUT_FILE_PATH: output }),
      },
      stdio: output === undefined ? ["ignore", "pipe", "pipe"] : "inherit",
    });
    const said = [child.stdout, child.stderr].map((stream) => (stream ? text(stream) : ""));
    const [[code], stdout = "", stderr = ""] = await Promise.all([once(child, "close"), ...said]);
    return { code, stdout, stderr: printableLines(stripVTControlCharacters(stderr).trim()) };
  }
}

/** Undefined for what is no JSON. */
function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
