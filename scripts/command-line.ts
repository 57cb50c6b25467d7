// Commands for the user to paste into a shell. Pure.

import { printable } from "./printable.ts";

/** A flag with its value, if it takes one. */
export type Flag = readonly [name: `--${string}`, value?: string];

/** The commands that serve. */
export type ServerScript = "start" | "serve";

export const TERMINAL_COLUMNS = 80;

/** Variables whose values are not printed. An address may hold a key. */
const SECRET = /SECRET|KEY|TOKEN|PASSWORD|URL/i;

/**
 * The command with some flags set, in lines of at most `columns` where words
 * allow it. Undefined if the typed flags may hold a secret or cannot be
 * printed as they are.
 */
export function retyped(
  script: ServerScript,
  typed: readonly Flag[],
  set: readonly Flag[],
  columns = TERMINAL_COLUMNS,
): readonly string[] | undefined {
  const replaced = new Set(set.map(subject));
  const kept = typed.filter((flag) => !replaced.has(subject(flag)));
  if (!kept.every(isShowable)) return undefined;
  const command = script === "start" ? "npm start --" : `npm run ${script} --`;
  return folded(command, [...kept, ...set], columns);
}

/** Flags on lines that a shell reads as one. */
export function folded(
  command: string,
  flags: readonly Flag[],
  columns = TERMINAL_COLUMNS,
): readonly string[] {
  const lines = [command];
  for (const [name, value] of flags) {
    const words = value === undefined ? name : `${name} ${shellWord(value)}`;
    const line = [lines.at(-1), words].filter(Boolean).join(" ");
    // Two columns are for the mark of a continued line.
    if (line.length + 2 <= columns) lines[lines.length - 1] = line;
    else lines.push(`  ${words}`);
  }
  return lines.map((line, i) => (i < lines.length - 1 ? `${line} \\` : line));
}

/** One word of a shell, safe in a terminal. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : quoted(text);
}

/** The same, in quotes always. */
export function quoted(text: string): string {
  return `'${printable(text).replaceAll("'", `'\\''`)}'`;
}

/** The option that a flag sets: `--var` sets one for each name. */
function subject([name, value = ""]: Flag): string {
  return name === "--var" ? `--var ${variableOf(value)}` : name;
}

function isShowable([name, value = ""]: Flag): boolean {
  const isSecret = name === "--var" && SECRET.test(variableOf(value));
  return !isSecret && value === printable(value);
}

function variableOf(value: string): string {
  return value.slice(0, value.indexOf(":"));
}
