// The flags of a command.

import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { UsageError } from "./command.ts";
import { nearest } from "./nearest.ts";
import { printable } from "./printable.ts";

const FLAG_LENGTH_MAX = 64;

/** The flags as typed. Refuses unknown ones; `--help` exits. */
export function flags<const T extends ParseArgsOptionsConfig>(options: T, help: string) {
  return typed(options, help, false).values;
}

/** The same for a command with arguments, its `positionals`. */
export function flagsAndWords<const T extends ParseArgsOptionsConfig>(options: T, help: string) {
  return typed(options, help, true);
}

function typed<const T extends ParseArgsOptionsConfig>(
  options: T,
  help: string,
  allowPositionals: boolean,
) {
  if (process.argv.includes("--help")) {
    console.log(help);
    process.exit(0);
  }
  try {
    return parseArgs({ options, strict: true, allowPositionals });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!code?.startsWith("ERR_PARSE_ARGS_")) throw error;
    // An argument without its flag may be a bearer token.
    if (code === "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL") {
      throw new UsageError("Unexpected argument: each value needs its flag before it.");
    }
    const [, unknown] = /^Unknown option '(-+[^']*)'/.exec(message) ?? [];
    if (unknown !== undefined) throw new UsageError(unknownFlag(unknown, Object.keys(options)));
    // Its first sentence only: the rest is about calling parseArgs.
    throw new UsageError(message.replace(/\.?(\n.*|\. .*)?$/s, "."));
  }
}

function unknownFlag(typed: string, names: readonly string[]): string {
  const shown = printable(typed, FLAG_LENGTH_MAX);
  const meant = nearest(typed.replace(/^-+/, ""), names);
  return `Unknown option '${shown}'.${meant === undefined ? "" : ` Did you mean --${meant}?`}`;
}

export function checkUser(name: string): void {
  if (/^\P{Cc}{1,128}$/u.test(name)) return;
  throw new UsageError("--user must be 1 to 128 characters, none of them a control character.");
}

export function wholeNumber(flag: string, typed: string, min: number, max: number): number {
  const number = /^\d{1,9}$/.test(typed) ? Number(typed) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new UsageError(`${flag} must be a whole number from ${min} to ${max}.`);
}
