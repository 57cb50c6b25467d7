// The flags of a command.

import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { UsageError } from "./command.ts";

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
    // Its first sentence only: the rest is about calling parseArgs.
    throw new UsageError(message.replace(/\.?(\n.*|\. .*)?$/s, "."));
  }
}
