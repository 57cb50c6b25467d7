// A command of the project: where it runs, and how it fails in one clear line.

import { dirname } from "node:path";

/** The folder that holds wrangler.toml. */
export const PROJECT = dirname(import.meta.dirname);

/** A failure that its message explains to whoever typed the command. */
export class Failure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A command that was typed wrongly. */
export class UsageError extends Failure {
  constructor(message: string) {
    super(`${message} --help tells more.`, 2);
  }
}

/** Runs a command to its exit code. Anything but a Failure is a bug, and keeps its stack trace. */
export async function run(command: () => Promise<void>): Promise<never> {
  try {
    await command();
    process.exit(0);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(error.message);
    process.exit(error.exitCode);
  }
}
