// `npm run conformance`: checks from outside that a deployment keeps the promise
// and the protocol, row by row.

import { Failure, run, UsageError } from "../scripts/command.ts";
import { flags } from "../scripts/flags.ts";
import { printable } from "../scripts/printable.ts";
import { serverHelp, serverOf, tokenFlag } from "../scripts/target.ts";
import { Caller, callerOf } from "./caller.ts";
import { Deployment, type Row, VARIABLES } from "./deployment.ts";
import { Mismatch, Skipped } from "./expectation.ts";
import { KEPT } from "./kept.ts";
import { MCP } from "./mcp.ts";
import { OPENAI_CHAT } from "./openai-chat.ts";
import { OPENAI_RESPONSES } from "./openai-responses.ts";
import { OPERATORS } from "./operators.ts";
import { PROMISE } from "./promise.ts";
import { REFUSALS } from "./refusals.ts";
import { UI_MESSAGE } from "./ui-message.ts";
import { WIRE } from "./wire.ts";

const HELP = `Checks a deployment from outside, row by row, and fails if any row does.

  --server URL          the deployment: https://belay.example.com; ${serverHelp(24)}
  --token T             a user's bearer token; by default that of BELAY_TOKEN
  --operator-token O    another user's, with the scope \`operator\`; by default that of
                        BELAY_OPERATOR_TOKEN. For a server on this machine, the command
                        signs those that are missing
  --var NAME:VALUE      a variable that the deployment sets to another value than the
                        default; may be repeated. One of
                        ${Object.keys(VARIABLES)
                          .join(", ")
                          .replace(/(.{50,}?,) /g, "$1\n                        ")}

The check asks for about 35 answers. Use a user of its own: their limits are raised during
the check and restored after it. A document conformance-… exists during the check, and
other users may find it. Ctrl-C ends the check after the present row. Exit code 1: a row
failed, or the check could not run. Exit code 2: wrong flags.`;

const ROWS: readonly Row[] = [
  ...WIRE,
  ...PROMISE,
  ...KEPT,
  ...REFUSALS,
  ...OPENAI_CHAT,
  ...OPENAI_RESPONSES,
  ...UI_MESSAGE,
  ...MCP,
  ...OPERATORS,
];
const NAME_WIDTH = Math.max(...ROWS.map(({ name }) => name.length));

await run(async () => {
  const values = flags(
    {
      server: { type: "string" },
      // The older name.
      url: { type: "string" },
      token: { type: "string" },
      "operator-token": { type: "string" },
      var: { type: "string", multiple: true, default: [] },
    },
    HELP,
  );
  const origin = await serverOf(values.server ?? values.url);
  const operatorToken = {
    flag: "--operator-token",
    typed: values["operator-token"],
    variable: "BELAY_OPERATOR_TOKEN",
  };
  const deployment = new Deployment(
    {
      user: await callerOf(origin, tokenFlag(values.token), { user: "conformance" }),
      operator: await callerOf(origin, operatorToken, { user: "operator", operator: true }),
      anonymous: new Caller(origin),
    },
    variables(values.var),
  );
  let stopped = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      stopped = true;
    });
  }
  const outcomes: string[] = [];
  try {
    await deployment.begin();
    for (const row of ROWS) {
      if (stopped) throw new Failure("Stopped before the last row.");
      outcomes.push(await check(row, deployment));
    }
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw new Failure(`The check could not start: ${error.message}.`);
  } finally {
    await deployment.end();
  }
  const count = (outcome: string) => outcomes.filter((other) => other === outcome).length;
  const summary = `${count("ok")} ok, ${count("FAILED")} FAILED, ${count("skipped")} skipped`;
  if (count("FAILED") > 0) throw new Failure(`${summary}.`);
  console.log(`${summary}.`);
});

/** Checks one row, prints and returns the outcome. */
async function check(row: Row, deployment: Deployment): Promise<"ok" | "FAILED" | "skipped"> {
  const print = <const T extends string>(outcome: T, detail: string): T => {
    const line = printable(detail.replace(/\s+/g, " "), 400);
    console.log(`${row.name.padEnd(NAME_WIDTH)}  ${outcome.padEnd(7)}  ${line}`);
    return outcome;
  };
  try {
    return print("ok", await row.check(deployment));
  } catch (error) {
    if (error instanceof Skipped) return print("skipped", error.message);
    if (error instanceof Mismatch) return print("FAILED", error.message);
    throw error;
  }
}

function variables(typed: readonly string[]): typeof VARIABLES {
  const values: Record<string, string> = { ...VARIABLES };
  for (const text of typed) {
    const [, name = "", value = ""] = /^(\w+):(.*)$/s.exec(text) ?? [];
    if (!(name in values)) {
      throw new UsageError(
        `--var must be one of ${Object.keys(values).join(", ")}, as NAME:VALUE.`,
      );
    }
    values[name] = value;
  }
  return values as typeof VARIABLES;
}
