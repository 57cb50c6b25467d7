// What Cloudflare bills for an answer: the rows that it writes, in the user's
// object and in the directory, and one for each alarm that is set.

import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type Answer, ask } from "../answer.ts";
import type { Contender } from "../contender.ts";
import { readerOf } from "../field.ts";
import { type Bench, brokenAnswers, range } from "../load.ts";
import { Measured } from "../measured.ts";
import type { Goal, Result, Row } from "../result.ts";
import type { Script } from "../script.ts";
import type { Written } from "../written.ts";

const USERS = range(0, 10);
const SWEEP_INTERVAL_MS = 2_000;
/** By then the alarm of an ask has rung, and so has the one that it set. */
const QUIET_MS = 3 * SWEEP_INTERVAL_MS;

interface Shape {
  readonly name: string;
  /** Of each user, one after the other. */
  readonly asks: number;
  readonly script: Script;
}

const SHAPES: readonly Shape[] = [
  // As an answer of 6 seconds to the 10 of a deployment's SWEEP_INTERVAL_MS.
  { name: "20 asks of a user, one after the other", asks: 20, script: { tokens: 50, gapMs: 24 } },
  { name: "one ask of a user, and no other near it", asks: 1, script: { tokens: 50 } },
];
const [SERIES] = SHAPES;

export async function rows({ field, model }: Bench): Promise<Result> {
  const variables = { SWEEP_INTERVAL_MS: String(SWEEP_INTERVAL_MS) };
  const measured = await Measured.start(field, model.url, variables);
  try {
    const contender = withKeys(measured.contender);
    const all: Row[] = [];
    const goals: Goal[] = [];
    const remarks: string[] = [];
    // It makes the tables.
    await askAll(contender, { name: "", asks: 1, script: { tokens: 50 } });
    for (const shape of SHAPES) {
      const before = await written(measured);
      const answers = await askAll(contender, shape);
      const after = await written(measured);
      const values = after.map((value, i) => (value - (before[i] ?? 0)) / answers.length);
      const sum = values.reduce((total, value) => total + value, 0);
      all.push({ name: shape.name, values: [...values, sum] });
      if (shape === SERIES) goals.push(goalOf(sum));
      remarks.push(...brokenAnswers("belay", answers));
    }
    return {
      load: "rows",
      title: "rows written for an answer, with an Idempotency-Key",
      columns: ["user's rows", "user's alarms", "directory's rows", "directory's alarms", "in all"],
      rows: all,
      goals,
      remarks,
    };
  } finally {
    await measured.stop();
  }
}

function goalOf(value: number): Goal {
  const what = "rows written per answer, alarms and reports counted";
  return { what, value, limit: 8, unit: "rows", isRatio: false };
}

async function askAll(contender: Contender, { asks, script }: Shape): Promise<Answer[]> {
  const answers = await Promise.all(
    USERS.map(async (user) => {
      const own: Answer[] = [];
      for (let n = 0; n < asks; n += 1) own.push(await ask(contender, user, script));
      return own;
    }),
  );
  await delay(QUIET_MS);
  return answers.flat();
}

async function written(measured: Measured): Promise<number[]> {
  const users = await Promise.all(USERS.map((user) => measured.written(readerOf(user))));
  const directory = await measured.directory();
  const sum = (count: (one: Written) => number) =>
    users.reduce((total, one) => total + count(one), 0);
  return [
    ...[sum(({ rows }) => rows), sum(({ alarms }) => alarms)],
    ...[directory.rows, directory.alarms],
  ];
}

function withKeys(contender: Contender): Contender {
  return {
    ...contender,
    request: async (user, question) => {
      const asked = await contender.request(user, question);
      return { ...asked, headers: { ...asked.headers, "idempotency-key": randomUUID() } };
    },
  };
}
