// A command of the project: where it runs, and how it fails in one clear line.

import { dirname } from "node:path";
import { getSystemErrorMessage, inspect } from "node:util";
import { printableLines } from "./printable.ts";

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

/** Why the system refused something, without the path: `EACCES: permission denied`. */
export function systemReason(error: unknown): string {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  return errno === undefined ? message : `${code}: ${getSystemErrorMessage(errno)}`;
}

/**
 * Runs a command to its exit code. Anything but a Failure is a bug, and keeps its stack trace. Either may
 * hold words of others.
 */
export async function run(command: () => Promise<void>): Promise<never> {
  try {
    await command();
    process.exit(0);
  } catch (error) {
    const isExpected = error instanceof Failure;
    console.error(printableLines(isExpected ? error.message : inspect(error)));
    process.exit(isExpected ? error.exitCode : 1);
  }
}
