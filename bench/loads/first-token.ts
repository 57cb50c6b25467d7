// One ask at a time: how long the first token takes.

import { ask } from "../answer.ts";
import { goals, type LoadOptions, roundsOf, Series } from "../load.ts";
import { quantile, type Result } from "../result.ts";

const ASKS_A_ROUND = 20;
const SCRIPT = { tokens: 3, gapMs: 5 };

export async function firstToken(options: LoadOptions): Promise<Result> {
  const rounds = options.rounds * ASKS_A_ROUND;
  const { measured, remarks } = await roundsOf(
    "first-token",
    { ...options, rounds },
    async (contender, round) => {
      const answer = await ask(contender, round, SCRIPT);
      return { answers: [answer], ms: answer.firstMs };
    },
  );
  const times = Series.of(measured, ({ ms }) => ms);
  const p50 = (name: (typeof options.contenders)[number]["name"]) => quantile(times.of(name), 0.5);
  const floor = p50("do-pass");
  return {
    load: "first-token",
    title: "one ask at a time: the first token",
    columns: ["p50 ms", "p99 ms", "over do-pass ms"],
    rows: options.contenders.map(({ name }) => ({
      name,
      values: [p50(name), quantile(times.of(name), 0.99), p50(name) - floor],
    })),
    goals: goals({
      what: "first token, idle, over do-pass, p50",
      value: p50("belay") - floor,
      limit: 4,
      unit: "ms",
      isRatio: false,
    }),
    remarks,
  };
}
