// `npm run bench`: Belay beside what it could be replaced with, against
// one scripted model, on this machine.

import { writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { PROJECT, run, UsageError } from "../scripts/command.ts";
import { flags } from "../scripts/flags.ts";
import { CONTENDERS, type Contender, type ContenderName } from "./contender.ts";
import { belayContender, Field } from "./field.ts";
import { asks, range } from "./load.ts";
import { disconnect } from "./loads/disconnect.ts";
import { firstToken } from "./loads/first-token.ts";
import { paced } from "./loads/paced.ts";
import { saturated } from "./loads/saturated.ts";
import { short } from "./loads/short.ts";
import { installPackages } from "./packages.ts";
import { PROFILES, type ProfileName, profile } from "./profile.ts";
import type { Result } from "./result.ts";
import type { Server } from "./server.ts";
import { goalTable, table } from "./table.ts";
import { refuseOtherSystems } from "./usage.ts";

type Load = (
  options: { readonly contenders: readonly Contender[]; readonly rounds: number },
  model: Server,
) => Promise<Result>;

const LOADS: Readonly<Record<string, Load>> = {
  saturated,
  paced,
  "first-token": firstToken,
  disconnect,
  short,
};

const RESULTS = join(PROJECT, "bench/results.json");
const ROUNDS_MAX = 100;
const PACKAGED: readonly ContenderName[] = ["hono", "ai-sdk"];

const HELP = `Measures Belay beside other ways to stream an answer, against a scripted model.

  --only NAMES     these loads, with commas: ${Object.keys(LOADS).join(", ")}
  --rounds N       how often each is measured, in turn (3)
  --skip NAMES     without these contenders, with commas: ${CONTENDERS.join(", ")}
  --profile NAME   instead: a CPU profile of Belay's Worker under a load: ${Object.keys(PROFILES).join(", ")}

The figures are also in bench/results.json. Exit code 1: something failed. Exit code 2:
wrong flags.`;

await run(async () => {
  const values = flags(
    {
      only: { type: "string", default: Object.keys(LOADS).join(",") },
      rounds: { type: "string", default: "3" },
      skip: { type: "string", default: "" },
      profile: { type: "string" },
    },
    HELP,
  );
  const only = names("--only", values.only, Object.keys(LOADS));
  const skipped = names("--skip", values.skip, CONTENDERS);
  const rounds = wholeRounds(values.rounds);
  const profiled =
    values.profile === undefined
      ? undefined
      : (one("--profile", values.profile, Object.keys(PROFILES)) as ProfileName);
  refuseOtherSystems();

  const field = new Field();
  try {
    const model = await field.startModel();
    if (profiled !== undefined) {
      const belay = await field.startBelay({ modelUrl: model.url, isInspected: true });
      console.log(await profile(profiled, belay, belayContender(belay)));
      return;
    }
    const wanted = CONTENDERS.filter((name) => !skipped.includes(name));
    if (wanted.some((name) => PACKAGED.includes(name))) await installPackages();
    await field.startContenders(wanted, model.url);
    await measure(field.contenders, model, only, rounds);
  } finally {
    await field.stop();
  }
});

async function measure(
  contenders: readonly Contender[],
  model: Server,
  only: readonly string[],
  rounds: number,
): Promise<void> {
  for (const contender of contenders) await asks(contender, range(0, 1), { tokens: 200 });
  const results: Result[] = [];
  for (const [name, load] of Object.entries(LOADS)) {
    if (!only.includes(name)) continue;
    const result = await load({ contenders, rounds }, model);
    results.push(result);
    console.log(`${table(result)}\n`);
  }
  const goals = results.flatMap((result) => result.goals);
  if (goals.length > 0) console.log(goalTable(goals));
  const at = new Date().toISOString();
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, load: loadavg()[0] };
  await writeFile(RESULTS, `${JSON.stringify({ at, machine, rounds, results }, null, 2)}\n`);
}

function names(flag: string, typed: string, known: readonly string[]): string[] {
  const all = typed.split(",").filter((name) => name !== "");
  return all.map((name) => one(flag, name, known));
}

function one(flag: string, typed: string, known: readonly string[]): string {
  if (known.includes(typed)) return typed;
  throw new UsageError(`${flag} knows ${known.join(", ")}, and no "${typed}".`);
}

function wholeRounds(typed: string): number {
  const rounds = /^[1-9]\d*$/.test(typed) ? Number(typed) : Number.NaN;
  if (rounds <= ROUNDS_MAX) return rounds;
  throw new UsageError(`--rounds must be a whole number from 1 to ${ROUNDS_MAX}.`);
}
