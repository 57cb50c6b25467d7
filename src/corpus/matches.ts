// The passages that match the terms of a query best, by BM25. A search goes one
// of three ways, which find the same passages:
//
// | if                            | then                      | rows read  |
// |-------------------------------|---------------------------|------------|
// | all terms are in memory       | postings.ts adds scores   | none       |
// | many hits are of common terms | narrow queries, only for  | a row for  |
// |                               | passages with a rare term | each hit   |
// | otherwise                     | the full query            | the same   |
//
// A narrow query is enough if no other passage can score as high as its hits.
// If it is not, a less narrow one follows, and at last the full query. Where
// copies are left out, the terms in memory are not used: they know no copies.

import { matchQuery } from "../text/analyzer.ts";
import { type Hit, Postings } from "./postings.ts";
import { indexStatistics } from "./statistics.ts";
import type { KnownTerm } from "./term-source.ts";

/** A term adds at most this many times its rarity to a score. */
const BM25_MAX = 2.2;
/** FTS5 takes at least this for the rarity of a term. */
const BM25_LEAST = 1e-5;
/**
 * What the first narrow query expects its worst hit to score, as a share of the
 * sum of all rarities. A passage that says each term once scores about that sum,
 * and the best say some of them more often.
 */
const NARROW_SHARE = 1.2;
/** A narrow query that skips fewer hits saves no time. */
const NARROW_HITS_MIN = 1_000;

/** A character of private use, with which no word begins. */
export const COPY_MARK = "\ue000";

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

  /** Must be called with each change of a passage. */
  forget(): void {
    this.#postings.forget();
    this.#indexed = undefined;
  }

  /**
   * The best matches of all terms, without copies of these keys. Reads at most
   * `rowsMax` rows, and those that go into memory.
   * @param rowsMax At least `limit`.
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
      // The passages that are left out may score more than the worst hit, so
      // the next query leaves out fewer.
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

/** The rarity of a term, as FTS5 has it: 0 if half of all passages have it. */
export function bm25Idf(frequency: number, count: number): number {
  return Math.max(0, Math.log((count - frequency + 0.5) / (frequency + 0.5)));
}

/**
 * A query for the passages with a rare term, or undefined if it saves no time:
 * skipping a passage takes a tenth of the time of scoring it. Its scores are
 * twice those of the full query. The passages that it leaves out score at most
 * `othersMax` in the full query, and less than `limit`.
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
  // BM25 counts a term once for each mention. The rare terms are in both parts,
  // so the common ones are in the second part twice: every score doubles.
  const match = `(${matchQuery(rare)}) AND (${matchQuery([...rare, ...common, ...common])})`;
  return { match, othersMax };
}

/** A query for the matches that are no copies of these keys. */
function without(keys: readonly string[], match: string): string {
  if (keys.length === 0) return match;
  return `(${match}) NOT (${matchQuery(keys.map(copyTerm))})`;
}
