// Queries as questions: equal ones are one question, with the words that tell
// what it asks. What asks nothing of the documents is left out.

import { isSmallTalk } from "../answer/small-talk.ts";
import { type TellingWord, tellingWords, typedWords } from "../text/question-groups.ts";

/** What the report needs of a query. */
export type AskedRow = {
  key: number;
  user: number;
  found: number | null;
  rating: string | null;
  documents: string;
  closest: string;
  question: string | null;
};

export interface Question {
  readonly text: string;
  readonly typed: readonly string[];
  readonly words: readonly TellingWord[];
  /** The newest first. */
  readonly rows: readonly AskedRow[];
  readonly times: number;
}

/** Of the words of the shorter question. */
const SAME_PART = 0.6;
/** Others get their turn after each. */
const ANALYSED_AT_ONCE = 100;

export class AskedQuestions {
  /** Undefined for small talk. */
  readonly #known = new Map<string, readonly TellingWord[] | undefined>();

  /** @param rows The newest first. */
  async of(rows: readonly AskedRow[]): Promise<Question[]> {
    const questions: Question[] = [];
    for (const [text, asked] of Map.groupBy(rows, ({ question }) => question?.trim() ?? "")) {
      if (text === "") continue;
      const words = await this.#wordsOf(text);
      if (words === undefined) continue;
      questions.push({ text, typed: typedWords(text), words, rows: asked, times: asked.length });
    }
    return questions;
  }

  async #wordsOf(text: string): Promise<readonly TellingWord[] | undefined> {
    if (this.#known.has(text)) return this.#known.get(text);
    const words = isSmallTalk(text, []) ? undefined : tellingWords(text);
    this.#known.set(text, words);
    if (this.#known.size % ANALYSED_AT_ONCE === 0) await scheduler.wait(0);
    return words;
  }
}

/** Questions with the same words are one, in the form that is asked most. */
export function withSameWords(questions: readonly Question[]): Question[] {
  const same = Map.groupBy(questions, ({ text, words }) => {
    const terms = new Set(words.map(({ terms: [term = ""] }) => term));
    return terms.size === 0 ? text : [...terms].sort().join(" ");
  });
  return [...same.values()].flatMap((forms) => {
    const [most] = mostAsked(forms);
    if (most === undefined) return [];
    const rows = forms.flatMap((form) => form.rows);
    return [{ ...most, rows, times: rows.length }];
  });
}

/**
 * The most asked, each in words of its own: not one that was only misspelt, cut
 * or prolonged.
 */
export function examplesOf(questions: readonly Question[], max: number): Question[] {
  const examples: { readonly question: Question; readonly terms: ReadonlySet<string> }[] = [];
  for (const question of mostAsked(withSameWords(questions))) {
    if (examples.length === max) break;
    const terms = new Set(question.words.map(({ terms: [term = ""] }) => term));
    const isLike = examples.some((other) => {
      const shared = [...terms].filter((term) => other.terms.has(term)).length;
      return shared >= SAME_PART * Math.min(terms.size, other.terms.size);
    });
    if (!isLike) examples.push({ question, terms });
  }
  return examples.map(({ question }) => question);
}

/** Of equal ones, the newest first. */
export function mostAsked(questions: readonly Question[]): Question[] {
  return questions.toSorted((a, b) => b.times - a.times);
}
