// What the users of a soak do, and when: the same for the same seed.

import { Random } from "../../test/support/random.ts";
import { FAULTS, type Script } from "./script.ts";

/** What a user does with one question, and its share of all. */
const SHARES = {
  /** Reads the stream to its end. */
  reads: 30,
  /** Asks for JSON. */
  "asks for JSON": 12,
  /** Disconnects, which stops the answer. */
  leaves: 16,
  /** Disconnects, and wants the answer kept. */
  "leaves it running": 6,
  /** Disconnects, and reads on from where the stream broke off. */
  resumes: 10,
  /** Disconnects from an answer that waits, and does not come back. */
  "stays away": 3,
  cancels: 7,
  /** Asks a model that fails. */
  "meets a failure": 8,
  /** Sends the same Idempotency-Key twice, one after the other. */
  repeats: 4,
  /** Sends the same Idempotency-Key twice at once. */
  "asks twice at once": 2,
  /** Sends a body that is refused. */
  "is refused": 2,
} as const;

export type Action = keyof typeof SHARES;

export interface Step {
  /** Milliseconds after the start. */
  readonly atMs: number;
  readonly user: number;
  readonly action: Action;
  readonly script: Script;
  /** Tokens to read before the user disconnects or cancels. */
  readonly after: number;
  /** How long a user who resumes stays away. */
  readonly awayMs: number;
  readonly tag: string;
}

export interface Plan {
  readonly seed: number;
  readonly users: number;
  readonly seconds: number;
  /** Questions a second, on average. */
  readonly rate: number;
}

/** Long enough that no answer ends before its user disconnects. */
const ENDLESS = 2_000;
const AFTER_MAX = 6;

/** In the order of time. Users come at random: an open loop. */
export function* steps({ seed, users, seconds, rate }: Plan): Generator<Step> {
  const random = new Random(seed);
  for (let n = 0, atMs = 0; ; n += 1) {
    atMs += (-Math.log(1 - random.next()) * 1_000) / rate;
    if (atMs >= seconds * 1_000) return;
    const action = drawn(random);
    yield {
      atMs,
      user: random.whole(0, users - 1),
      action,
      script: scriptOf(action, random),
      after: random.whole(0, AFTER_MAX),
      awayMs: random.whole(20, 800),
      tag: `${seed}.${n}`,
    };
  }
}

function drawn(random: Random): Action {
  const all = Object.entries(SHARES) as [Action, number][];
  let left = random.next() * all.reduce((sum, [, share]) => sum + share, 0);
  for (const [action, share] of all) {
    left -= share;
    if (left < 0) return action;
  }
  return "reads";
}

function scriptOf(action: Action, random: Random): Script {
  const gapMs = random.whole(0, 40);
  switch (action) {
    case "leaves":
    case "stays away":
    case "cancels":
      return { tokens: ENDLESS, gapMs: gapMs + 5 };
    case "leaves it running":
    case "resumes":
      return { tokens: random.whole(AFTER_MAX + 10, 60), gapMs };
    case "meets a failure":
      return { tokens: 20, gapMs, fault: random.pick(FAULTS), at: random.whole(0, 12) };
    default:
      return { tokens: random.whole(1, 80), gapMs };
  }
}
