// How many reports the one directory takes, and what each answer leaves there.

import { type Bench, cpuOf } from "../load.ts";
import { Measured } from "../measured.ts";
import { median, type Result, type Row } from "../result.ts";

/** Answers in one measurement. */
const ANSWERS = 4_000;
const USERS = 400;
const MEGABYTE = 1_000_000;

const SHAPES = [
  { name: "one answer a report, no words", queries: 1, hasWords: false },
  { name: "one answer a report, with words", queries: 1, hasWords: true },
  { name: "20 answers a report, no words", queries: 20, hasWords: false },
  { name: "20 answers a report, with words", queries: 20, hasWords: true },
] as const;

export async function directory({ field, model, rounds }: Bench): Promise<Result> {
  const rows: Row[] = [];
  for (const { name, queries, hasWords } of SHAPES) {
    const measured = await Measured.start(field, model.url);
    try {
      const perSecond: number[] = [];
      const cpu: number[] = [];
      const reports = ANSWERS / queries;
      const each = { queries, hasWords, users: Math.min(USERS, reports), reports };
      let filled = await measured.directory();
      for (let round = 0; round < rounds; round += 1) {
        const startedAt = performance.now();
        const before = round * (reports / each.users);
        const { cpuMs } = await cpuOf(measured.belay.server, async () => {
          await measured.report({ ...each, before });
          perSecond.push((1_000 * reports) / (performance.now() - startedAt));
        });
        cpu.push(cpuMs / reports);
        if (round === 0) filled = await measured.directory();
      }
      const speed = median(perSecond);
      const values = [
        ...[median(cpu), speed, speed * queries, filled.rows / ANSWERS],
        ...[(filled.bytes / ANSWERS) * (1_000_000 / MEGABYTE)],
      ];
      rows.push({ name, values });
    } finally {
      await measured.stop();
    }
  }
  return {
    load: "directory",
    title: `${ANSWERS.toLocaleString("en")} answers of ${USERS.toLocaleString("en")} users, reported to the directory`,
    columns: [
      "CPU ms a report",
      "reports a second",
      "answers a second",
      "rows an answer",
      "MB a million answers",
    ],
    rows,
    goals: [],
    remarks: [],
  };
}
