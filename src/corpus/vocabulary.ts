// The terms of the passages, and how many passages have each.

import { COPY_MARK } from "./matches.ts";
import type { KnownTerm, TermSource } from "./term-source.ts";

/** Of a statement in a Durable Object. */
const BINDINGS_MAX = 100;

/** Terms kept in memory: about 4 MB. */
const KNOWN_MAX = 40_000;
/** Of more terms than these, only those that are searched for are kept. */
const LISTED_MAX = 20_000;
/** Beginnings kept in memory, each with the terms of a spelling: about 1 MB. */
const BEGINNINGS_MAX = 1_000;
/** Pairs of terms kept in memory. */
const PAIRS_MAX = 1_000;

export class Vocabulary implements TermSource {
  readonly #sql: SqlStorage;
  /** Since the last change of a passage. */
  readonly #known = new Map<string, number>();
  readonly #startingWith = new Map<string, readonly KnownTerm[]>();
  readonly #pairs = new Map<string, boolean>();
  /** All words up to this one are known, in the order of the index. */
  #listedTo = "";
  /** Whether no further word is listed. */
  #isListed = false;
  /** Whether all words are known. */
  #isWhole = false;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Call it after each change of the passages. */
  forget(): void {
    this.#forgetTerms();
    this.#startingWith.clear();
    this.#pairs.clear();
  }

  /**
   * Reads further words, until all are known: then one that no passage has is
   * known without a search for it. Reads a row for each. The terms of copies,
   * one for each text, are left out.
   */
  list(rowsMax: number): void {
    if (this.#isListed || rowsMax <= 0) return;
    const terms = this.#sql
      .exec<{ term: string; passages: number }>(
        "SELECT term, doc AS passages FROM vocabulary WHERE term > ? AND term < ? LIMIT ?",
        ...[this.#listedTo, COPY_MARK, rowsMax],
      )
      .toArray();
    for (const { term, passages } of terms) this.#known.set(term, passages);
    this.#listedTo = terms.at(-1)?.term ?? this.#listedTo;
    this.#isWhole = terms.length < rowsMax;
    this.#isListed = this.#isWhole || this.#known.size >= LISTED_MAX;
  }

  /**
   * The number of passages that have each term: in this order,
   * up to `rowsMax` terms that any has. Reads a row for each.
   */
  frequencies(terms: readonly string[], rowsMax: number): Map<string, number> {
    const found = new Map<string, number>();
    const unknown = new Set<string>();
    for (const term of terms) {
      const passages = this.#known.get(term) ?? (this.#isWhole && isListed(term) ? 0 : undefined);
      if (passages === undefined) unknown.add(term);
      else found.set(term, passages);
    }
    for (const { term, passages } of this.#read([...unknown], rowsMax)) found.set(term, passages);
    let left = rowsMax;
    const affordable = new Map<string, number>();
    for (const term of terms) {
      if (left <= 0) break;
      const passages = found.get(term) ?? 0;
      if (passages > 0 && !affordable.has(term)) left -= 1;
      affordable.set(term, passages);
    }
    return affordable;
  }

  /** Whether a passage has one term right before the other. Reads a row at most. */
  hasNeighbours(before: string, after: string): boolean {
    const match = `"${before} ${after}"`;
    const known = this.#pairs.get(match);
    if (known !== undefined) return known;
    const rows = this.#sql.exec(
      "SELECT 1 FROM passage_terms WHERE passage_terms MATCH ? LIMIT 1",
      match,
    );
    const has = rows.toArray().length > 0;
    if (this.#pairs.size >= PAIRS_MAX) this.#pairs.clear();
    this.#pairs.set(match, has);
    return has;
  }

  /** Terms with this beginning, sorted. Reads a row for each. */
  startingWith(beginning: string, limit: number): readonly KnownTerm[] {
    const key = `${limit} ${beginning}`;
    const known = this.#startingWith.get(key);
    if (known !== undefined) return known;
    const terms = this.#sql
      .exec<{ term: string; passages: number }>(
        "SELECT term, doc AS passages FROM vocabulary WHERE term >= ? AND term < ? LIMIT ?",
        ...[beginning, `${beginning}\u{10ffff}`, limit],
      )
      .toArray();
    if (this.#startingWith.size >= BEGINNINGS_MAX) this.#startingWith.clear();
    this.#startingWith.set(key, terms);
    return terms;
  }

  #forgetTerms(): void {
    this.#known.clear();
    this.#listedTo = "";
    this.#isListed = false;
    this.#isWhole = false;
  }

  /** Those that passages have, up to `rowsMax`. */
  #read(terms: readonly string[], rowsMax: number): KnownTerm[] {
    const found: KnownTerm[] = [];
    for (let at = 0; at < terms.length && found.length < rowsMax; at += BINDINGS_MAX - 1) {
      const asked = terms.slice(at, at + BINDINGS_MAX - 1);
      const rows = this.#find(asked, rowsMax - found.length);
      for (const row of rows) found.push(row);
      if (this.#known.size > KNOWN_MAX) this.#forgetTerms();
      // What follows the last row that may be read stays unknown.
      if (found.length < rowsMax) for (const term of asked) this.#known.set(term, 0);
      for (const { term, passages } of rows) this.#known.set(term, passages);
    }
    return found;
  }

  /** In the order of the terms. VALUES reads no row, as a list of JSON would. */
  #find(terms: readonly string[], limit: number): KnownTerm[] {
    return this.#sql
      .exec<{ term: string; passages: number }>(
        `SELECT term, doc AS passages FROM (VALUES ${terms.map(() => "(?)").join(",")}) AS asked
         CROSS JOIN vocabulary ON vocabulary.term = asked.column1 LIMIT ?`,
        ...[...terms, limit],
      )
      .toArray();
  }
}

/** SQLite sorts by code points, JavaScript by UTF-16 units. */
function isListed(term: string): boolean {
  return (term.codePointAt(0) ?? 0) < (COPY_MARK.codePointAt(0) ?? 0);
}
