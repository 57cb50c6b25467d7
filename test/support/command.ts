// A command as it is typed, and what it has printed so far.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const PROJECT = join(import.meta.dirname, "../..");

const { scripts } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8"));

export interface Typed {
  readonly process: ChildProcess;
  readonly exitCode: Promise<number | null>;
  stdout(): string;
  stderr(): string;
}

/** The file that `npm run NAME` runs. */
export function scriptOf(name: string, project = PROJECT): string {
  const [, path = ""] = /^exec node (\S+)$/.exec(scripts[name]) ?? [];
  return join(project, path);
}

export function type(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Typed {
  const child = spawn(file, args, {
    cwd: PROJECT,
    // In a group of its own, as a shell starts it.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  const printed = { stdout: "", stderr: "" };
  for (const output of ["stdout", "stderr"] as const) {
    child[output].setEncoding("utf8").on("data", (text: string) => {
      printed[output] += text;
    });
  }
  return {
    process: child,
    exitCode: once(child, "close").then(([code]) => code),
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
  };
}

/** What a command printed, at its end. */
export async function finished({ exitCode, stdout, stderr }: Typed) {
  return { code: await exitCode, stdout: stdout(), stderr: stderr() };
}
