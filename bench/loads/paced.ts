// Many streams at the pace of a model: the CPU of each token, the memory
// of each stream, and the first token of users who ask together.

import { setTimeout as delay } from "node:timers/promises";
import pMap from "p-map";
import { ask } from "../answer.ts";
import type { Contender } from "../contender.ts";
import { cpuOf, goals, type LoadOptions, range, roundsOf, Series, tokensOf } from "../load.ts";
import { median, quantile, type Result } from "../result.ts";
import type { Server } from "../server.ts";

const STREAMS = 500;
const TOKENS = 100;
const GAP_MS = 100;
/** All ask within two seconds. */
const STAGGER_MS = 4;
const SAMPLE_MS = 250;
/** A round takes 13 seconds of each contender. */
const ROUNDS_MAX = 2;

export async function paced(options: LoadOptions): Promise<Result> {
  const rounds = Math.min(Math.ceil(options.rounds / 2), ROUNDS_MAX);
  const { measured, remarks } = await roundsOf("paced", { ...options, rounds }, measure);
  const cpu = Series.of(measured, ({ us }) => us);
  const p50 = Series.of(measured, ({ p50 }) => p50);
  const p99 = Series.of(measured, ({ p99 }) => p99);
  // Later rounds find users who have asked before, and memory that the first
  // has left: these three are of the first round.
  const memory = Series.of(measured, ({ mb }) => mb);
  return {
    load: "paced",
    title: `${STREAMS} streams of ${TOKENS} tokens, ${1_000 / GAP_MS} a second each, begun within 2 s`,
    columns: ["CPU µs a token", "x do-naive", "MB a stream", "first token p50 ms", "p99 ms"],
    rows: options.contenders.map(({ name }) => ({
      name,
      values: [
        median(cpu.of(name)),
        cpu.ratio(name),
        memory.of(name)[0],
        p50.of(name)[0],
        p99.of(name)[0],
      ],
    })),
    goals: goals(
      {
        what: "CPU per token, paced, to do-naive",
        value: cpu.ratio("belay"),
        limit: 0.75,
        unit: "x",
        isRatio: true,
      },
      {
        what: "memory per open stream, one user each",
        value: memory.of("belay")[0],
        limit: 0.6,
        unit: "MB",
        isRatio: false,
      },
      {
        what: "first token when 500 users ask within 2 s, p50",
        value: p50.of("belay")[0],
        limit: 1_000,
        unit: "ms",
        isRatio: false,
      },
    ),
    remarks,
  };
}

async function measure(contender: Contender) {
  const { server } = contender;
  const before = server.memoryMb;
  const peak = new Peak(server);
  const { cpuMs, result: answers } = await cpuOf(server, () =>
    pMap(range(0, STREAMS), async (user) => {
      await delay(user * STAGGER_MS);
      return ask(contender, user, { tokens: TOKENS, gapMs: GAP_MS });
    }),
  );
  const first = answers.map(({ firstMs }) => firstMs).filter((ms) => !Number.isNaN(ms));
  return {
    answers,
    us: (cpuMs * 1_000) / tokensOf(answers),
    mb: (peak.end() - before) / STREAMS,
    p50: quantile(first, 0.5),
    p99: quantile(first, 0.99),
  };
}

/** The most memory that a server has in use meanwhile. */
class Peak {
  readonly #server: Server;
  readonly #timer: NodeJS.Timeout;
  #mb = 0;

  constructor(server: Server) {
    this.#server = server;
    this.#timer = setInterval(() => this.#look(), SAMPLE_MS);
  }

  end(): number {
    clearInterval(this.#timer);
    this.#look();
    return this.#mb;
  }

  #look(): void {
    this.#mb = Math.max(this.#mb, this.#server.memoryMb);
  }
}
