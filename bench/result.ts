// What a load measured, and what it should be.

import type { Contender, ContenderName } from "./contender.ts";

export interface Result {
  readonly load: string;
  /** What was done, as a headline. */
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  readonly goals: readonly Goal[];
  /** What went wrong without an end of the measurement. */
  readonly remarks: readonly string[];
}

export interface Row {
  readonly name: string;
  /** Undefined where there is nothing to measure. */
  readonly values: readonly (number | undefined)[];
}

/** At most `limit` is reached. */
export interface Goal {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  readonly unit: string;
  /** The speed of the machine cancels out. */
  readonly isRatio: boolean;
}

/** Undefined without this contender. */
export type Medians = (name: ContenderName) => number | undefined;

export function isReached({ value, limit }: Goal, margin = 1): boolean {
  return value <= limit * margin;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The smallest value that the share of all values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const index = Math.ceil(share * sorted.length) - 1;
  return sorted[Math.max(0, index)] ?? Number.NaN;
}

/** The median over the rounds of the ratio in each. Undefined without both. */
export function medianRatio(
  values: readonly number[] | undefined,
  others: readonly number[] | undefined,
): number | undefined {
  if (values === undefined || others === undefined) return undefined;
  return median(values.map((value, round) => value / (others[round] ?? Number.NaN)));
}

/** For each contender in turn, round by round. */
export async function interleaved<T>(
  contenders: readonly Contender[],
  rounds: number,
  measure: (contender: Contender, round: number) => Promise<T>,
): Promise<Map<ContenderName, T[]>> {
  const measured = new Map<ContenderName, T[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of contenders) {
      measured.get(contender.name)?.push(await measure(contender, round));
    }
  }
  return measured;
}
