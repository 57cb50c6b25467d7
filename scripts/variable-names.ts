// Which names are variables, and what to say about any other. Pure.

import { BINDINGS, VARIABLES, type VariableName } from "../src/config.ts";
import { nearest } from "./nearest.ts";
import { printable } from "./printable.ts";

/** Longer than any name that could be meant. */
const NAME_LENGTH_MAX = 64;

export function isVariable(name: string): name is VariableName {
  return (VARIABLES as readonly string[]).includes(name);
}

export function isBinding(name: string): name is keyof typeof BINDINGS {
  return Object.hasOwn(BINDINGS, name);
}

/** The variable or binding that was probably meant. */
export function meantName(name: string): string | undefined {
  if (name.length > NAME_LENGTH_MAX) return undefined;
  return nearest(name, [...VARIABLES, ...Object.keys(BINDINGS)]);
}

/** Why this name sets no variable, and what to do. */
export function misnamed(name: string): string {
  const shown = printable(name, NAME_LENGTH_MAX);
  if (isBinding(name)) return `${shown} is not a variable but ${binding(name)}`;
  return `${shown} is not a variable of Belay. ${advice(meantName(name))}`;
}

function advice(meant: string | undefined): string {
  if (meant === undefined) return "docs/configuration.md lists them all.";
  const what = isBinding(meant) ? ` That is ${binding(meant)}` : "";
  return `Did you mean ${meant}?${what}`;
}

function binding(name: keyof typeof BINDINGS): string {
  return `a binding: ${BINDINGS[name]}. wrangler.toml declares it.`;
}
