// `npm run test:seeded`: after how many histories of test/model
// or test/budget each bug of their bugs.ts is found.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BUDGET_BUGS } from "../test/budget/bugs.ts";
import { BUGS } from "../test/model/bugs.ts";
import { Failure, PROJECT, run, UsageError } from "./command.ts";
import { flagsAndWords } from "./flags.ts";

const HELP = `Puts bugs into the tested source, one at a time, and counts the histories until each is
found.

  npm run test:seeded                     all bugs: minutes
  npm run test:seeded -- "a key ignored"  these bugs

Exit code 1: a bug was not found from every seed. Exit code 2: there is no such bug.`;

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly failureMessages: readonly string[] }[];
  }[];
}

await run(async () => {
  const { positionals } = flagsAndWords({}, HELP);
  const unknown = positionals.find((name) => !(name in BUGS));
  if (unknown !== undefined) throw new UsageError(`There is no bug "${unknown}".`);

  const missed: string[] = [];
  const folder = await mkdtemp(join(tmpdir(), "belay-seeded-"));
  try {
    for (const bug of positionals.length > 0 ? positionals : Object.keys(BUGS)) {
      const counts = await historiesUntil(bug, join(folder, "report.json"));
      console.log(`| ${bug} | ${counts.map((count) => count ?? "not found").join(", ")} |`);
      if (counts.includes(undefined)) missed.push(bug);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  if (missed.length > 0) throw new Failure(`Not found from every seed: ${missed.join("; ")}.`);
});

/** The number of histories after which each seed found a bug. */
async function historiesUntil(bug: string, report: string): Promise<(string | undefined)[]> {
  const folder = bug in BUDGET_BUGS ? "budget" : "model";
  const file = `test/${folder}/history.test.ts`;
  await vitest([file, "--reporter=json", `--outputFile=${report}`], bug);
  const { testResults }: Report = JSON.parse(await readFile(report, "utf8"));
  await rm(report);
  return testResults.flatMap(({ assertionResults }) =>
    assertionResults.map(
      ({ failureMessages }) =>
        /Property failed after (\d+) tests/.exec(failureMessages.join())?.[1],
    ),
  );
}

/** Resolves whether or not the tests pass: the report has their results. */
function vitest(words: readonly string[], bug: string): Promise<void> {
  const main = join(PROJECT, "node_modules/vitest/vitest.mjs");
  const env = {
    ...process.env,
    BUG: bug,
    FC_RUNS: "",
    FC_SEED: "",
    FC_PATH: "",
    FC_REPLAY_PATH: "",
  };
  const { promise, resolve } = Promise.withResolvers<void>();
  execFile(
    process.execPath,
    [main, "run", "--project", "workerd", ...words],
    { cwd: PROJECT, env, maxBuffer: Number.POSITIVE_INFINITY },
    () => resolve(),
  );
  return promise;
}
