// Pages of the query log, newest first: of all queries, or of those that match
// a search. Only reads.

import type { QueryRow } from "./queries.ts";
import { numberOf, placeOf } from "./query-id.ts";

/** The longest page with more than one row, in UTF-16 units. */
const PAGE_LENGTH_MAX = 1024 * 1024;

/** What one search looks at: rows, and units of questions and answers. */
const SEARCHED_ROWS = 1_000;
const SEARCHED_LENGTH = 2 * 1024 * 1024;

export interface Page {
  readonly rows: readonly QueryRow[];
  /** `before` of the next page; null if there is none. */
  readonly before: string | null;
}

interface Range {
  readonly limit: number;
  /** The query, or the place, before which the page begins. */
  readonly before?: string | undefined;
  /** Only this reader's; undefined for all. */
  readonly identity?: string | null;
}

export class Pages {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /**
   * A page ends early where it grows long: a hundred of the longest answers
   * would be tens of megabytes. Undefined if `before` cannot be a query's id.
   */
  list({ limit, before, identity }: Range): Page | undefined {
    const number = before === undefined ? Number.MAX_SAFE_INTEGER : numberOf(before);
    if (Number.isNaN(number)) return undefined;
    const found = this.#sql.exec<QueryRow>(
      `SELECT * FROM queries WHERE number < ?1 ${identity === undefined ? "" : "AND identity IS ?3"}
       ORDER BY number DESC LIMIT ?2`,
      ...[number, limit + 1, ...(identity === undefined ? [] : [identity])],
    );
    const page = new Filling(limit);
    for (const row of found) {
      if (!page.add(row)) return { rows: page.rows, before: page.rows.at(-1)?.id ?? null };
    }
    return { rows: page.rows, before: null };
  }

  /**
   * Queries whose question and answer match. It looks at a limited part of the
   * log, so that a page may be empty and not the last.
   */
  search(
    matches: (text: string) => boolean,
    { limit, before, identity = null }: Range,
  ): Page | undefined {
    const number = before === undefined ? this.#last() + 1 : numberOf(before);
    if (Number.isNaN(number)) return undefined;
    const from = Math.min(number, this.#last() + 1) - SEARCHED_ROWS;
    const looked = this.#sql.exec<QueryRow>(
      `SELECT * FROM queries WHERE number < ? AND number >= ? AND identity IS ?
         AND query IS NOT NULL ORDER BY number DESC`,
      ...[number, from, identity],
    );
    const page = new Filling(limit);
    let length = 0;
    for (const row of looked) {
      const text = `${row.query}\n${row.answer ?? ""}`;
      const isEnough = length > SEARCHED_LENGTH || (matches(text) && !page.add(row));
      if (isEnough) return { rows: page.rows, before: placeOf(row.number + 1) };
      length += text.length;
    }
    return { rows: page.rows, before: this.#hasTextsBefore(from) ? placeOf(from) : null };
  }

  #last(): number {
    return this.#sql
      .exec<{ last: number }>("SELECT coalesce(max(number), 0) AS last FROM queries")
      .one().last;
  }

  #hasTextsBefore(number: number): boolean {
    const [row] = this.#sql.exec(
      `SELECT 1 FROM queries
       WHERE number < ? AND number > (SELECT content_pruned_to FROM settings) LIMIT 1`,
      number,
    );
    return row !== undefined;
  }
}

/** A page that is being filled. */
class Filling {
  readonly rows: QueryRow[] = [];
  readonly #limit: number;
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False if there is no room. */
  add(row: QueryRow): boolean {
    const { query, answer, sources } = row;
    this.#length += (query?.length ?? 0) + (answer?.length ?? 0) + (sources?.length ?? 0);
    const isLong = this.rows.length > 0 && this.#length > PAGE_LENGTH_MAX;
    if (isLong || this.rows.length === this.#limit) return false;
    this.rows.push(row);
    return true;
  }
}
