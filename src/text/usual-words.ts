// Typing errors in many questions: a word that is one slip from another, which
// all users type far more often, beside the same words. Pure.

import { editDistance } from "./edit-distance.ts";

/** A question as it was typed, folded. */
export interface TypedQuestion {
  /** All its words. */
  readonly typed: readonly string[];
  /** Those that tell what it asks. */
  readonly telling: readonly string[];
  /** How often it was asked. */
  readonly times: number;
}

/** The usual word is typed this many times as often. */
const TIMES_AS_OFTEN = 20;
/** One wrong letter of two makes any word of any other. */
const LENGTH_MIN = 3;
/** A wrong letter, of words this long: of shorter ones it makes other words. */
const WRONG_LENGTH_MIN = 5;
const WORD = /^\p{L}+$/u;

export class UsualWords {
  /** What each word may be a slip of. */
  readonly #usual: ReadonlyMap<string, string>;
  /** The usual words of slips, with the telling words beside them. */
  readonly #beside: ReadonlyMap<string, ReadonlySet<string>>;
  /** Usual words that seldom tell anything, such as `could`. */
  readonly #small: ReadonlySet<string>;

  constructor(questions: readonly TypedQuestion[]) {
    const times = timesOf(questions, ({ typed }) => typed);
    this.#usual = slipsOf(times);
    const usual = new Set(this.#usual.values());
    const telling = timesOf(questions, (question) => question.telling);
    this.#small = new Set(
      [...usual].filter((word) => (telling.get(word) ?? 0) < (times.get(word) ?? 0) / 2),
    );
    const beside = new Map([...usual].map((word) => [word, new Set<string>()]));
    for (const { typed, telling } of questions) {
      for (const word of typed) {
        const own = beside.get(word);
        if (own !== undefined) for (const other of telling) own.add(other);
      }
    }
    this.#beside = beside;
  }

  /** Whether a usual word tells nothing. */
  isSmall(usual: string): boolean {
    return this.#small.has(usual);
  }

  /**
   * The usual word that a word of a question is a slip of. Beside words that the
   * usual one never has, it is a word of its own: a dog's bite is no bike.
   */
  of(word: string, { telling }: TypedQuestion): string | undefined {
    const usual = this.#usual.get(word);
    if (usual === undefined) return undefined;
    const others = telling.filter((other) => other !== word);
    const known = this.#beside.get(usual);
    const isKnown = others.length === 0 || others.some((other) => known?.has(other));
    return isKnown ? usual : undefined;
  }
}

function timesOf(
  questions: readonly TypedQuestion[],
  wordsOf: (question: TypedQuestion) => readonly string[],
): Map<string, number> {
  const times = new Map<string, number>();
  for (const question of questions) {
    for (const word of new Set(wordsOf(question))) {
      times.set(word, (times.get(word) ?? 0) + question.times);
    }
  }
  return times;
}

/** The most usual word from which each is one slip away. */
function slipsOf(times: ReadonlyMap<string, number>): Map<string, string> {
  const usual = new Map<string, string[]>();
  for (const [word, own] of times) {
    if (own < TIMES_AS_OFTEN || !isWord(word)) continue;
    for (const form of nearForms(word)) usual.set(form, [...(usual.get(form) ?? []), word]);
  }
  const slips = new Map<string, string>();
  for (const [word, own] of times) {
    if (!isWord(word)) continue;
    const most = word.length < WRONG_LENGTH_MIN ? 1 : 1.5;
    const near = nearForms(word).flatMap((form) => usual.get(form) ?? []);
    const [best] = [...new Set(near)]
      .filter((other) => (times.get(other) ?? 0) >= TIMES_AS_OFTEN * own)
      // The first letter is rarely wrong.
      .filter((other) => other[0] === word[0] && editDistance(word, other) <= most)
      .sort((a, b) => (times.get(b) ?? 0) - (times.get(a) ?? 0));
    if (best !== undefined) slips.set(word, best);
  }
  return slips;
}

function isWord(word: string): boolean {
  return word.length >= LENGTH_MIN && WORD.test(word);
}

/** Two words that are one slip apart have one of these in common. */
function nearForms(word: string): string[] {
  return [word, ...Array.from(word, (_, i) => word.slice(0, i) + word.slice(i + 1))];
}
