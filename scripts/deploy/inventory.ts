// What a deployment consists of, as text: every binding, variable and secret.
// Values are not shown: a variable may be a misplaced secret. Pure.

import { BINDINGS, SECRETS } from "../../src/config.ts";
import { TERMINAL_COLUMNS } from "../command-line.ts";
import { defaults, type Plan, undeclared } from "./plan.ts";
import type { Secrets } from "./secrets.ts";

type Row = readonly [name: string, what: string];

const NAME_COLUMNS = 30;

export function inventory(plan: Plan, given: Secrets): string {
  const bindings: Row[] = [
    ...plan.bindings.map((name): Row => [name, BINDINGS[name as keyof typeof BINDINGS] ?? ""]),
    ...undeclared(plan).map((name): Row => [name, `not declared: ${BINDINGS[name]}`]),
  ];
  const variables = Object.keys(plan.variables).map((name): Row => [name, "set"]);
  const secrets = SECRETS.map((name): Row => [name, stateOf(plan, given, name)]);
  return [
    `The Worker ${plan.worker}\n`,
    section("Bindings", bindings),
    section("Variables of wrangler.toml", variables),
    `At their defaults\n${wrapped(defaults(plan))}`,
    section("Secrets", secrets),
  ].join("\n");
}

function stateOf(plan: Plan, given: Secrets, name: (typeof SECRETS)[number]): string {
  const from = given.get(name)?.from;
  if (from !== undefined) return `given by ${from}`;
  const need = plan.needs.find((one) => one.name === name);
  if (need === undefined) return "not needed";
  return `${need.isRequired ? "missing" : "not given"}: ${need.purpose}`;
}

function section(title: string, rows: readonly Row[]): string {
  const lines = rows.map(([name, what]) => `  ${name.padEnd(NAME_COLUMNS)}${what}`.trimEnd());
  return `${title}\n${(lines.length === 0 ? ["  none"] : lines).join("\n")}\n`;
}

function wrapped(names: readonly string[]): string {
  let line = " ";
  let text = "";
  for (const name of names) {
    if (line.length + name.length + 2 > TERMINAL_COLUMNS) {
      text += `${line}\n`;
      line = " ";
    }
    line += ` ${name}`;
  }
  return `${text}${line}\n`;
}
