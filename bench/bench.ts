// `npm run bench`: Belay beside what it could be replaced with, against
// one scripted model, on this machine.

import { writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { Failure, PROJECT, run, UsageError } from "../scripts/command.ts";
import { flags } from "../scripts/flags.ts";
import { installPackages } from "../scripts/packages.ts";
import { CONTENDERS, type ContenderName } from "./contender.ts";
import { belayContender, Field } from "./field.ts";
import { asks, type Bench, range } from "./load.ts";
import { askOfOneToken } from "./loads/ask.ts";
import { budget } from "./loads/budget.ts";
import { directory } from "./loads/directory.ts";
import { disconnect } from "./loads/disconnect.ts";
import { firstToken } from "./loads/first-token.ts";
import { ingest } from "./loads/ingest.ts";
import { log } from "./loads/log.ts";
import { paced } from "./loads/paced.ts";
import { rows } from "./loads/rows.ts";
import { saturated } from "./loads/saturated.ts";
import { search } from "./loads/search.ts";
import { surfaces } from "./loads/surfaces.ts";
import { PROFILES, type ProfileName, profile } from "./profile.ts";
import { type Goal, isReached, type Result } from "./result.ts";
import { goalTable, table } from "./table.ts";
import { refuseOtherSystems } from "./usage.ts";

interface Load {
  readonly measure: (bench: Bench) => Promise<Result>;
  /** It needs servers of its own only. */
  readonly isAlone?: true;
}

/** In this order. */
const LOADS: Readonly<Record<string, Load>> = {
  saturated: { measure: saturated },
  paced: { measure: paced },
  "first-token": { measure: firstToken },
  disconnect: { measure: disconnect },
  ask: { measure: askOfOneToken },
  rows: { measure: rows, isAlone: true },
  search: { measure: search, isAlone: true },
  ingest: { measure: ingest, isAlone: true },
  log: { measure: log, isAlone: true },
  surfaces: { measure: surfaces, isAlone: true },
  directory: { measure: directory, isAlone: true },
  budget: { measure: budget, isAlone: true },
};

const FULL = { rounds: 3 };

/** In about a minute. */
const SHORT = {
  loads: ["saturated", "paced", "ask"],
  contenders: ["do-naive", "belay"],
  rounds: 2,
  /** On a busy machine a ratio may be as much as this times its limit. */
  margin: 2,
} as const;

const RESULTS = join(PROJECT, "bench/results.json");
const ROUNDS_MAX = 100;
/** The exit code of a program that SIGINT ends. */
const INTERRUPTED = 130;
/** No load has these users. */
const WARM_UP = { users: range(5_000, 20), script: { tokens: 50 } };
const PACKAGED: readonly ContenderName[] = ["hono", "ai-sdk"];

const HELP = `Measures Belay beside other ways to stream an answer, against a scripted model.

  --only NAMES     these loads, with commas between:
                   ${Object.keys(LOADS).join(", ")}
  --rounds N       how often each is measured, in turn (${FULL.rounds}; with --short ${SHORT.rounds})
  --skip NAMES     leaves out these contenders, with commas between:
                   ${CONTENDERS.join(", ")}
  --short          a minute of it: fails where a ratio is more than ${SHORT.margin} times its limit,
                   and again when it is measured once more
  --profile NAME   instead: a CPU profile of Belay's Worker under a load,
                   ${Object.keys(PROFILES).join(" or ")}

The figures are also in bench/results.json. A load needs an idle machine, the short form
does not. Exit code 1: something failed. Exit code 2: wrong flags.`;

await run(async () => {
  const values = flags(
    {
      only: { type: "string" },
      rounds: { type: "string" },
      skip: { type: "string" },
      short: { type: "boolean", default: false },
      profile: { type: "string" },
    },
    HELP,
  );
  const only = names("--only", values.only, Object.keys(LOADS));
  const skipped = names("--skip", values.skip, CONTENDERS) ?? [];
  const rounds = wholeRounds(values.rounds) ?? (values.short ? SHORT : FULL).rounds;
  const isShort = values.short;
  const isProfiled = isProfile(values.profile);
  refuseOtherSystems();

  const field = await Field.make();
  const bench = async () => {
    console.error("Starting what is measured.");
    const model = await field.startModel();
    if (isProfiled) {
      const belay = await field.startBelay({ modelUrl: model.url, isInspected: true });
      console.log(await profile(values.profile as ProfileName, belay, belayContender(belay)));
      return;
    }
    const chosen = only ?? (isShort ? SHORT.loads : Object.keys(LOADS));
    const known: readonly ContenderName[] = isShort ? SHORT.contenders : CONTENDERS;
    const wanted = known.filter((name) => !skipped.includes(name));
    if (chosen.some((name) => !LOADS[name]?.isAlone)) {
      if (wanted.some((name) => PACKAGED.includes(name))) await installPackages("bench");
      await field.startContenders(wanted, model.url);
    }
    const { contenders } = field;
    const all = { field, model, contenders, rounds };
    const results = await measure(chosen, all);
    if (isShort) await failAtMargin(results, all);
  };
  try {
    await Promise.race([bench(), interrupted()]);
  } finally {
    await field.stop();
  }
});

/** Rejects on the first signal. Ctrl-C comes twice: npm passes it on. */
async function interrupted(): Promise<never> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => resolve());
  await promise;
  throw new Failure("\nInterrupted.", INTERRUPTED);
}

async function measure(chosen: readonly string[], bench: Bench): Promise<Result[]> {
  // Code that runs for the first time is not yet compiled.
  for (const contender of bench.contenders) await asks(contender, WARM_UP.users, WARM_UP.script);
  const results: Result[] = [];
  for (const [name, load] of Object.entries(LOADS)) {
    if (!chosen.includes(name)) continue;
    const result = await load.measure(bench);
    results.push(result);
    console.log(`${table(result)}\n`);
  }
  const goals = results.flatMap((result) => result.goals);
  if (goals.length > 0) console.log(goalTable(goals));
  await write(results, bench.rounds);
  return results;
}

async function write(results: readonly Result[], rounds: number): Promise<void> {
  const at = new Date().toISOString();
  const machine = { cores: cpus().length, model: cpus()[0]?.model, load: loadavg()[0] };
  await writeFile(RESULTS, `${JSON.stringify({ at, machine, rounds, results }, null, 2)}\n`);
}

/** Measures again what is beyond the margin: a disturbance shows once, a slow Belay each time. */
async function failAtMargin(results: readonly Result[], bench: Bench): Promise<void> {
  const beyond = results.filter((result) => beyondMargin(result).length > 0);
  if (beyond.length === 0) return;
  console.error("Measuring again what is beyond the margin.");
  const again = await measure(
    beyond.map(({ load }) => load),
    bench,
  );
  const missed = again.flatMap(beyondMargin);
  if (missed.length === 0) return;
  const lines = missed.map(
    ({ what, value, limit }) => `${what}: ${value.toFixed(2)}, not ${limit}`,
  );
  throw new Failure(`More than ${SHORT.margin} times the limit:\n${lines.join("\n")}`);
}

function beyondMargin({ goals }: Result): Goal[] {
  return goals.filter((goal) => goal.isRatio && !isReached(goal, SHORT.margin));
}

function names(
  flag: string,
  typed: string | undefined,
  known: readonly string[],
): string[] | undefined {
  return typed?.split(",").map((name) => one(flag, name.trim(), known));
}

function isProfile(typed: string | undefined): boolean {
  if (typed === undefined) return false;
  one("--profile", typed, Object.keys(PROFILES));
  return true;
}

function one(flag: string, typed: string, known: readonly string[]): string {
  if (known.includes(typed)) return typed;
  throw new UsageError(`${flag} does not know "${typed}", but ${known.join(", ")}.`);
}

function wholeRounds(typed: string | undefined): number | undefined {
  if (typed === undefined) return undefined;
  const rounds = /^[1-9]\d*$/.test(typed) ? Number(typed) : Number.NaN;
  if (rounds <= ROUNDS_MAX) return rounds;
  throw new UsageError(`--rounds must be a whole number from 1 to ${ROUNDS_MAX}.`);
}
