// The passages of the terms that are searched for, in memory. BM25 is a sum
// over the terms of a query, so it is enough to know what each term adds.

import type { KnownTerm } from "./vocabulary.ts";

/** A passage that matches a query. */
export interface Hit {
  readonly id: number;
  /** BM25: higher is better. */
  readonly score: number;
}

/**
 * Rows that each search saves for later ones to read into memory. So an object
 * that is asked once reads none, and one with a free plan's 5,000,000 rows a
 * day is never short of them: its rows written run out first.
 */
const ROWS_A_SEARCH = 300;
/** Reading this many takes about as long as the dearest search. */
const ROWS_SAVED_MAX = 30_000;
/** Of all terms. A posting takes 12 bytes. */
const POSTINGS_MAX = 600_000;

/** The passages of one term, and what it adds to the score of each. */
interface Posting {
  /** Indexes of `#ids`. */
  readonly slots: Uint32Array;
  readonly scores: Float64Array;
}

export class Postings {
  readonly #sql: SqlStorage;
  /** By term, the least recent first. */
  readonly #postings = new Map<string, Posting>();
  #length = 0;
  /** Passages that any of these terms had. */
  readonly #ids: number[] = [];
  readonly #slots = new Map<number, number>();
  /** By slot. All are 0 between two searches. */
  #sums = new Float64Array(0);
  #rowsSaved = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Call it with each change of a passage. */
  forget(): void {
    this.#postings.clear();
    this.#length = 0;
    this.#ids.length = 0;
    this.#slots.clear();
    this.#sums = new Float64Array(0);
  }

  /**
   * The best matches first, and of equals the oldest; undefined while a term
   * is not in memory. Reads the terms for which earlier searches have
   * saved rows.
   * @param terms Different terms that passages have.
   */
  best(terms: readonly KnownTerm[], limit: number): Hit[] | undefined {
    const postings = terms.map((known) => this.#of(known));
    this.#rowsSaved = Math.min(ROWS_SAVED_MAX, this.#rowsSaved + ROWS_A_SEARCH);
    if (!postings.every((posting) => posting !== undefined)) return undefined;
    return this.#top(this.#sum(postings), limit);
  }

  #of({ term, passages }: KnownTerm): Posting | undefined {
    const known = this.#postings.get(term);
    if (known !== undefined) {
      this.#postings.delete(term);
      this.#postings.set(term, known);
      return known;
    }
    if (passages > this.#rowsSaved) return undefined;
    const posting = this.#read(term);
    this.#rowsSaved -= posting.slots.length;
    this.#postings.set(term, posting);
    this.#length += posting.slots.length;
    for (const [oldest, { slots }] of this.#postings) {
      if (this.#length <= POSTINGS_MAX || oldest === term) break;
      this.#postings.delete(oldest);
      this.#length -= slots.length;
    }
    return posting;
  }

  #read(term: string): Posting {
    const rows = [
      ...this.#sql
        .exec("SELECT rowid, -rank FROM passage_terms WHERE passage_terms MATCH ?", `"${term}"`)
        .raw<[id: number, score: number]>(),
    ];
    const slots = Uint32Array.from(rows, ([id]) => this.#slotOf(id));
    return { slots, scores: Float64Array.from(rows, ([, score]) => score) };
  }

  #slotOf(id: number): number {
    const known = this.#slots.get(id);
    if (known !== undefined) return known;
    const slot = this.#ids.push(id) - 1;
    this.#slots.set(id, slot);
    return slot;
  }

  /** In the order of the terms, as FTS5 adds. Returns the slots of all matches. */
  #sum(postings: readonly Posting[]): number[] {
    if (this.#sums.length < this.#ids.length) this.#sums = new Float64Array(2 * this.#ids.length);
    const sums = this.#sums;
    const matches: number[] = [];
    for (const { slots, scores } of postings) {
      for (let i = 0; i < slots.length; i++) {
        const slot = slots[i] as number;
        // FTS5 gives each term more than 0.
        if (sums[slot] === 0) matches.push(slot);
        sums[slot] = (sums[slot] as number) + (scores[i] as number);
      }
    }
    return matches;
  }

  /** Sets the sums back to 0. */
  #top(matches: readonly number[], limit: number): Hit[] {
    const top: Hit[] = [];
    for (const slot of matches) {
      const hit = { id: this.#ids[slot] as number, score: this.#sums[slot] as number };
      this.#sums[slot] = 0;
      const last = top[limit - 1];
      if (last !== undefined && !isBetter(hit, last)) continue;
      let at = Math.min(top.length, limit - 1);
      for (; at > 0 && isBetter(hit, top[at - 1] as Hit); at--) top[at] = top[at - 1] as Hit;
      top[at] = hit;
    }
    return top;
  }
}

function isBetter(a: Hit, b: Hit): boolean {
  return a.score > b.score || (a.score === b.score && a.id < b.id);
}
