// The clauses of a question, its sentences and lines. Pure.

/** Between two of these lies a clause. */
const CLAUSE_END = /(?<=[.!?。！？؟।…]["')\]]{0,9})\s+|(?<=[。！？])|\n+/u;

const QUESTION_END = /[?？؟;;]["')\]]*\s*$/u;

/** In characters; a longer text has something pasted in it. */
const QUESTION_LENGTH_MAX = 400;

/** A sentence or line of a question. */
export interface Clause {
  readonly text: string;
  /** Whether it ends as a question does. */
  readonly asks: boolean;
}

export function clauses(text: string): Clause[] {
  return text
    .split(CLAUSE_END)
    .filter((clause) => clause.trim() !== "")
    .map((clause) => ({ text: clause, asks: endsAsQuestion(clause) }));
}

export function endsAsQuestion(text: string): boolean {
  return QUESTION_END.test(text);
}

/** Whether it is so long that it must hold more than a question. */
export function isLong(text: string): boolean {
  return text.length > QUESTION_LENGTH_MAX;
}
