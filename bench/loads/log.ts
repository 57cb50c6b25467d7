// The asks of a user with a long query log, beside those of one with a
// short log.

import { Failure } from "../../scripts/command.ts";
import type { Answer } from "../answer.ts";
import { readerOf } from "../field.ts";
import { asks, type Bench, brokenAnswers, cpuOf } from "../load.ts";
import { Measured } from "../measured.ts";
import { median, medianRatio, type Result } from "../result.ts";

const QUERIES = 1_000_000;
const FEW = 10;
const ASKS_A_ROUND = 200;
const AT_ONCE = 10;
/** More rounds than of other loads: a tenth more is the limit. */
const ROUNDS = 3;

export async function log({ field, model, rounds }: Bench): Promise<Result> {
  const measured = await Measured.start(field, model.url);
  const { contender, belay } = measured;
  try {
    const [few, many] = [0, 1];
    const askAs = (user: number, count: number) =>
      asks(contender, Array(count).fill(user), { tokens: 1 }, AT_ONCE);
    await askAs(few, FEW);
    await askAs(many, FEW);
    await measured.seed(readerOf(many), QUERIES - FEW);
    const used = await measured.used(readerOf(many));
    if (used < QUERIES) throw new Failure(`The log has ${used} queries instead of ${QUERIES}.`);
    // The first asks read pages and compile code.
    for (const user of [few, many]) await askAs(user, FEW);
    const answers: Answer[] = [];
    const times: Readonly<Record<number, number[]>> = { [few]: [], [many]: [] };
    for (let round = 0; round < rounds * ROUNDS; round += 1) {
      // Each goes first in turn.
      for (const user of round % 2 === 0 ? [few, many] : [many, few]) {
        const { cpuMs, result } = await cpuOf(belay.server, () => askAs(user, ASKS_A_ROUND));
        answers.push(...result);
        times[user]?.push(cpuMs / ASKS_A_ROUND);
      }
    }
    const [ofFew = [], ofMany = []] = [times[few], times[many]];
    const ratio = medianRatio(ofMany, ofFew) ?? Number.NaN;
    return {
      load: "log",
      title: `asks of one token by a user with ${QUERIES.toLocaleString("en")} queries in the log, and by one with few`,
      columns: ["CPU ms an ask", "x few"],
      rows: [
        { name: "few", values: [median(ofFew), 1] },
        { name: "many", values: [median(ofMany), ratio] },
      ],
      goals: [
        {
          what: `ask with ${QUERIES.toLocaleString("en")} queries in the log, to few`,
          value: ratio,
          limit: 1.1,
          unit: "x",
          isRatio: true,
        },
      ],
      remarks: brokenAnswers("belay", answers),
    };
  } finally {
    await measured.stop();
  }
}
