// `npm run day`: what one deployment carries with copies of its documents,
// and what they cost, by a simulated day. It measures nothing: the times of
// one search and of one page of changes are flags. The same flags give the
// same figures.

import { run, UsageError } from "../scripts/command.ts";
import { flags } from "../scripts/flags.ts";
import { copyOf } from "../src/corpus/copied-corpus.ts";
import { type Deployment, dayOf } from "./day/simulation.ts";
import { costTable, loadTable, type Row } from "./day/tables.ts";

const HELP = `Simulates a day of searches: one object answers one search at a time, and the others wait.

  --passages N,N     how many passages the documents have (5000,50000)
  --search-ms N,N    CPU of one search at each of these sizes (0.4,8.3)
  --copies N,N       the numbers of copies to compare (0,4,16)
  --call-ms N        CPU of a call to an object, beside its work (0.3)
  --changes N        documents that change in a day, of 10 passages each (200)
  --wait-ms N        the wait that one search in a hundred may exceed (250)
  --users N          all equally active; each reads one copy (10000)
  --seed N           of the random numbers (1)`;

/** Searches in each hour, as a share of those in the busiest. */
export const HOURS = [
  ...[0.2, 0.15, 0.12, 0.1, 0.1, 0.12, 0.2, 0.35, 0.6, 0.85, 0.95, 1],
  ...[0.9, 0.95, 1, 0.98, 0.9, 0.8, 0.65, 0.6, 0.55, 0.5, 0.4, 0.3],
];

await run(async () => {
  const values = flags(
    {
      passages: { type: "string", default: "5000,50000" },
      "search-ms": { type: "string", default: "0.4,8.3" },
      copies: { type: "string", default: "0,4,16" },
      "call-ms": { type: "string", default: "0.3" },
      changes: { type: "string", default: "200" },
      "wait-ms": { type: "string", default: "250" },
      users: { type: "string", default: "10000" },
      seed: { type: "string", default: "1" },
    },
    HELP,
  );
  const sizes = numbers("--passages", values.passages);
  const searchMs = numbers("--search-ms", values["search-ms"]);
  if (sizes.length !== searchMs.length) {
    throw new UsageError("--search-ms needs one value for each of --passages.");
  }
  const one = (flag: keyof typeof values) => numbers(`--${flag}`, values[flag], 1)[0] as number;
  const rows: Row[] = [];
  for (const [i, passages] of sizes.entries()) {
    for (const copies of numbers("--copies", values.copies)) {
      const deployment: Deployment = {
        ...{ passages, searchMs: searchMs[i] as number, copies, callMs: one("call-ms") },
        ...{ changes: one("changes"), hours: HOURS, seed: one("seed") },
        shares: sharesOf(copies, one("users")),
      };
      rows.push({ deployment, day: dayOf(deployment, one("wait-ms")) });
    }
  }
  console.log(loadTable(rows, one("wait-ms")));
  console.log(costTable(rows));
});

/** The part of the searches that each copy gets; of the original, if there are none. */
function sharesOf(copies: number, users: number): number[] {
  if (copies === 0) return [1];
  const counts = Array.from({ length: copies }, () => 0);
  for (let user = 0; user < users; user++) {
    const number = copyOf(`user ${user}`, copies);
    counts[number - 1] = (counts[number - 1] ?? 0) + 1;
  }
  return counts.map((count) => count / users);
}

function numbers(flag: string, text: string, count?: number): number[] {
  const list = text.split(",").map(Number);
  const isRight = list.every((number) => Number.isFinite(number) && number >= 0);
  if (!isRight || (count !== undefined && list.length !== count)) {
    throw new UsageError(`${flag} must be ${count === 1 ? "a number" : "numbers, with commas"}.`);
  }
  return list;
}
