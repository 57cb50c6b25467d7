// The passages of the terms that are searched for, in memory. BM25 is a sum
// over the terms of a query, so it is enough to know what each term adds to the
// score of each passage.

import type { KnownTerm } from "./term-source.ts";

/** A passage that matches a query. */
export interface Hit {
  readonly id: number;
  /** BM25: higher is better. */
  readonly score: number;
}

/**
 * Each search adds this many rows to a budget. The terms of a query are read into
 * memory once the budget covers all that are missing: one alone would answer
 * nothing. So a first search reads none, and searches read at most this many on
 * average. The 5,000,000 rows a day of Cloudflare's free plan are enough for
 * 16,666 asks, more than it has rows to write for.
 */
const ROWS_A_SEARCH = 300;
/**
 * The largest budget, and so the most rows that one search reads into memory.
 * That takes about as long as the slowest search without it.
 */
const ROWS_SAVED_MAX = 30_000;
/** In memory, for all terms. A posting, one term in one passage, is 12 bytes. */
const POSTINGS_MAX = 600_000;

/** The passages of one term, and what the term adds to the score of each. */
interface TermPostings {
  /** Indexes of `#ids`. */
  readonly slots: Uint32Array;
  readonly scores: Float64Array;
}

export class Postings {
  readonly #sql: SqlStorage;
  /** By term, the one that was searched for longest ago first. */
  readonly #postings = new Map<string, TermPostings>();
  /** The number of postings of all terms. */
  #length = 0;
  /**
   * The ids of passages by slot, and back. A passage gets a slot with the first
   * of its terms that is read, and keeps it when the term is dropped. So there
   * are at most as many slots as passages in the index.
   */
  readonly #ids: number[] = [];
  readonly #slots = new Map<number, number>();
  /** The scores of a search by slot. They are 0 between two searches. */
  #sums = new Float64Array(0);
  /** The budget that searches have saved. */
  #rowsSaved = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Must be called with each change of a passage. */
  forget(): void {
    this.#postings.clear();
    this.#length = 0;
    this.#ids.length = 0;
    this.#slots.clear();
    this.#sums = new Float64Array(0);
  }

  /**
   * The best matches first, and of equals the oldest. Undefined while terms are
   * missing in memory that the budget of earlier searches does not cover.
   * @param terms Each is another one, and in at least one passage.
   */
  best(terms: readonly KnownTerm[], limit: number): Hit[] | undefined {
    const missing = terms.filter(({ term }) => !this.#postings.has(term));
    const rows = missing.reduce((sum, { passages }) => sum + passages, 0);
    const isCovered = rows <= this.#rowsSaved;
    if (isCovered) this.#rowsSaved -= rows;
    this.#rowsSaved = Math.min(ROWS_SAVED_MAX, this.#rowsSaved + ROWS_A_SEARCH);
    if (!isCovered) return undefined;
    const postings = terms.map(({ term }) => this.#of(term));
    this.#dropOldest();
    return this.#top(this.#sum(postings), limit);
  }

  #of(term: string): TermPostings {
    const posting = this.#postings.get(term) ?? this.#read(term);
    // The last one is the one that was searched for last.
    if (!this.#postings.delete(term)) this.#length += posting.slots.length;
    this.#postings.set(term, posting);
    return posting;
  }

  #dropOldest(): void {
    for (const [oldest, { slots }] of this.#postings) {
      if (this.#length <= POSTINGS_MAX) return;
      this.#postings.delete(oldest);
      this.#length -= slots.length;
    }
  }

  #read(term: string): TermPostings {
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

  /**
   * Adds up the scores in the order of the terms, as FTS5 does. Returns the
   * slots of all matches.
   */
  #sum(postings: readonly TermPostings[]): number[] {
    if (this.#sums.length < this.#ids.length) this.#sums = new Float64Array(2 * this.#ids.length);
    const sums = this.#sums;
    const matches: number[] = [];
    for (const { slots, scores } of postings) {
      for (let i = 0; i < slots.length; i++) {
        const slot = slots[i] as number;
        // The first term of this passage: each term adds more than 0.
        if (sums[slot] === 0) matches.push(slot);
        sums[slot] = (sums[slot] as number) + (scores[i] as number);
      }
    }
    return matches;
  }

  /** The best of the matches. Sets the sums back to 0. */
  #top(matches: readonly number[], limit: number): Hit[] {
    const top: Hit[] = [];
    for (const slot of matches) {
      const hit = { id: this.#ids[slot] as number, score: this.#sums[slot] as number };
      this.#sums[slot] = 0;
      const last = top[limit - 1];
      if (last !== undefined && byScore(hit, last) > 0) continue;
      let at = Math.min(top.length, limit - 1);
      for (; at > 0 && byScore(hit, top[at - 1] as Hit) < 0; at--) top[at] = top[at - 1] as Hit;
      top[at] = hit;
    }
    return top;
  }
}

/** Sorts the best first, and of equals the oldest. */
export function byScore(a: Hit, b: Hit): number {
  return b.score - a.score || a.id - b.id;
}
