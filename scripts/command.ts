// How a command runs, and fails with one clear line.

import { dirname } from "node:path";
import { getSystemErrorMessage, inspect } from "node:util";
import { printableLines } from "./printable.ts";

/** The folder that holds wrangler.toml. */
export const PROJECT = dirname(import.meta.dirname);

/** An expected failure. Its message tells the user what to do. */
export class Failure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Wrong flags or arguments. */
export class UsageError extends Failure {
  constructor(message: string) {
    super(`${message} --help tells more.`, 2);
  }
}

/** A system error without its path: `EACCES: permission denied`. */
export function systemReason(error: unknown): string {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  return errno === undefined ? message : `${code}: ${getSystemErrorMessage(errno)}`;
}

/** The message of the innermost cause. Outer ones only say "failed". */
export function innermostReason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== "" ? innermostReason(cause) : message;
}

/**
 * Runs a command and exits. All but a Failure is a bug, and printed with its
 * stack trace. Both may hold text from files or servers.
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
