// Whether a name is that of a variable, and what to say of one that is not. Pure.

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

/** Why this name sets no variable, and what to do. */
export function misnamed(name: string): string {
  if (isBinding(name)) {
    return `${name} is no variable but a binding: ${BINDINGS[name]}, which wrangler.toml declares.`;
  }
  const meant = name.length > NAME_LENGTH_MAX ? undefined : nearest(name, VARIABLES);
  const advice = meant === undefined ? "README.md lists them all." : `Did you mean ${meant}?`;
  return `${printable(name, NAME_LENGTH_MAX)} is no variable of Belay. ${advice}`;
}
