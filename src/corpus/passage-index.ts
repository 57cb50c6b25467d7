// The passages of all documents and their full-text index.
// A passage carries all that a search needs of its document.

import type { Passage } from "../answer/retriever.ts";
import { queryWords, termsOfAll } from "../text/analyzer.ts";
import { packBlocks, type TextBlock, unpackBlocks } from "../text/blocks.ts";
import { copyKey, Distinct } from "../text/copies.ts";
import { copyTerm, Matches } from "./matches.ts";
import { NEIGHBOURED_MAX, neighbourIds, withNeighbours } from "./neighbours.ts";
import type { Hit } from "./postings.ts";
import { NotedTerms, type QueryTerms } from "./query-terms.ts";
import { type ReadPassage, ReadPassages } from "./read-passages.ts";
import { RecentSearches } from "./recent-searches.ts";
import { indexStatistics } from "./statistics.ts";
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
  /** BM25, or the similarity of its vector. Higher is better. */
  readonly relevance: number;
}

/** A search result for a prompt. */
export type PromptPassage = FoundPassage & Pick<Passage, "before" | "after">;

/** A passage that was not searched for. */
export type PlacedPassage = Omit<FoundPassage, "score" | "relevance">;

/** A passage whose vector is near. */
export interface NearPassage {
  readonly id: number;
  readonly similarity: number;
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

/** A search result before it is read closely. */
interface Candidate extends Omit<FoundPassage, "blocks" | "score"> {
  readonly copyKey: string;
  readonly read: ReadPassage;
}

/** Enough to find examples in, and fast to read. */
const HEADINGS_MAX = 1_000;

/**
 * A hit is one term in one passage. The time of a search grows
 * with them: these take about 20 ms. With more, the search
 * ignores the commonest terms, which distinguish least.
 */
export const HITS_MAX = 30_000;

/** What a search may read, however many passages there are. */
const ROWS_MAX = 100;
/** The number of passages, and what BM25 counts with. */
const CORPUS_ROWS = 2;
/** The number of passages, and the state of the vectors. */
const VECTOR_ROWS = 5;
/** A match reads a row of the index, and its passage. */
const MATCH_ROWS = 2;
/** Where there are copies, there may be more. */
const SPARE_MATCHES = 4;

/** Passages read by their ids at once. */
const PASSAGES_AT_MAX = 10;

// The index stores no text. Our analyzer makes the terms, since
// the tokenizer knows neither Chinese nor accents: it only
// splits them at the spaces. All terms are in the first column,
// in which each takes two bytes less than in a second one:
// those of titles and headings twice, since they weigh double.
// Earlier releases had those of the text in the column `text`.
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

const PASSAGE = `passages.id, passages.document_id AS documentId, passages.place, passages.title,
  passages.heading, passages.url, passages.text, passages.blocks`;

export class PassageIndex {
  readonly #sql: SqlStorage;
  readonly #vocabulary: Vocabulary;
  readonly #matches: Matches;
  readonly #recent = new RecentSearches<FoundPassage>();
  readonly #read = new ReadPassages();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#vocabulary = new Vocabulary(sql);
    this.#matches = new Matches(sql);
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
    this.addAt(first, passages);
    return first;
  }

  /** Adds the passages of one document, with ids from `first` on. */
  addAt(first: number, passages: readonly StoredPassage[]): void {
    this.#forgetScores();
    this.#read.drop(first, passages.length);
    passages.forEach((passage, i) => {
      this.#insert(first + i, passage);
    });
  }

  remove(first: number, count: number): void {
    this.#forgetScores();
    this.#read.drop(first, count);
    const range = [first, first + count - 1];
    // A number is bound as REAL, for which FTS5 would read every row.
    this.#sql.exec(
      "DELETE FROM passage_terms WHERE rowid BETWEEN CAST(? AS INTEGER) AND CAST(? AS INTEGER)",
      ...range,
    );
    this.#sql.exec("DELETE FROM passages WHERE id BETWEEN ? AND ?", ...range);
  }

  /** Removes all passages, without reading them. */
  clear(): void {
    this.forget();
    this.#sql.exec("DELETE FROM passages");
    this.#sql.exec("INSERT INTO passage_terms (passage_terms) VALUES ('delete-all')");
  }

  /** Call it with any other change of what a search reads. */
  forget(): void {
    this.#forgetScores();
    this.#read.forget();
  }

  /** Each passage changes the scores of all. What a passage says stays. */
  #forgetScores(): void {
    this.#vocabulary.forget();
    this.#matches.forget();
    this.#recent.forget();
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

  /**
   * The best first, without copies. `count` is the number of
   * all passages. Fewer than `topK` if many are copies of
   * the same few texts, and the query has many words.
   */
  search(query: string, topK: number, count: number): FoundPassage[] {
    const recent = this.#recent.get(query, topK);
    if (recent !== undefined) return recent;
    const found = this.#search(query, topK, count);
    this.#recent.add(query, topK, found);
    return found;
  }

  /** As `search`, with the neighbours of the best passages. */
  searchForPrompt(query: string, topK: number, count: number): PromptPassage[] {
    const found = this.search(query, topK, count);
    const wanted = neighbourIds(found.slice(0, NEIGHBOURED_MAX), found);
    return wanted.length === 0 ? found : withNeighbours(found, this.at(wanted));
  }

  #search(query: string, topK: number, count: number): FoundPassage[] {
    const wanted = new WantedTerms(queryWords(query), this.#vocabulary, count);
    const affordable = wanted.affordable(HITS_MAX);
    if (affordable.length === 0) return [];
    const distinct = new Distinct<Candidate>();
    let left = ROWS_MAX - CORPUS_ROWS - wanted.rowsRead;
    while (left >= MATCH_ROWS && distinct.size < topK) {
      const before = distinct.size;
      const spare = before === 0 ? 0 : SPARE_MATCHES;
      const limit = Math.min(Math.floor(left / MATCH_ROWS), topK - before + spare);
      const { hits, rowsRead } = this.#matches.best(affordable, distinct.keys, limit, left - limit);
      const rows = this.#rows(hits);
      rows.forEach((row, i) => {
        distinct.add(this.#candidate(row, hits[i]?.score ?? 0));
      });
      // An index of an earlier release does not know the copies.
      if (rows.length < limit || distinct.size === before) break;
      left -= rowsRead + rows.length;
    }
    this.#vocabulary.list(left);
    return distinct.passages.slice(0, topK).map((one) => found(one, wanted));
  }

  /** What a search with this query reads of the vocabulary. */
  termsOf(query: string, count: number): QueryTerms {
    const source = new NotedTerms(this.#vocabulary);
    new WantedTerms(queryWords(query), source, count);
    return { ...source.noted, passages: count, statistics: indexStatistics(this.#sql) };
  }

  /** The first `topK` that still exist, without copies, scored as by a search. */
  get(near: readonly NearPassage[], query: string, topK: number, count: number): FoundPassage[] {
    const wanted = new WantedTerms(queryWords(query), this.#vocabulary, count);
    const distinct = new Distinct<Candidate>();
    let left = ROWS_MAX - VECTOR_ROWS - wanted.rowsRead;
    // Singly: a list would read every id, and most are not needed.
    for (const { id, similarity } of near) {
      if (distinct.size === topK || left <= 0) break;
      const row = this.#row(id);
      if (row === undefined) continue;
      distinct.add(this.#candidate(row, similarity));
      left -= 1;
    }
    return distinct.passages.map((one) => found(one, wanted));
  }

  /** Those of these passages that exist. Reads a row each of the list and both tables. */
  at(ids: readonly string[]): PlacedPassage[] {
    const places = ids.slice(0, PASSAGES_AT_MAX).map((id) => {
      const mark = id.lastIndexOf("#");
      return [id.slice(0, mark), Number(id.slice(mark + 1))] as const;
    });
    // In this order, each table is read by its key.
    return this.#sql
      .exec<PassageRow>(
        `SELECT ${PASSAGE} FROM json_each(?) AS asked
         CROSS JOIN documents ON documents.id = asked.value ->> 0
         CROSS JOIN passages ON passages.id = documents.first_passage + (asked.value ->> 1) - 1
         WHERE passages.document_id = documents.id AND passages.place = asked.value ->> 1`,
        JSON.stringify(places),
      )
      .toArray()
      .map(({ id: _, place, heading, blocks, ...row }) => ({
        ...row,
        id: passageId(row.documentId, place),
        heading: JSON.parse(heading),
        blocks: unpackBlocks(blocks),
      }));
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
    const [heads = [], body = []] = termsOfAll([[title, ...heading].join("\n"), text]);
    this.#sql.exec(
      "INSERT INTO passage_terms (rowid, title, text) VALUES (?, ?, '')",
      ...[id, [...heads, ...heads, ...body, copyTerm(copyKey(heading, text))].join(" ")],
    );
  }

  #row(id: number): PassageRow | undefined {
    return this.#sql
      .exec<PassageRow>(`SELECT ${PASSAGE} FROM passages WHERE id = ?`, id)
      .toArray()[0];
  }

  #candidate(row: PassageRow, relevance: number): Candidate {
    const { documentId, place, title, url, text } = row;
    const read = this.#read.of(row);
    const { heading, copyKey } = read;
    const id = passageId(documentId, place);
    return { id, documentId, title, heading, url, text, relevance, copyKey, read };
  }

  /** In the order of the hits. */
  #rows(hits: readonly Hit[]): PassageRow[] {
    if (hits.length === 0) return [];
    // VALUES reads no row, as a list of JSON would.
    return this.#sql
      .exec<PassageRow>(
        `SELECT ${PASSAGE} FROM (VALUES ${hits.map(() => "(?)").join(",")}) AS hit
         CROSS JOIN passages ON passages.id = hit.column1`,
        ...hits.map(({ id }) => id),
      )
      .toArray();
  }
}

function passageId(documentId: string, place: number): string {
  return `${documentId}#${place}`;
}

function found({ copyKey: _, read, ...passage }: Candidate, wanted: WantedTerms): FoundPassage {
  return { ...passage, blocks: read.blocks, score: wanted.coverage(read.terms) };
}
