// Example questions, taken from the documents: headings that are
// questions, and for a document without any, its other headings. Pure.

interface Place {
  readonly title: string;
  readonly heading: readonly string[];
}

const QUESTIONS_MAX = 4;
/** Longer headings make poor examples. */
const LENGTH_MAX = 80;
const QUESTION = /[?？؟]$/;

/** Takes turns among the documents; questions come before other headings. */
export function exampleQuestions(places: readonly Place[]): string[] {
  const byDocument = new Map<string, Set<string>>();
  for (const { title, heading } of places) {
    const own = byDocument.get(title) ?? new Set();
    byDocument.set(title, own);
    const last = heading.at(-1);
    if (last !== undefined && last.length <= LENGTH_MAX) own.add(last);
  }
  const topics = Array.from(byDocument, ([title, headings]) => {
    const own = [...headings];
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

/** All first items, then all second items, and so on. */
function roundRobin(lists: readonly (readonly string[])[]): string[] {
  const turns = Array.from({ length: QUESTIONS_MAX }, (_, i) => i);
  return turns.flatMap((i) => lists.flatMap((list) => list[i] ?? []));
}
