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
import { byScore, type Hit, Postings } from "./postings.ts";
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
const NARROW_SHARE = 1.35;
/** A narrow query that skips fewer hits saves no time. */
const NARROW_HITS_MIN = 1_000;

/** A character of private use, with which no word begins. */
export const COPY_MARK = "\ue000";

type Rated = KnownTerm & { readonly rarity: number };

/** Which passages are looked at: those with a rare term. */
interface Narrow {
  readonly rare: readonly string[];
  readonly common: readonly string[];
  /** The most that a passage without a rare term scores. */
  readonly othersMax: number;
  /** The most that a passage without a common term scores. */
  readonly bareMax: number;
}

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
    let narrow = narrowed(rated, NARROW_SHARE * rarity);
    // Two queries for the passages with a rare term, and at last the full one.
    while (narrow !== undefined && rowsMax >= rowsRead + 3 * limit) {
      const { hits, rowsRead: read } = this.#narrowHits(narrow, copyKeys, limit);
      rowsRead += read;
      const least = hits[limit - 1]?.score ?? 0;
      if (least > narrow.othersMax) return { hits, rowsRead };
      // The passages that are left out may score more than the worst hit, so
      // the next query leaves out fewer.
      narrow = narrowed(rated, least);
    }
    const hits = this.#hits(without(copyKeys, matchQuery(terms.map(({ term }) => term))), limit);
    return { hits, rowsRead: rowsRead + hits.length };
  }

  /**
   * The best of the passages with a rare term: those that have a common one too,
   * and those that may not. One query for both would have to name the rare terms
   * twice, so that they weigh double.
   */
  #narrowHits(
    { rare, common, bareMax }: Narrow,
    copyKeys: readonly string[],
    limit: number,
  ): { readonly hits: readonly Hit[]; readonly rowsRead: number } {
    const match = `(${matchQuery(rare)}) AND (${matchQuery(common)})`;
    const hits = this.#hits(without(copyKeys, match), limit);
    if ((hits[limit - 1]?.score ?? 0) > bareMax) return { hits, rowsRead: hits.length };
    // Where a passage has common terms too, this scores it too low. But then it is
    // among the hits already, or they are all better.
    const bare = this.#hits(without(copyKeys, matchQuery(rare)), limit);
    const found = new Set(hits.map(({ id }) => id));
    const all = [...hits, ...bare.filter(({ id }) => !found.has(id))].sort(byScore);
    return { hits: all.slice(0, limit), rowsRead: hits.length + bare.length };
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
 * The split of terms that leaves out most passages, or undefined if it saves no
 * time: skipping a passage takes a tenth of the time of scoring it. The passages
 * that it leaves out score at most `othersMax`, which is less than `least`.
 * @param terms The rarest first.
 */
function narrowed(terms: readonly Rated[], least: number): Narrow | undefined {
  let othersMax = 0;
  let commonHits = 0;
  let rareCount = terms.length;
  for (const common of terms.slice(1).toReversed()) {
    const next = othersMax + mostOf(common);
    if (next >= least) break;
    othersMax = next;
    commonHits += common.passages;
    rareCount -= 1;
  }
  if (commonHits < NARROW_HITS_MIN) return undefined;
  const rare = terms.slice(0, rareCount);
  return {
    rare: rare.map(({ term }) => term),
    common: terms.slice(rareCount).map(({ term }) => term),
    othersMax,
    bareMax: rare.reduce((sum, term) => sum + mostOf(term), 0),
  };
}

/** The most that a term adds to a score. */
function mostOf({ rarity }: Rated): number {
  return BM25_MAX * rarity + BM25_LEAST;
}

/** A query for the matches that are no copies of these keys. */
function without(keys: readonly string[], match: string): string {
  if (keys.length === 0) return match;
  return `(${match}) NOT (${matchQuery(keys.map(copyTerm))})`;
}
