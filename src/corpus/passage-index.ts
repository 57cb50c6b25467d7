// The passages of all documents and their full-text index: what a query is searched in. It knows
// nothing of a document but what its passages carry.

import { matchQuery, queryTerms, terms } from "../text/analyzer.ts";

/** A passage as it is kept. Those of one document have consecutive ids. */
export interface StoredPassage {
  readonly documentId: string;
  /** The passage's number in its document, from 1. */
  readonly place: number;
  readonly title: string;
  readonly heading: readonly string[];
  readonly url: string | null;
  readonly text: string;
}

/** A kept passage with its id: of two, the later has the higher. */
export interface NumberedPassage extends StoredPassage {
  readonly id: number;
}

/** A passage that was found, in the shape in which retrievers hand it on. */
export interface FoundPassage extends Omit<StoredPassage, "place"> {
  /** The document's id, `#`, and the passage's number in it. */
  readonly id: string;
  /** How well it covers the query, in [0, 1]. */
  readonly score: number;
}

/** Under which heading of which document a passage stands. */
export type PassageHeading = Pick<StoredPassage, "title" | "heading">;

/** Passages whose headings are looked at: enough to find examples in, and quick to read. */
const HEADINGS_MAX = 1_000;

interface PassageRow extends Record<string, SqlStorageValue> {
  id: number;
  documentId: string;
  place: number;
  title: string;
  /** JSON: a list of strings. */
  heading: string;
  url: string | null;
  text: string;
}

/**
 * The time of a search grows with the passages that hold any of its terms, each counted once a term:
 * so many take about 20 ms. The commonest terms, which tell passages apart least, are left out where
 * there would be more.
 */
const HITS_MAX = 30_000;

// The index holds no text of its own. It is given the terms with spaces between them, and its
// tokenizer, which would know nothing of Chinese and of accents, has only to part them again.
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS passages (
    id INTEGER PRIMARY KEY,
    document_id TEXT NOT NULL,
    place INTEGER NOT NULL CHECK (place >= 1),
    title TEXT NOT NULL,
    heading TEXT NOT NULL,
    url TEXT,
    text TEXT NOT NULL
  ) STRICT;
  CREATE VIRTUAL TABLE IF NOT EXISTS passage_terms USING fts5(
    title, text, content='', contentless_delete=1, tokenize='ascii'
  );
  CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab(passage_terms, row);
`;

const PASSAGE = "id, document_id AS documentId, place, title, heading, url, text";

function statements(sql: SqlStorage) {
  return {
    lastId: () =>
      sql.exec<{ id: number }>("SELECT coalesce(max(id), 0) AS id FROM passages").one().id,

    insert: (id: number, passage: StoredPassage) => {
      const { documentId, place, title, heading, url, text } = passage;
      sql.exec(
        "INSERT INTO passages (id, document_id, place, title, heading, url, text) VALUES (?, ?, ?, ?, ?, ?, ?)",
        ...[id, documentId, place, title, JSON.stringify(heading), url, text],
      );
    },

    insertTerms: (id: number, title: string, text: string) => {
      sql.exec("INSERT INTO passage_terms (rowid, title, text) VALUES (?, ?, ?)", id, title, text);
    },

    delete: (first: number, last: number) => {
      sql.exec("DELETE FROM passage_terms WHERE rowid BETWEEN ? AND ?", first, last);
      sql.exec("DELETE FROM passages WHERE id BETWEEN ? AND ?", first, last);
    },

    get: (id: number) =>
      sql.exec<PassageRow>(`SELECT ${PASSAGE} FROM passages WHERE id = ?`, id).toArray()[0],

    after: (id: number, limit: number) =>
      sql
        .exec<PassageRow>(
          `SELECT ${PASSAGE} FROM passages WHERE id > ? ORDER BY id LIMIT ?`,
          id,
          limit,
        )
        .toArray(),

    countAfter: (id: number, max: number) =>
      sql
        .exec<{ passages: number }>(
          "SELECT count(*) AS passages FROM (SELECT 1 FROM passages WHERE id > ? LIMIT ?)",
          id,
          max,
        )
        .one().passages,

    // Sorted by rank inside, and joined only then: the other way round SQLite reads every passage
    // that holds any of the terms.
    search: (match: string, limit: number) =>
      sql
        .exec<PassageRow>(
          `SELECT ${PASSAGE}
           FROM (SELECT rowid AS id, rank FROM passage_terms
                 WHERE passage_terms MATCH ? AND rank MATCH 'bm25(2.0, 1.0)'
                 ORDER BY rank LIMIT ?) AS found
           JOIN passages USING (id)
           ORDER BY found.rank`,
          match,
          limit,
        )
        .toArray(),

    headings: (limit: number) =>
      sql
        .exec<{ title: string; heading: string }>(
          "SELECT title, heading FROM passages ORDER BY id LIMIT ?",
          limit,
        )
        .toArray(),

    // One by one: each in a list of several would count as another row.
    frequency: (term: string) =>
      sql
        .exec<{ passages: number }>("SELECT doc AS passages FROM vocabulary WHERE term = ?", term)
        .toArray()[0]?.passages ?? 0,
  };
}

export class PassageIndex {
  readonly #do: ReturnType<typeof statements>;

  constructor(sql: SqlStorage) {
    this.#do = statements(sql);
  }

  static create(sql: SqlStorage): void {
    sql.exec(SCHEMA);
  }

  /** Keeps the passages of one document under ids above `after`, and returns that of the first. */
  add(passages: readonly StoredPassage[], after: number): number {
    const first = Math.max(this.#do.lastId(), after) + 1;
    passages.forEach((passage, i) => {
      const title = [passage.title, ...passage.heading].join(" ");
      this.#do.insert(first + i, passage);
      this.#do.insertTerms(first + i, terms(title).join(" "), terms(passage.text).join(" "));
    });
    return first;
  }

  remove(first: number, count: number): void {
    if (count > 0) this.#do.delete(first, first + count - 1);
  }

  headings(): PassageHeading[] {
    return this.#do
      .headings(HEADINGS_MAX)
      .map(({ title, heading }) => ({ title, heading: JSON.parse(heading) }));
  }

  /** The at most `topK` passages that fit best, best first, where `count` is how many there are in all. */
  search(query: string, topK: number, count: number): FoundPassage[] {
    const wanted = queryTerms(query);
    const frequencies = this.#frequencies(wanted);
    const affordable = affordableTerms(frequencies);
    if (affordable.size === 0) return [];
    const match = matchQuery(wanted.filter((term) => affordable.has(term)));
    const coverage = coverageOf(frequencies, count);
    return this.#do.search(match, topK).map((row) => found(row, coverage));
  }

  /** The first `topK` passages of these ids that there are, scored as if a search had found them. */
  get(ids: readonly number[], query: string, topK: number, count: number): FoundPassage[] {
    const coverage = coverageOf(this.#frequencies(queryTerms(query)), count);
    const passages: FoundPassage[] = [];
    // One by one: each id of a list would count as a row, and most of them are never looked at.
    for (const id of ids) {
      if (passages.length === topK) break;
      const row = this.#do.get(id);
      if (row !== undefined) passages.push(found(row, coverage));
    }
    return passages;
  }

  /** The next passages after an id, in their order. */
  after(id: number, limit: number): NumberedPassage[] {
    return this.#do
      .after(id, limit)
      .map(({ heading, ...row }) => ({ ...row, heading: JSON.parse(heading) }));
  }

  /** How many passages there are after an id, as far as `max`. */
  countAfter(id: number, max: number): number {
    return this.#do.countAfter(id, max);
  }

  #frequencies(wanted: readonly string[]): Map<string, number> {
    const frequencies = new Map(wanted.map((term) => [term, 0]));
    for (const term of frequencies.keys()) frequencies.set(term, this.#do.frequency(term));
    return frequencies;
  }
}

function found(
  { documentId, place, title, heading, url, text }: PassageRow,
  coverage: (held: ReadonlySet<string>) => number,
): FoundPassage {
  const headings: string[] = JSON.parse(heading);
  return {
    id: `${documentId}#${place}`,
    documentId,
    title,
    heading: headings,
    url,
    text,
    score: coverage(new Set(terms([title, ...headings, text].join("\n")))),
  };
}

/** The terms that any passage holds, rarest first, for as long as there are not too many hits. */
function affordableTerms(frequencies: ReadonlyMap<string, number>): Set<string> {
  const affordable = new Set<string>();
  let hits = 0;
  for (const [term, frequency] of [...frequencies].sort(([, a], [, b]) => a - b)) {
    hits += frequency;
    if (affordable.size > 0 && hits > HITS_MAX) break;
    if (frequency > 0) affordable.add(term);
  }
  return affordable;
}

/**
 * How much of what was asked for a passage holds, rare terms counting most. BM25 orders passages
 * well, but has no scale of its own: only this can be shown, or compared with a threshold.
 */
function coverageOf(
  frequencies: ReadonlyMap<string, number>,
  count: number,
): (held: ReadonlySet<string>) => number {
  const weights = Array.from(frequencies, ([term, frequency]) => {
    const n = Math.min(frequency, count);
    return { term, weight: Math.log(1 + (count - n + 0.5) / (n + 0.5)) };
  });
  const whole = sum(weights.map(({ weight }) => weight));
  // A query without a word asks for nothing that a passage could hold.
  if (whole === 0) return () => 0;
  return (held) => sum(weights.map(({ term, weight }) => (held.has(term) ? weight : 0))) / whole;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
