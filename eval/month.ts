// `npm run month`: a month of questions at once, against the real Worker in a
// workerd of its own. Then the directory must count what all users' objects
// count, and the report must show the gaps that the handbook has.

import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pMap from "p-map";
import { Belay } from "../bench/belay.ts";
import { Failure, run } from "../scripts/command.ts";
import { Documents } from "../scripts/documents.ts";
import { flags, wholeNumber } from "../scripts/flags.ts";
import { Progress } from "../scripts/progress.ts";
import { reportAsText } from "../scripts/report-text.ts";
import type { ShownReport } from "../src/shown.ts";
import { collections } from "./collections-month.ts";
import { handbook } from "./handbook-month.ts";
import { leftIn } from "./left-words.ts";
import { nameOf, Players } from "./month-players.ts";
import {
  judge,
  MONTH,
  type Month,
  type Step,
  scriptedMonth,
  type Topic,
} from "./scripted-month.ts";

const HELP = `Has ${MONTH.users} users ask ${MONTH.questions} questions, rate, disconnect and be refunded, and erases
some. Fails unless the directory counts what all users' objects count, no row and no word
is left of the erased, and the report shows 95 % of the gaps, with at most 5 % of its groups
wrong.

  --users N       how many users (${MONTH.users})
  --questions N   how many questions they ask, at least as many (${MONTH.questions})
  --data FOLDER   a collection as for npm run eval, again for each: its questions are asked.
                  Some of its documents are left out: they are the gaps. Without it, the
                  documents are a handbook of an invented bike rental
  --others FOLDER a collection whose questions are asked too, without its documents: each is
                  about something else; may be given again
  --gap-part N    how many questions of a hundred are about gaps (${Math.round(MONTH.gapPart * 100)})
  --at-once N     how many ask at once (64)
  --seed N        repeats the choices (${MONTH.seed})
  --shown N       prints this many groups of the report too (0)
  --json          prints the result as one JSON object

The data is deleted at the end. Exit code 1: it failed. Exit code 2: wrong flags.`;

const FOUND_MIN = 0.95;
const WRONG_MAX = 0.05;
/** A gap is what was not answered this often. */
const UNANSWERED_MIN = 5;
const MEMORY = "/dev/shm";
const LIMIT = 1_000_000;
/** The most that a report shows. */
const GROUPS = 100;

await run(async () => {
  const typed = flags(
    {
      users: { type: "string", default: `${MONTH.users}` },
      questions: { type: "string", default: `${MONTH.questions}` },
      "gap-part": { type: "string", default: `${Math.round(MONTH.gapPart * 100)}` },
      "at-once": { type: "string", default: "64" },
      data: { type: "string", multiple: true, default: [] },
      others: { type: "string", multiple: true, default: [] },
      seed: { type: "string", default: `${MONTH.seed}` },
      shown: { type: "string", default: "0" },
      json: { type: "boolean", default: false },
    },
    HELP,
  );
  const users = wholeNumber("--users", typed.users, 1, LIMIT);
  const questions = wholeNumber("--questions", typed.questions, users, LIMIT * 10);
  const atOnce = wholeNumber("--at-once", typed["at-once"], 1, 1_000);
  const seed = wholeNumber("--seed", typed.seed, 0, LIMIT);
  const gapPart = wholeNumber("--gap-part", typed["gap-part"], 0, 90) / 100;
  const shown = wholeNumber("--shown", typed.shown, 0, GROUPS);
  const subjects =
    typed.data.length === 0 ? handbook() : await collections(typed.data, typed.others, seed);
  const month = scriptedMonth({ ...MONTH, users, questions, gapPart, seed }, subjects);
  const folder = await mkdtemp(join(existsSync(MEMORY) ? MEMORY : tmpdir(), "belay-month-"));
  const belay = await Belay.start({
    // In memory, where there is such a folder: nothing waits for the disk.
    folder,
    // The answers are quotes: no model is asked.
    modelUrl: "http://127.0.0.1:9",
    variables: {
      GENERATOR: "extractive",
      EXTRACTIVE_TOKENS_PER_SECOND: "0",
      DELIVERY_HOLD_MS: "20",
      SWEEP_INTERVAL_MS: "10000",
    },
  });
  try {
    const players = await Players.of(belay, users);
    const documents = new Documents(belay.server.url, await belay.token("operator", true));
    for (const { id, title, text } of subjects.documents) {
      await documents.put(id, { title, text, url: null });
    }

    const startedAt = performance.now();
    const progress = new Progress("Questions", questions);
    const outcomes = await pMap(
      month.steps,
      async (step) => {
        const outcome = await players.take(step);
        progress.advance();
        return outcome;
      },
      { concurrency: atOnce },
    );
    progress.clear();
    const askedMs = performance.now() - startedAt;

    const erasing = [...month.erased];
    await pMap(erasing, (user) => players.erase(user), { concurrency: atOnce });
    const kept = Array.from({ length: users }, (_, i) => i).filter((i) => !month.erased.has(i));
    const audited = await players.audited(kept, atOnce);
    const reportedAt = performance.now();
    const counted = await players.countedAs(audited);
    const reportedMs = performance.now() - reportedAt;
    for (const user of erasing) await players.checkErased(user);
    const words = [...month.erasedWords, ...erasing.map(nameOf)];
    const data = join(folder, "data");
    if ((await leftIn(data, kept.slice(0, 1).map(nameOf))) === undefined) {
      throw new Failure("The databases of the server could not be read.");
    }
    const left = await leftIn(data, words);
    if (left !== undefined) throw new Failure(`${left} still has what an erased user wrote.`);

    const reportAt = performance.now();
    const report = await players.get<ShownReport>(`/admin/report?limit=${GROUPS}`);
    const reportMs = performance.now() - reportAt;
    const unanswered = month.steps.filter((_, i) => outcomes[i] === "unanswered");
    const judged = judge(report.unanswered.groups, month, leftUnanswered(month, unanswered));
    const result = {
      ...{ users, questions, seed, erased: erasing.length },
      asksPerSecond: Math.round((questions / askedMs) * 1_000),
      failed: outcomes.filter((outcome) => outcome === "failed").length,
      ...{ audited, directory: counted, reportedSeconds: Math.round(reportedMs / 1_000) },
      ...{ unanswered: report.unanswered.asked, reportMs: Math.round(reportMs) },
      ...{ gapsInAll: month.gaps.length, ...judged },
    };
    console.log(typed.json ? JSON.stringify(result) : inWords(result));
    if (shown > 0) {
      const groups = report.unanswered.groups.slice(0, shown);
      console.log(
        reportAsText(
          { ...report, unanswered: { ...report.unanswered, groups } },
          { columns: 100, isStyled: false },
        ),
      );
    }
    check(judged);
  } finally {
    await belay.stop();
  }
});

/** Gaps as users saw them. Where something was found, the report cannot tell. */
function leftUnanswered({ gaps, topics }: Month, steps: readonly Step[]): Topic[] {
  const times = new Map<Topic, number>();
  for (const { query } of steps) {
    for (const topic of topics.get(query.trim()) ?? []) {
      times.set(topic, (times.get(topic) ?? 0) + 1);
    }
  }
  return gaps.filter((gap) => (times.get(gap) ?? 0) >= UNANSWERED_MIN);
}

function check({ gaps, found, groups, wrong }: ReturnType<typeof judge>): void {
  if (found < FOUND_MIN * gaps) throw new Failure("The report misses too many gaps.");
  if (wrong.length > WRONG_MAX * groups) throw new Failure("The report has too many wrong groups.");
}

function inWords(result: object): string {
  return Object.entries(result)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .join("\n");
}
