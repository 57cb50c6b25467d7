// A budget beside none: what an ask costs more while its user has a loan.

import { belayContender } from "../field.ts";
import { asks, type Bench, brokenAnswers, cpuOf, range } from "../load.ts";
import { median, medianRatio, type Result } from "../result.ts";

const ASKS = 400;
/** Each asks again and again, so that most asks find a loan. */
const USERS = 20;
/** No other load has these users. */
const FIRST_USER = 5_000;
const RATIO_MAX = 1.05;

const BUDGETS = {
  "no budget": {},
  "a budget": {
    BUDGET_LIMIT: "999999999",
    BUDGET_USD: "1000000",
    PRICE_INPUT_USD: "0.1",
    PRICE_OUTPUT_USD: "0.5",
  },
};

export async function budget({ field, model, rounds }: Bench): Promise<Result> {
  const all = [];
  for (const [title, variables] of Object.entries(BUDGETS)) {
    const belay = await field.startBelay({ modelUrl: model.url, variables });
    all.push({ title, contender: belayContender(belay) });
  }
  const users = Array.from(range(0, ASKS), (ask) => FIRST_USER + (ask % USERS));
  const remarks: string[] = [];
  const times = new Map<string, number[]>();
  // Round 0 is by new users, who borrow.
  for (let round = 0; round <= rounds; round += 1) {
    for (const { title, contender } of all) {
      const { cpuMs, result } = await cpuOf(contender.server, () =>
        asks(contender, users, { tokens: 1 }, USERS),
      );
      remarks.push(...brokenAnswers(contender.name, result));
      if (round > 0) times.set(title, [...(times.get(title) ?? []), cpuMs / ASKS]);
    }
  }
  const ratio = (title: string) => medianRatio(times.get(title), times.get("no budget"));
  return {
    load: "budget",
    title: `${ASKS} asks of one token by ${USERS} users, with a budget and without`,
    columns: ["CPU ms an ask", "x no budget"],
    rows: all.map(({ title }) => ({
      name: title,
      values: [median(times.get(title) ?? []), ratio(title)],
    })),
    goals: [
      {
        what: "CPU of an ask with a budget, to one without",
        value: ratio("a budget") ?? Number.NaN,
        limit: RATIO_MAX,
        unit: "x",
        isRatio: true,
      },
    ],
    remarks,
  };
}
