// What an answer uses of everything that is billed.

import type { AnswerFigures, Figures } from "./figures.ts";
import { type Item, MODEL, OBJECT_GB } from "./prices.ts";

export type Usage = Readonly<Record<Item, number>>;

export type Kind = "quotes" | "model";

/** A reader's page also asks for the quota and the examples. */
const PAGE_REQUESTS = 2;
/** As OpenAI's rule of thumb has it for English. */
const CHARACTERS_A_TOKEN = 4;

export interface AnswerUsage {
  readonly kind: Kind;
  readonly each: Usage;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** @param storedDays How long answers are kept: `RETENTION_DAYS`. */
export function usageOf(figures: Figures, kind: Kind, storedDays: number): AnswerUsage {
  const answer = figures[kind];
  const workerRequests = answer.workerRequests + PAGE_REQUESTS;
  return {
    kind,
    each: {
      workerRequests,
      workerCpuMs: workerRequests * figures.edgeCpuMs,
      objectRequests: calls(answer) + answer.alarmsRung + PAGE_REQUESTS,
      gbSeconds: awakeSeconds(figures, answer) * OBJECT_GB,
      rowsRead: answer.rowsRead,
      rowsWritten: rowsWritten(answer),
      // Of an answer a month: the share of it that is stored at any time.
      storedGb: (answer.storedBytes / 1e9) * Math.min(1, storedDays / 30),
    },
    inputTokens: kind === "model" ? answer.promptCharacters / CHARACTERS_A_TOKEN : 0,
    outputTokens: kind === "model" ? answer.tokens : 0,
  };
}

/** Of all objects. */
function calls({ userRequests, corpusCalls, directoryCalls = 0 }: AnswerFigures): number {
  return userRequests + corpusCalls + directoryCalls;
}

/** The user's object, and the corpus object while it searches. */
function awakeSeconds(figures: Figures, answer: AnswerFigures): number {
  return answer.seconds + answer.afterSeconds + figures.searchCpuMs["5000"] / 1_000;
}

export function rowsWritten({ rowsWritten: rows, alarmsSet }: AnswerFigures): number {
  return rows + alarmsSet;
}

export function neurons({ inputTokens, outputTokens }: AnswerUsage): number {
  return (inputTokens * MODEL.inputNeurons + outputTokens * MODEL.outputNeurons) / MODEL.per;
}

export function modelDollars({ inputTokens, outputTokens }: AnswerUsage): number {
  return (inputTokens * MODEL.inputDollars + outputTokens * MODEL.outputDollars) / MODEL.per;
}
