// The passages of all documents and their full-text index.
// A passage carries all that a search needs of its document.

import { matchQuery, queryWords, terms, termsOfAll } from "../text/analyzer.ts";
import { packBlocks, type TextBlock, unpackBlocks } from "../text/blocks.ts";
import { Vocabulary } from "./vocabulary.ts";
import { WantedTerms } from "./wanted-terms.ts";

/** Those of one document have consecutive ids. */
export interface StoredPassage {
  readonly documentId: string;
  /** The passage's number in its document, from 1. */
  readonly place: number;
  readonly title: string;
  readonly heading: readonly string[];
  readonly url: string | null;
  readonly text: string;
  /** Empty in a passage that an earlier release has cut. */
  readonly blocks: readonly TextBlock[];
}

/** A later passage has a higher id. */
export interface NumberedPassage extends StoredPassage {
  readonly id: number;
}

/** A search result, as retrievers pass it on. */
export interface FoundPassage extends Omit<StoredPassage, "place"> {
  /** The document's id, `#`, and the passage's number in it. */
  readonly id: string;
  /** How well it covers the query, in [0, 1]. */
  readonly score: number;
}

export type PassageHeading = Pick<StoredPassage, "title" | "heading">;

type PassageRow = {
  id: number;
  documentId: string;
  place: number;
  title: string;
  /** JSON: a list of strings. */
  heading: string;
  url: string | null;
  text: string;
  /** As packBlocks writes them. */
  blocks: string;
};

/** Enough to find examples in, and fast to read. */
const HEADINGS_MAX = 1_000;

/**
 * A hit is one term in one passage. The time of a search grows
 * with them: these take about 20 ms. With more, the search
 * ignores the commonest terms, which distinguish least.
 */
const HITS_MAX = 30_000;

// The index stores no text. Our analyzer makes the terms, since
// the tokenizer knows neither Chinese nor accents: it only
// splits them at the spaces.
export const PASSAGE_TABLES = `
  CREATE TABLE passages (
    id INTEGER PRIMARY KEY,
    document_id TEXT NOT NULL,
    place INTEGER NOT NULL CHECK (place >= 1),
    title TEXT NOT NULL,
    heading TEXT NOT NULL,
    url TEXT,
    text TEXT NOT NULL,
    blocks TEXT NOT NULL DEFAULT ''
  ) STRICT;
  CREATE VIRTUAL TABLE passage_terms USING fts5(
    title, text, content='', contentless_delete=1, tokenize='ascii'
  );
  CREATE VIRTUAL TABLE vocabulary USING fts5vocab(passage_terms, row);
`;

const PASSAGE = "id, document_id AS documentId, place, title, heading, url, text, blocks";

export class PassageIndex {
  readonly #sql: SqlStorage;
  readonly #vocabulary: Vocabulary;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#vocabulary = new Vocabulary(sql);
  }

  /**
   * Adds the passages of one document, with ids above `after`.
   * Returns the first id.
   */
  add(passages: readonly StoredPassage[], after: number): number {
    const { id: last } = this.#sql
      .exec<{ id: number }>("SELECT coalesce(max(id), 0) AS id FROM passages")
      .one();
    const first = Math.max(last, after) + 1;
    passages.forEach((passage, i) => {
      this.#insert(first + i, passage);
    });
    return first;
  }

  remove(first: number, count: number): void {
    const range = [first, first + count - 1];
    // A number is bound as REAL, for which FTS5 would read every row.
    this.#sql.exec(
      "DELETE FROM passage_terms WHERE rowid BETWEEN CAST(? AS INTEGER) AND CAST(? AS INTEGER)",
      ...range,
    );
    this.#sql.exec("DELETE FROM passages WHERE id BETWEEN ? AND ?", ...range);
  }

  /** Of the oldest passages. */
  headings(): PassageHeading[] {
    return this.#sql
      .exec<{ title: string; heading: string }>(
        "SELECT title, heading FROM passages ORDER BY id LIMIT ?",
        HEADINGS_MAX,
      )
      .toArray()
      .map(({ title, heading }) => ({ title, heading: JSON.parse(heading) }));
  }

  /** The best first. `count` is the number of all passages. */
  search(query: string, topK: number, count: number): FoundPassage[] {
    const wanted = new WantedTerms(queryWords(query), this.#vocabulary, count);
    const affordable = wanted.affordable(HITS_MAX);
    if (affordable.length === 0) return [];
    return this.#matches(matchQuery(affordable), topK).map((row) => found(row, wanted));
  }

  /** The first `topK` that still exist, scored as by a search. */
  get(ids: readonly number[], query: string, topK: number, count: number): FoundPassage[] {
    const wanted = new WantedTerms(queryWords(query), this.#vocabulary, count);
    const passages: FoundPassage[] = [];
    // Singly: a list would read every id, and most are not needed.
    for (const id of ids) {
      if (passages.length === topK) break;
      const row = this.#row(id);
      if (row !== undefined) passages.push(found(row, wanted));
    }
    return passages;
  }

  /** The next passages after an id, oldest first. */
  after(id: number, limit: number): NumberedPassage[] {
    return this.#sql
      .exec<PassageRow>(
        `SELECT ${PASSAGE} FROM passages WHERE id > ? ORDER BY id LIMIT ?`,
        ...[id, limit],
      )
      .toArray()
      .map(({ heading, blocks, ...row }) => ({
        ...row,
        heading: JSON.parse(heading),
        blocks: unpackBlocks(blocks),
      }));
  }

  /** At most `max`. Reads a row for each. */
  countAfter(id: number, max: number): number {
    return this.#sql
      .exec<{ passages: number }>(
        "SELECT count(*) AS passages FROM (SELECT 1 FROM passages WHERE id > ? LIMIT ?)",
        ...[id, max],
      )
      .one().passages;
  }

  #insert(id: number, passage: StoredPassage): void {
    const { documentId, place, title, heading, url, text, blocks } = passage;
    this.#sql.exec(
      `INSERT INTO passages (id, document_id, place, title, heading, url, text, blocks)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[id, documentId, place, title, JSON.stringify(heading), url, text, packBlocks(blocks)],
    );
    const held = termsOfAll([[title, ...heading].join("\n"), text]);
    this.#sql.exec(
      "INSERT INTO passage_terms (rowid, title, text) VALUES (?, ?, ?)",
      ...[id, ...held.map((terms) => terms.join(" "))],
    );
  }

  #row(id: number): PassageRow | undefined {
    return this.#sql
      .exec<PassageRow>(`SELECT ${PASSAGE} FROM passages WHERE id = ?`, id)
      .toArray()[0];
  }

  /** The best matches first. */
  #matches(match: string, limit: number): PassageRow[] {
    // Sorted before the join: else SQLite reads all that match.
    return this.#sql
      .exec<PassageRow>(
        `SELECT ${PASSAGE}
         FROM (SELECT rowid AS id, rank FROM passage_terms
               WHERE passage_terms MATCH ? AND rank MATCH 'bm25(2.0, 1.0)'
               ORDER BY rank LIMIT ?) AS found
         JOIN passages USING (id)
         ORDER BY found.rank`,
        ...[match, limit],
      )
      .toArray();
  }
}

function found(row: PassageRow, wanted: WantedTerms): FoundPassage {
  const { documentId, place, title, heading, url, text, blocks } = row;
  const headings: string[] = JSON.parse(heading);
  return {
    id: `${documentId}#${place}`,
    documentId,
    title,
    heading: headings,
    url,
    text,
    blocks: unpackBlocks(blocks),
    score: wanted.coverage(terms([title, ...headings, text].join("\n"))),
  };
}
