// A few questions that the documents themselves suggest: headings that are questions and, where a
// document has none, what its headings are about. Pure.

import type { PassageHeading } from "./passage-index.ts";

const QUESTIONS_MAX = 4;
/** Longer headings are no good examples. */
const LENGTH_MAX = 80;
const QUESTION = /[?？؟]$/;

/** From as many documents as there are, the most telling heading of each first. */
export function exampleQuestions(headings: readonly PassageHeading[]): string[] {
  const byDocument = new Map<string, string[]>();
  for (const { title, heading } of headings) {
    const own = byDocument.get(title) ?? [];
    byDocument.set(title, own);
    const last = heading.at(-1);
    if (last !== undefined && !own.includes(last) && last.length <= LENGTH_MAX) own.push(last);
  }
  const topics = [...byDocument].map(([title, own]) => {
    const questions = own.filter((heading) => QUESTION.test(heading));
    if (questions.length > 0) return { questions, subjects: [] };
    const subjects = own.map((heading) => `${title}: ${heading}`);
    return { questions, subjects: own.length === 0 ? [title] : subjects };
  });
  const inTurn = [
    ...roundRobin(topics.map(({ questions }) => questions)),
    ...roundRobin(topics.map(({ subjects }) => subjects)),
  ];
  return inTurn.slice(0, QUESTIONS_MAX);
}

/** The first of each list, then the second of each, and so on. */
function roundRobin(lists: readonly (readonly string[])[]): string[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list[i] ?? [])).flat();
}
