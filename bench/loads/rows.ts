// What Cloudflare bills for an answer: the rows that it writes, and one
// for each alarm that is set.

import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { ask } from "../answer.ts";
import type { Contender } from "../contender.ts";
import { readerOf } from "../field.ts";
import { type Bench, brokenAnswers, range } from "../load.ts";
import { Measured } from "../measured.ts";
import type { Result } from "../result.ts";
import type { Written } from "../written.ts";

const USERS = range(0, 10);
const SCRIPT = { tokens: 50 };
const SWEEP_INTERVAL_MS = 2_000;
/** By then the alarm of an ask has rung, and so has the one that it set. */
const QUIET_MS = 3 * SWEEP_INTERVAL_MS;

export async function rows({ field, model }: Bench): Promise<Result> {
  const variables = { SWEEP_INTERVAL_MS: String(SWEEP_INTERVAL_MS) };
  const measured = await Measured.start(field, model.url, variables);
  try {
    const contender = withKeys(measured.contender);
    const writtenByAll = async () =>
      sum(await Promise.all(USERS.map((user) => measured.written(readerOf(user)))));
    const askAll = async () => {
      const answers = await Promise.all(USERS.map((user) => ask(contender, user, SCRIPT)));
      await delay(QUIET_MS);
      return answers;
    };
    // It makes the tables.
    await askAll();
    const before = await writtenByAll();
    const answers = await askAll();
    const after = await writtenByAll();
    const perAnswer = (count: (written: Written) => number) =>
      (count(after) - count(before)) / USERS.length;
    const values = [perAnswer(({ rows }) => rows), perAnswer(({ alarms }) => alarms)] as const;
    return {
      load: "rows",
      title: "one ask with an Idempotency-Key, and no other near it: rows written",
      columns: ["rows an answer", "alarms an answer"],
      rows: [{ name: "belay", values }],
      goals: [
        {
          what: "rows written per answer, alarms counted",
          value: values[0] + values[1],
          limit: 8,
          unit: "rows",
          isRatio: false,
        },
      ],
      remarks: brokenAnswers("belay", answers),
    };
  } finally {
    await measured.stop();
  }
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

function sum(all: readonly Written[]): Written {
  return {
    rows: all.reduce((total, { rows }) => total + rows, 0),
    alarms: all.reduce((total, { alarms }) => total + alarms, 0),
  };
}
