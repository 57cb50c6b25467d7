// Users who disconnect in mid-answer: how soon the model is stopped.

import { setTimeout as delay } from "node:timers/promises";
import { Progress } from "../../scripts/progress.ts";
import { ask } from "../answer.ts";
import type { ContenderName } from "../contender.ts";
import { type Bench, goals } from "../load.ts";
import { interleaved, quantile, type Result } from "../result.ts";
import type { Server } from "../server.ts";

const ASKS_A_ROUND = 20;
const TOKENS = 400;
const GAP_MS = 20;
const LEAVE_AFTER = 5;
const TIMEOUT_MS = 2_000;

let asked = 0;

export async function disconnect({ contenders, rounds, model }: Bench): Promise<Result> {
  const asks = rounds * ASKS_A_ROUND;
  const progress = new Progress("disconnect", asks * contenders.length);
  const measured = await interleaved(contenders, asks, async (contender, round) => {
    asked += 1;
    const id = `leaver-${asked}`;
    const script = { tokens: TOKENS, gapMs: GAP_MS, id };
    const { leftAt } = await ask(contender, round % ASKS_A_ROUND, script, {
      afterTokens: LEAVE_AFTER,
    });
    const stoppedAt = await Promise.race([stopOf(model, id), delay(TIMEOUT_MS, undefined)]);
    progress.advance();
    if (leftAt === undefined || stoppedAt === undefined) return Number.POSITIVE_INFINITY;
    return stoppedAt - leftAt;
  });
  progress.clear();
  const times = (name: ContenderName) => measured.get(name) ?? [];
  return {
    load: "disconnect",
    title: `disconnected after ${LEAVE_AFTER} tokens, a token every ${GAP_MS} ms: the model is stopped`,
    columns: ["p50 ms", "p99 ms", "never"],
    rows: contenders.map(({ name }) => ({
      name,
      values: [
        quantile(times(name), 0.5),
        quantile(times(name), 0.99),
        times(name).filter((ms) => ms === Number.POSITIVE_INFINITY).length,
      ],
    })),
    goals: goals({
      what: "disconnected until the model is stopped, p99",
      value: contenders.some(({ name }) => name === "belay")
        ? quantile(times("belay"), 0.99)
        : undefined,
      limit: 60,
      unit: "ms",
      isRatio: false,
    }),
    remarks: [],
  };
}

async function stopOf(model: Server, id: string): Promise<number> {
  const response = await fetch(`${model.url}/stopped/${id}`);
  return Number(await response.text());
}
