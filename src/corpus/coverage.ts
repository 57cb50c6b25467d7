// How much of a query a passage covers. Pure.

import { isMarked } from "../text/words.ts";

/** A word of a query, with what may be found of it. */
export interface WantedWord {
  /** Each is the word. */
  readonly terms: readonly string[];
  /** Each is shared by the forms of the word, and by other words. */
  readonly forms: readonly string[];
  /** Terms that each hold a part of the word. */
  readonly parts: readonly string[];
  /** Units of two characters that it is in, if it is one character. */
  readonly around: readonly string[];
  readonly weight: number;
  /** What of the weight a form is worth. */
  readonly formWeight: number;
  /** What of the weight all parts are worth. */
  readonly partsWeight: number;
}

/** Words that are less like each other are so by chance. */
const LIKENESS_MIN = 0.4;

/** What of a passage's terms a query wants. */
interface Found {
  /** How often, by term. */
  readonly times: ReadonlyMap<string, number>;
  /** How like the most similar word of the passage is, if it has parts. */
  readonly likeness: ReadonlyMap<WantedWord, number>;
}

export class Coverage {
  readonly #words: readonly WantedWord[];
  readonly #wanted: ReadonlySet<string>;
  readonly #withPart = new Map<string, WantedWord[]>();

  constructor(words: readonly WantedWord[]) {
    this.#words = words;
    this.#wanted = new Set(
      words.flatMap(({ terms, forms, around }) => [...terms, ...forms, ...around]),
    );
    for (const word of words) {
      for (const part of new Set(word.parts)) {
        const others = this.#withPart.get(part);
        if (others === undefined) this.#withPart.set(part, [word]);
        else others.push(word);
      }
    }
  }

  /**
   * From 0 to 1. A word counts more the rarer it is, and
   * the more often the passage says it. A form or parts
   * of it count as much as they are rare themselves.
   * @param terms All terms of the passage, in order.
   */
  of(terms: Iterable<string>): number {
    const { times, likeness } = this.#find(terms);
    const most = (terms: readonly string[]) =>
      terms.reduce((most, term) => Math.max(most, times.get(term) ?? 0), 0);
    let held = 0;
    let missing = 0;
    for (const word of this.#words) {
      const { weight } = word;
      const said = most(word.terms);
      const form = said > 0 ? 0 : most(word.forms);
      let worth = 0;
      if (said > 0) worth = word.around.length > 0 && most(word.around) === 0 ? 0 : weight;
      else if (form > 0) worth = word.formWeight;
      else worth = (likeness.get(word) ?? 0) * word.partsWeight;
      // Characters are in many words.
      const count = word.around.length > 0 ? 1 : Math.max(1, said, form);
      held += (worth * 2 * count) / (1 + count);
      missing += weight - worth;
    }
    return held === 0 ? 0 : held / (held + missing);
  }

  #find(terms: Iterable<string>): Found {
    const times = new Map<string, number>();
    const likeness = new Map<WantedWord, number>();
    // The marked terms of a word follow it.
    let shared = new Map<WantedWord, number>();
    let count = 0;
    const closeWord = () => {
      for (const [word, common] of shared) {
        // Dice's coefficient
        const alike = (2 * common) / (count + word.parts.length);
        if (alike >= Math.max(LIKENESS_MIN, likeness.get(word) ?? 0)) likeness.set(word, alike);
      }
      if (shared.size > 0) shared = new Map();
      count = 0;
    };
    for (const term of terms) {
      if (this.#wanted.has(term)) times.set(term, (times.get(term) ?? 0) + 1);
      if (this.#withPart.size === 0) continue;
      if (!isMarked(term)) closeWord();
      else {
        count += 1;
        for (const word of this.#withPart.get(term) ?? []) {
          shared.set(word, (shared.get(word) ?? 0) + 1);
        }
      }
    }
    closeWord();
    return { times, likeness };
  }
}
