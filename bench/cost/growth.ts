// How full each part is as a deployment grows, and which is full first.

import type { Figures } from "./figures.ts";
import { LIMITS } from "./prices.ts";

/** A deployment in numbers. */
export interface Scale {
  readonly users: number;
  /** Of each user, a day. */
  readonly asks: number;
  readonly passages: number;
  /** Seconds that a stream is open. */
  readonly streamSeconds: number;
}

/** The busiest hour has this many times the average. */
const PEAK = 4;
const DAY = 86_400;
const DAYS_STORED = 30;

export const BASE = (figures: Figures): Scale => ({
  users: 10_000,
  asks: 5,
  passages: 5_000,
  streamSeconds: figures.model.seconds,
});

export interface Load {
  readonly answersASecond: number;
  readonly openStreams: number;
  /** Each is the used share of what one such part carries; 1 is full. */
  readonly parts: Readonly<Record<Part, number>>;
}

export type Part =
  | "CPU of the corpus object"
  | "requests of the corpus object"
  | "storage of the corpus object"
  | "CPU of one user's object"
  | "transactions of one user's object"
  | "storage of one user's object"
  | "memory of one user's object";

/** Transactions of one answer: the reservation, and the charge with the answer. */
const TRANSACTIONS = 2;

export function load(figures: Figures, { users, asks, passages, streamSeconds }: Scale): Load {
  const { model } = figures;
  const perUser = (asks / DAY) * PEAK;
  const answersASecond = perUser * users;
  const corpusRequests = answersASecond * model.corpusCalls;
  return {
    answersASecond,
    openStreams: answersASecond * streamSeconds,
    parts: {
      "CPU of the corpus object": (answersASecond * searchCpuMs(figures, passages)) / 1_000,
      "requests of the corpus object": corpusRequests / LIMITS.objectRequestsASecond,
      "storage of the corpus object": (passages * figures.passageBytes) / (LIMITS.objectGb * 1e9),
      "CPU of one user's object": (perUser * model.cpuMs) / 1_000,
      "transactions of one user's object":
        (perUser * TRANSACTIONS) / LIMITS.objectTransactionsASecond,
      "storage of one user's object":
        (asks * DAYS_STORED * model.storedBytes) / (LIMITS.objectGb * 1e9),
      "memory of one user's object":
        (perUser * streamSeconds * figures.streamMb) / LIMITS.isolateMb,
    },
  };
}

/**
 * On a straight line through the two measured sizes, and further: a search
 * reads at most so many rows, so this is rather too much for large corpora.
 */
export function searchCpuMs({ searchCpuMs: measured }: Figures, passages: number): number {
  const [few, many] = [measured["5000"], measured["50000"]];
  return Math.max(few, few + ((many - few) * (passages - 5_000)) / 45_000);
}

/** The part that is fullest. */
export function fullest({ parts }: Load): { readonly part: Part; readonly share: number } {
  const [part, share] = Object.entries(parts).reduce((one, other) =>
    other[1] > one[1] ? other : one,
  );
  return { part: part as Part, share };
}

/** Copies for reading beside the original that keep each object at most 60 % busy. */
export function copiesNeeded(share: number): number {
  return Math.max(0, Math.ceil(share / 0.6) - 1);
}
