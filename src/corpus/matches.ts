// The passages that match the terms of a query best, by BM25.

import { matchQuery } from "../text/analyzer.ts";
import { type Hit, Postings } from "./postings.ts";
import { indexStatistics } from "./statistics.ts";
import type { KnownTerm } from "./vocabulary.ts";

/** The score of a term, by its rarity: the limit for many repeats. */
const BM25_MAX = 2.2;
/** FTS5 takes at least this for the rarity of a term. */
const BM25_LEAST = 1e-5;
/** Passages with all terms score about the sum of their rarities. */
const NARROW_SHARE = 0.6;
/** Skipping fewer hits saves no time. */
const NARROW_HITS_MIN = 1_000;

/** No word begins so: it is a character of private use. */
const COPY_MARK = "\ue000";

type Rated = KnownTerm & { readonly rarity: number };

export class Matches {
  readonly #sql: SqlStorage;
  readonly #postings: Postings;
  /** The number of passages that BM25 counts with. */
  #indexed: number | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#postings = new Postings(sql);
  }

  /** Call it with each change of a passage. */
  forget(): void {
    this.#postings.forget();
    this.#indexed = undefined;
  }

  /**
   * The best for all terms, without copies of these. Reads at most `rowsMax`
   * rows, of which it needs `limit`, besides those that go into memory.
   */
  best(
    terms: readonly KnownTerm[],
    copyKeys: readonly string[],
    limit: number,
    rowsMax: number,
  ): { readonly hits: readonly Hit[]; readonly rowsRead: number } {
    const known = copyKeys.length === 0 ? this.#postings.best(terms, limit) : undefined;
    if (known !== undefined) return { hits: known, rowsRead: 0 };
    let rowsRead = this.#indexed === undefined ? 1 : 0;
    this.#indexed ??= indexStatistics(this.#sql).passages;
    const indexed = this.#indexed;
    const rated = terms.map((known) => ({ ...known, rarity: bm25Idf(known.passages, indexed) }));
    const rarity = rated.reduce((sum, { rarity }) => sum + rarity, 0);
    let narrow = narrowMatch(rated, NARROW_SHARE * rarity);
    while (narrow !== undefined && rowsMax >= rowsRead + 2 * limit) {
      const { match, othersMax } = narrow;
      const hits = this.#hits(without(copyKeys, match), limit).map(({ id, score }) => ({
        id,
        score: score / 2,
      }));
      rowsRead += hits.length;
      const least = hits[limit - 1]?.score ?? 0;
      if (least > othersMax) return { hits, rowsRead };
      // No other passage reaches what is found already.
      narrow = narrowMatch(rated, least);
    }
    const hits = this.#hits(without(copyKeys, matchQuery(terms.map(({ term }) => term))), limit);
    return { hits, rowsRead: rowsRead + hits.length };
  }

  /** The best matches first. */
  #hits(match: string, limit: number): Hit[] {
    return this.#sql
      .exec<{ id: number; score: number }>(
        `SELECT rowid AS id, -rank AS score FROM passage_terms
         WHERE passage_terms MATCH ? ORDER BY rank LIMIT ?`,
        ...[match, limit],
      )
      .toArray();
  }
}

/** The term by which the index knows the copies of a passage. */
export function copyTerm(copyKey: string): string {
  return COPY_MARK + copyKey;
}

/** The rarity of a term, as FTS5 has it: nothing if half of all passages have the term. */
export function bm25Idf(frequency: number, count: number): number {
  return Math.max(0, Math.log((count - frequency + 0.5) / (frequency + 0.5)));
}

/**
 * A query for the passages with a rare term, with twice the score of the
 * whole query; undefined if it saves no time. Scoring a passage takes ten
 * times as long as skipping it. Other passages score at most `othersMax`,
 * which is less than `limit`.
 */
function narrowMatch(
  terms: readonly Rated[],
  limit: number,
): { readonly match: string; readonly othersMax: number } | undefined {
  let othersMax = 0;
  let hits = 0;
  let rareCount = terms.length;
  for (const common of terms.slice(1).toReversed()) {
    const next = othersMax + BM25_MAX * common.rarity + BM25_LEAST;
    if (next >= limit) break;
    othersMax = next;
    hits += common.passages;
    rareCount -= 1;
  }
  if (hits < NARROW_HITS_MIN) return undefined;
  const names = terms.map(({ term }) => term);
  const rare = names.slice(0, rareCount);
  const common = names.slice(rareCount);
  // BM25 counts the rare terms in both parts.
  const match = `(${matchQuery(rare)}) AND (${matchQuery([...rare, ...common, ...common])})`;
  return { match, othersMax };
}

/** A query for what matches and is no copy of these. */
function without(keys: readonly string[], match: string): string {
  if (keys.length === 0) return match;
  return `(${match}) NOT (${matchQuery(keys.map(copyTerm))})`;
}
