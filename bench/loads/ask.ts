// Asks of one token: what an ask costs besides its answer.

import { asks, cpuOf, goals, type LoadOptions, range, roundsOf, Series } from "../load.ts";
import { median, type Result } from "../result.ts";

const ASKS = 300;
const AT_ONCE = 20;
/** No other load has these users. */
const USERS = range(1_000, ASKS);

export async function askOfOneToken(options: LoadOptions): Promise<Result> {
  // Round 0 is by new users.
  const rounds = options.rounds + 1;
  const { measured, remarks } = await roundsOf(
    "ask",
    { ...options, rounds },
    async (contender, round) => {
      // While the others had their turn, objects may have ended: that is another load.
      if (round > 0) await asks(contender, USERS, { tokens: 1 }, AT_ONCE);
      const startedAt = performance.now();
      const { cpuMs, result: answers } = await cpuOf(contender.server, () =>
        asks(contender, USERS, { tokens: 1 }, AT_ONCE),
      );
      const seconds = (performance.now() - startedAt) / 1_000;
      return { answers, ms: cpuMs / ASKS, rate: ASKS / seconds };
    },
  );
  const firstAsks = Series.of(measured, ({ ms }) => ms);
  const known = new Map(Array.from(measured, ([name, all]) => [name, all.slice(1)]));
  const cpu = Series.of(known, ({ ms }) => ms);
  const rate = Series.of(known, ({ rate }) => rate);
  return {
    load: "ask",
    title: `${ASKS} asks of one token, ${AT_ONCE} at once`,
    columns: ["CPU ms an ask", "x do-naive", "by new users", "asks/s"],
    rows: options.contenders.map(({ name }) => ({
      name,
      values: [median(cpu.of(name)), cpu.ratio(name), firstAsks.of(name)[0], median(rate.of(name))],
    })),
    goals: goals({
      what: "CPU of an ask of one token, to do-naive",
      value: cpu.ratio("belay"),
      limit: 3,
      unit: "x",
      isRatio: true,
    }),
    remarks,
  };
}
