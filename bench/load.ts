// What every load has: the contenders, the rounds, and the bar.

import { setTimeout as delay } from "node:timers/promises";
import pMap from "p-map";
import { printable } from "../scripts/printable.ts";
import { Progress } from "../scripts/progress.ts";
import { type Answer, ask } from "./answer.ts";
import { type Contender, type ContenderName, YARDSTICK } from "./contender.ts";
import type { Field } from "./field.ts";
import { type Goal, interleaved, medianRatio } from "./result.ts";
import type { Script } from "./script.ts";
import type { Server } from "./server.ts";

/** What is done after the last byte of an answer counts too. */
const SETTLE_MS = 100;

export interface Bench {
  readonly field: Field;
  readonly model: Server;
  readonly contenders: readonly Contender[];
  readonly rounds: number;
}

export type LoadOptions = Pick<Bench, "contenders" | "rounds">;

/** Milliseconds of CPU that the server uses meanwhile. */
export async function cpuOf<T>(
  server: Server,
  work: () => Promise<T>,
): Promise<{ readonly cpuMs: number; readonly result: T }> {
  const before = server.cpuMs;
  const result = await work();
  await delay(SETTLE_MS);
  return { cpuMs: server.cpuMs - before, result };
}

/** Asks once as each user. */
export function asks(
  contender: Contender,
  users: readonly number[],
  script: Script,
  atOnce = users.length,
): Promise<Answer[]> {
  return pMap(users, (user) => ask(contender, user, script), { concurrency: atOnce });
}

export function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

/** Rounds under a bar, and a remark for each contender that broke answers. */
export async function roundsOf<T extends { readonly answers: readonly Answer[] }>(
  label: string,
  { contenders, rounds }: LoadOptions,
  measure: (contender: Contender, round: number) => Promise<T>,
): Promise<{ readonly measured: Map<ContenderName, T[]>; readonly remarks: string[] }> {
  const progress = new Progress(label, contenders.length * rounds);
  const measured = await interleaved(contenders, rounds, async (contender, round) => {
    const result = await measure(contender, round);
    progress.advance();
    return result;
  });
  progress.clear();
  const remarks = Array.from(measured, ([name, results]) =>
    brokenAnswers(
      name,
      results.flatMap((result) => result.answers),
    ),
  );
  return { measured, remarks: remarks.flat() };
}

/** One line, if some are not whole: then the figures count for less. */
export function brokenAnswers(name: ContenderName, answers: readonly Answer[]): string[] {
  const broken = answers.filter(({ isWhole }) => !isWhole);
  if (broken.length === 0) return [];
  const last = printable(broken[0]?.last ?? "");
  return [
    `${name}: ${broken.length} of ${answers.length} answers are not whole. One ends: ${last}`,
  ];
}

export function tokensOf(answers: readonly Answer[]): number {
  return answers.reduce((sum, { tokens }) => sum + tokens, 0);
}

/** One number of each round, by contender. */
export class Series {
  readonly #values: ReadonlyMap<ContenderName, readonly number[]>;

  constructor(values: ReadonlyMap<ContenderName, readonly number[]>) {
    this.#values = values;
  }

  static of<T>(measured: ReadonlyMap<ContenderName, readonly T[]>, value: (one: T) => number) {
    return new Series(new Map(Array.from(measured, ([name, all]) => [name, all.map(value)])));
  }

  of(name: ContenderName): readonly number[] {
    return this.#values.get(name) ?? [];
  }

  /** To do-naive. Undefined if one of the two was not measured. */
  ratio(name: ContenderName): number | undefined {
    return medianRatio(this.#values.get(name), this.#values.get(YARDSTICK));
  }
}

/** No goal without something to measure it by. */
export function goals(
  ...all: readonly (Omit<Goal, "value"> & { readonly value: number | undefined })[]
): Goal[] {
  return all.flatMap(({ value, ...goal }) =>
    value === undefined || Number.isNaN(value) ? [] : [{ ...goal, value }],
  );
}
