// Questions to ask next: the headings of an answer's sources that are questions. The
// documents answer them. What the answer cites, it has answered.

import type { Source } from "../client/client.ts";

const QUESTION = /[?？؟]\s*$/;
const RELATED_MAX = 3;
/** In UTF-16 units. */
const LENGTH_MAX = 100;

export function relatedQuestions(sources: readonly Source[], asked: string): readonly string[] {
  const seen = new Set([plain(asked)]);
  const related: string[] = [];
  for (const { heading, cited } of sources) {
    const question = (!cited && heading.at(-1)) || "";
    if (!QUESTION.test(question) || question.length > LENGTH_MAX || seen.has(plain(question))) {
      continue;
    }
    seen.add(plain(question));
    related.push(question.trim());
  }
  return related.slice(0, RELATED_MAX);
}

function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}
