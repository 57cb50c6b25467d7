// Measures what an answer uses, on a workerd of its own.

import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pMap from "p-map";
import { Caller } from "../../conformance/caller.ts";
import { begun, toEnd } from "../../conformance/stream.ts";
import { readOwnCollection } from "../../eval/own.ts";
import { Failure, PROJECT } from "../../scripts/command.ts";
import { Documents } from "../../scripts/documents.ts";
import { Belay } from "../belay.ts";
import { queriesFrom } from "../queries.ts";
import { Model } from "../soak/model.ts";
import { question } from "../soak/script.ts";
import type { AnswerFigures } from "./figures.ts";
import type { Meter } from "./meter.ts";
import type { Kind } from "./usage.ts";

const ENTRY = join(PROJECT, "bench/cost/worker.ts");

/** A hosted model's answer: 300 tokens in six seconds. */
const ANSWER = { tokens: 300, gapMs: 20 };
/** Users whose answers are counted, one each, all at once. */
const USERS = 20;
/** Long enough that no alarm rings during an answer. */
const SWEEP_MS = 10_000;
const QUIET_MS = SWEEP_MS + 3_000;
/** The charge follows the end of the stream. */
const SETTLE_MS = 100;
/** Answers whose CPU is measured; and for the wall clock, a few at a time. */
const AT_ONCE = {
  quotes: { count: 200, atOnce: 10 },
  model: { count: 60, atOnce: 20 },
  wall: 5,
} as const;
const EDGE_REQUESTS = 1_000;

/** As a deployment has them; local servers have other values. */
const VARIABLES = {
  EXTRACTIVE_TOKENS_PER_SECOND: "0",
  PING_INTERVAL_MS: "10000",
  DELIVERY_HOLD_MS: "250",
  SWEEP_INTERVAL_MS: String(SWEEP_MS),
};

export interface Measurement {
  readonly answer: AnswerFigures;
  readonly firstRowsWritten: number;
  readonly edgeCpuMs: number;
  readonly passageBytes: number;
}

export async function measure(kind: Kind): Promise<Measurement> {
  const model = new Model();
  const belay = await Belay.start({
    modelUrl: await model.start(),
    entry: ENTRY,
    variables: {
      ...VARIABLES,
      GENERATOR: kind === "quotes" ? "extractive" : "openai",
    },
  });
  try {
    return await new Measuring(kind, belay, model, await questions(kind)).run();
  } finally {
    await belay.stop();
    model.stop();
  }
}

/** Endless. No question comes twice, so no cache can help. */
async function questions(kind: Kind): Promise<Iterator<string, unknown>> {
  if (kind === "quotes") return queriesFrom((await readOwnCollection()).documents.values());
  return (function* () {
    for (let n = 0; ; n += 1) yield question(ANSWER, `${n}`);
  })();
}

class Measuring {
  readonly #kind: Kind;
  readonly #belay: Belay;
  readonly #model: Model;
  readonly #questions: Iterator<string, unknown>;

  constructor(kind: Kind, belay: Belay, model: Model, asked: Iterator<string, unknown>) {
    this.#kind = kind;
    this.#belay = belay;
    this.#model = model;
    this.#questions = asked;
  }

  async run(): Promise<Measurement> {
    const users = Array.from({ length: USERS }, (_, n) => `user-${n}`);
    await this.#meter();
    await this.#askAll(users, USERS);
    await delay(QUIET_MS);
    const first = await this.#meter();

    const { characters, seconds } = this.#model;
    const answers = await this.#askAll(users, AT_ONCE.wall);
    const modelSeconds = (this.#model.seconds - seconds) / USERS;
    await delay(SETTLE_MS);
    const afterSeconds = (await this.#get<number>("/awake")) / 1_000;
    const promptCharacters = (this.#model.characters - characters) / USERS;
    await delay(QUIET_MS);
    const meter = await this.#meter();

    const { count, atOnce } = AT_ONCE[this.#kind];
    const busy = Array.from({ length: count }, (_, n) => `user-${n % USERS}`);
    await this.#askAll(busy, atOnce);
    const stored = await this.#storedBytes(users);
    const before = this.#belay.server.cpuMs;
    await this.#askAll(busy, atOnce);
    const cpuMs = (this.#belay.server.cpuMs - before) / count;
    const storedBytes = ((await this.#storedBytes(users)) - stored) / count;

    const written = meter.rowsWritten + meter.alarmsSet;
    const each = (value: number) => value / USERS;
    // What a busy machine adds to the model's time is not the answer's.
    const ownSeconds = mean(answers.map((answer) => answer.seconds)) - modelSeconds;
    const planned = this.#kind === "model" ? (ANSWER.tokens * ANSWER.gapMs) / 1_000 : 0;
    return {
      answer: {
        tokens: mean(answers.map(({ tokens }) => tokens)),
        promptCharacters,
        workerRequests: each(meter.workerRequests),
        userRequests: each(meter.userRequests),
        corpusCalls: each(meter.corpusCalls),
        directoryCalls: each(meter.directoryCalls),
        alarmsRung: each(meter.alarmsRung),
        rowsRead: each(meter.rowsRead),
        rowsWritten: each(meter.rowsWritten),
        alarmsSet: each(meter.alarmsSet),
        seconds: planned + ownSeconds,
        modelSeconds: planned,
        afterSeconds,
        cpuMs,
        storedBytes,
      },
      firstRowsWritten: each(first.rowsWritten + first.alarmsSet - written),
      edgeCpuMs: await this.#edgeCpuMs(),
      passageBytes: await this.#passageBytes(),
    };
  }

  #askAll(users: readonly string[], concurrency: number) {
    return pMap(users, (user) => this.#ask(user), { concurrency });
  }

  async #ask(user: string) {
    const caller = await this.#caller(user);
    const from = performance.now();
    const exchange = caller.ask(String(this.#questions.next().value));
    await begun(exchange);
    const { events, last } = await toEnd(exchange);
    if (last.type !== "done") throw new Failure(`An answer failed: ${last.message}`);
    return {
      tokens: events.filter(({ type }) => type === "token").length,
      seconds: (performance.now() - from) / 1_000,
    };
  }

  async #storedBytes(users: readonly string[]): Promise<number> {
    const operator = await this.#caller("operator", true);
    const sizes = await pMap(users, async (user) => {
      const body = await operator.json("GET", `/admin/users/${user}`);
      return (body as { storageBytes: number }).storageBytes;
    });
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Requests whose user object answers at once, with nothing. */
  async #edgeCpuMs(): Promise<number> {
    const headers = {
      authorization: `Bearer ${await this.#belay.token("edge")}`,
      "x-cost-edge-only": "1",
    };
    const url = `${this.#belay.server.url}/api/v1/ai/quota`;
    const all = () =>
      pMap(
        Array.from({ length: EDGE_REQUESTS }),
        async () => (await fetch(url, { headers })).arrayBuffer(),
        { concurrency: 8 },
      );
    await all();
    const before = this.#belay.server.cpuMs;
    await all();
    return (this.#belay.server.cpuMs - before) / EDGE_REQUESTS;
  }

  /** Of the project's own documents. */
  async #passageBytes(): Promise<number> {
    const token = await this.#belay.token("operator", true);
    const documents = new Documents(this.#belay.server.url, token);
    let passages = 0;
    for (const { id, title, text } of (await readOwnCollection()).documents.values()) {
      passages += await documents.put(id, { title, text, url: null });
    }
    return (await this.#meter()).corpusBytes / passages;
  }

  async #caller(user: string, operator = false): Promise<Caller> {
    return new Caller(this.#belay.server.url, await this.#belay.token(user, operator));
  }

  #meter(): Promise<Meter> {
    return this.#get("/meter");
  }

  async #get<Body>(path: string): Promise<Body> {
    return (await fetch(this.#belay.server.url + path)).json() as Promise<Body>;
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
