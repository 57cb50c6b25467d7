// What to search for: the question, with what it follows if it leaves
// that out. A rule, without a model. Pure.

import type { Turn } from "../protocol.ts";
import { queryWords, tellingCount } from "../text/analyzer.ts";
import { isElliptic } from "./ellipsis.ts";

export interface SearchQuery {
  /** What to search for. */
  readonly text: string;
  /** What to quote: an answer to this, in the passages that are found. */
  readonly asked: string;
}

/** A follow-up may follow a follow-up. */
const TURNS_MAX = 3;
/** In UTF-16 units. Of a longer question, the first telling words count. */
const CONTEXT_LENGTH_MAX = 300;
const CONTEXT_WORDS_MAX = 20;

export function searchQuery(query: string, history: readonly Turn[]): SearchQuery {
  const context: string[] = [];
  let question = query;
  for (const { role, content } of history.toReversed()) {
    if (context.length === TURNS_MAX || !isElliptic(question)) break;
    if (role !== "user") continue;
    // "Thanks!" is no question, and adds nothing.
    if (tellingCount(content) === 0 && !isElliptic(content)) continue;
    question = content;
    if (content !== query) context.push(shortened(content));
  }
  const text = [query, ...context].join("\n");
  // Every passage that is found has words of the context. The sentence
  // that answers has the words that the question adds.
  return { text, asked: tellingCount(query) === 0 ? text : query };
}

function shortened(question: string): string {
  if (question.length <= CONTEXT_LENGTH_MAX) return question;
  const words = queryWords(question).slice(0, CONTEXT_WORDS_MAX);
  return words.map(({ text }) => text).join(" ");
}
