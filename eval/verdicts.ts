// What is right and wrong about an answer, and the shares of right ones. Pure.

import type { JudgedQuestion } from "./collection.ts";
import { holds } from "./holds.ts";
import { mean, percentile } from "./measures.ts";

export interface Answer {
  readonly text: string;
  /** It says only that nothing was found. */
  readonly isRefusal: boolean;
  /** The documents of its passages, best first, with repeats. */
  readonly documentIds: readonly string[];
  /** The document that it cites first. */
  readonly firstCited: string | undefined;
}

export interface Verdict {
  readonly question: JudgedQuestion;
  readonly answer: Answer;
  readonly isAnswerable: boolean;
  /** It holds a right answer. */
  readonly holds: boolean;
  /** A right document is among its sources. */
  readonly goldInSources: boolean;
  /** The first citation is of a right document. */
  readonly firstIsGold: boolean;
  /** It holds a right answer, or says rightly that nothing was found. */
  readonly isRight: boolean;
}

export function verdict(question: JudgedQuestion, answer: Answer): Verdict {
  const { relevant, gold } = question;
  const isAnswerable = relevant.size > 0;
  const isHeld = isAnswerable && !answer.isRefusal && holds(answer.text, gold);
  return {
    question,
    answer,
    isAnswerable,
    holds: isHeld,
    goldInSources: answer.documentIds.some((id) => relevant.has(id)),
    firstIsGold: !answer.isRefusal && relevant.has(answer.firstCited ?? ""),
    isRight: isAnswerable ? isHeld : answer.isRefusal,
  };
}

/** Shares in [0, 1]; undefined where no question counts. */
export interface Shares {
  readonly questions: number;
  /** Of the answerable questions. */
  readonly holds: number | undefined;
  readonly goldInSources: number | undefined;
  readonly firstIsGold: number | undefined;
  readonly refusedWrongly: number | undefined;
  /** Of the questions that no document answers. */
  readonly refusedRightly: number | undefined;
  /** The median length of the others, in characters. */
  readonly length: number | undefined;
  /** The share of right answers and right refusals. */
  readonly score: number | undefined;
}

/** @param hasAnswers Whether it is known which answers are right. */
export function shares(verdicts: readonly Verdict[], hasAnswers: boolean): Shares {
  const [answerable, others] = [true, false].map((is) =>
    verdicts.filter(({ isAnswerable }) => isAnswerable === is),
  ) as [Verdict[], Verdict[]];
  const lengths = verdicts
    .filter(({ answer }) => !answer.isRefusal)
    .map(({ answer }) => [...answer.text].length);
  return {
    questions: verdicts.length,
    holds: hasAnswers ? share(answerable, (one) => one.holds) : undefined,
    goldInSources: share(answerable, (one) => one.goldInSources),
    firstIsGold: share(answerable, (one) => one.firstIsGold),
    refusedWrongly: share(answerable, (one) => one.answer.isRefusal),
    refusedRightly: share(others, (one) => one.answer.isRefusal),
    length: lengths.length === 0 ? undefined : percentile(lengths, 0.5),
    score: hasAnswers ? share(verdicts, (one) => one.isRight) : undefined,
  };
}

/** Undefined if there is nothing to count. */
export function share<T>(items: readonly T[], is: (item: T) => boolean): number | undefined {
  return items.length === 0 ? undefined : mean(items.map((item) => Number(is(item))));
}
