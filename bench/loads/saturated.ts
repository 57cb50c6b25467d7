// Tokens as fast as they are read: the CPU of each.

import {
  asks,
  cpuOf,
  goals,
  type LoadOptions,
  range,
  roundsOf,
  Series,
  tokensOf,
} from "../load.ts";
import { median, type Result } from "../result.ts";

const STREAMS = 10;
const TOKENS = 1_000;

export async function saturated(options: LoadOptions): Promise<Result> {
  const { measured, remarks } = await roundsOf("saturated", options, async (contender) => {
    const startedAt = performance.now();
    const { cpuMs, result: answers } = await cpuOf(contender.server, () =>
      asks(contender, range(0, STREAMS), { tokens: TOKENS }),
    );
    const seconds = (performance.now() - startedAt) / 1_000;
    const tokens = tokensOf(answers);
    return { answers, us: (cpuMs * 1_000) / tokens, rate: tokens / seconds };
  });
  const cpu = Series.of(measured, ({ us }) => us);
  const rate = Series.of(measured, ({ rate }) => rate);
  return {
    load: "saturated",
    title: `${STREAMS} streams of ${TOKENS} tokens, as fast as they are read`,
    columns: ["CPU µs a token", "x do-naive", "tokens/s"],
    rows: options.contenders.map(({ name }) => ({
      name,
      values: [median(cpu.of(name)), cpu.ratio(name), median(rate.of(name))],
    })),
    goals: goals({
      what: "CPU per token, saturated, to do-naive",
      value: cpu.ratio("belay"),
      limit: 0.6,
      unit: "x",
      isRatio: true,
    }),
    remarks,
  };
}
