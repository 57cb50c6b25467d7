// The documents and their passages: each document is stored
// with all its passages, or not at all. The search is in
// passage-index.ts, the routes are in corpus-object.ts.

import { ServiceError } from "../errors.ts";
import { markdown } from "../intake/markdown.ts";
import { passages } from "../intake/passages.ts";
import { addColumn, Schema } from "../schema.ts";
import { ANALYZER_VERSION } from "../text/analyzer.ts";
import {
  type FoundPassage,
  type NumberedPassage,
  PASSAGE_TABLES,
  type PassageHeading,
  PassageIndex,
  type StoredPassage,
} from "./passage-index.ts";
import { VECTOR_TABLES, VectorState } from "./vector-state.ts";

/** A document as an operator sends it. */
export interface Document {
  readonly id: string;
  readonly title: string;
  readonly url: string | null;
  readonly text: string;
  /** Deleted when the first document that is no sample arrives. */
  readonly sample: boolean;
}

/** A document without its text, as the API shows it. */
export interface DocumentEntry extends Omit<Document, "text" | "sample"> {
  readonly passages: number;
  /** The length of the text in UTF-8. */
  readonly bytes: number;
  /** SHA-256 of the text in UTF-8, in hexadecimal. */
  readonly contentHash: string;
  /** ISO 8601 in UTC. */
  readonly updatedAt: string;
  /** Only samples have it. */
  readonly sample?: true;
}

type DocumentRow = {
  id: string;
  title: string;
  url: string | null;
  passages: number;
  bytes: number;
  content_hash: string;
  /** Milliseconds since the epoch. */
  updated_at: number;
  /** The passages of a document have consecutive ids. */
  first_passage: number;
  /** 1 or 0. Either all documents are samples, or none is. */
  sample: number;
};

type CorpusRow = {
  /** Of all documents: counting them would read every row. */
  passages: number;
  analyzer_version: number;
  /** The last document re-indexed for this analyzer. */
  indexed_to: string;
};

const DOCUMENT_TABLES = `
  CREATE TABLE corpus (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    passages INTEGER NOT NULL CHECK (passages >= 0),
    analyzer_version INTEGER NOT NULL,
    indexed_to TEXT NOT NULL
  ) STRICT;
  CREATE TABLE documents (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    url TEXT,
    passages INTEGER NOT NULL CHECK (passages >= 0),
    bytes INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    first_passage INTEGER NOT NULL,
    text TEXT NOT NULL,
    sample INTEGER NOT NULL DEFAULT 0 CHECK (sample IN (0, 1))
  ) STRICT;
`;

export const CORPUS_SCHEMA = new Schema(
  DOCUMENT_TABLES + PASSAGE_TABLES + VECTOR_TABLES,
  "corpus",
  [
    // To 2: samples. Version 1 made the vector tables with the
    // first vector. If they change, keep a copy of them here.
    (sql) => {
      addColumn(sql, "documents", "sample", "INTEGER NOT NULL DEFAULT 0 CHECK (sample IN (0, 1))");
      sql.exec(VECTOR_TABLES);
    },
    // To 3: the blocks of passages. All documents are cut again.
    (sql) => {
      addColumn(sql, "passages", "blocks", "TEXT NOT NULL DEFAULT ''");
      sql.exec("UPDATE corpus SET analyzer_version = 0, indexed_to = ''");
    },
  ],
);

const ENTRY = "id, title, url, passages, bytes, content_hash, updated_at, first_passage, sample";

/** UTF-8 bytes that take as long to index as one passage. */
const PASSAGE_BYTES = 1_000;

export class Documents {
  readonly vectorState: VectorState;
  /** False if a migration failed or a later release wrote the database. */
  readonly isUsable: boolean;
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #index: PassageIndex;
  #hasTables = false;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#index = new PassageIndex(storage.sql);
    this.vectorState = new VectorState(storage.sql, () => this.#exist);
    this.isUsable = this.#open();
  }

  search(query: string, topK: number): FoundPassage[] {
    return this.#exist ? this.#index.search(query, topK, this.#corpus().passages) : [];
  }

  /** The headings of the oldest passages. */
  headings(): PassageHeading[] {
    return this.#exist ? this.#index.headings() : [];
  }

  isEmpty(): boolean {
    return !this.#exist || this.#corpus().passages === 0;
  }

  /** The first `topK` passages of these vectors that still exist. */
  passagesOf(vectorIds: readonly string[], query: string, topK: number): FoundPassage[] {
    const ids = this.vectorState.passagesOf(vectorIds);
    if (ids.length === 0) return [];
    return this.#index.get(ids, query, topK, this.#corpus().passages);
  }

  /** The next passages after an id, oldest first. */
  passagesAfter(id: number, limit: number): NumberedPassage[] {
    return this.#exist ? this.#index.after(id, limit) : [];
  }

  hasPassageAfter(id: number): boolean {
    return this.#exist && this.#index.countAfter(id, 1) > 0;
  }

  /** Reads a row for each. */
  countPassagesAfter(id: number): number {
    return this.#exist ? this.#index.countAfter(id, Number.MAX_SAFE_INTEGER) : 0;
  }

  /** From now on, all passages wait for a vector of this model. */
  beginVectors(model: string): void {
    this.#storage.transactionSync(() => this.vectorState.begin(model));
  }

  entry(id: string): DocumentEntry | undefined {
    const row = this.#row(id);
    return row && toEntry(row);
  }

  text(id: string): string {
    return this.#sql.exec<{ text: string }>("SELECT text FROM documents WHERE id = ?", id).one()
      .text;
  }

  /** Sorted by id. */
  entriesAfter(id: string, limit: number): DocumentEntry[] {
    return this.#rowsAfter(id, limit).map(toEntry);
  }

  /** Whether the document is stored already, unchanged. */
  holds(document: Document, contentHash: string): boolean {
    return isSame(this.#row(document.id), document, contentHash);
  }

  /**
   * Stores a document in place of the one with its id, if any.
   * The first that is no sample deletes all samples.
   * @param cut Its passages, if they are known already.
   * @throws INVALID_REQUEST for a sample beside other documents.
   */
  put(
    document: Document,
    bytes: number,
    contentHash: string,
    now: number,
    cut?: readonly StoredPassage[],
  ): DocumentEntry {
    const stored = this.#row(document.id);
    // Sending all files again is cheap: unchanged ones are not written.
    if (stored && isSame(stored, document, contentHash)) return toEntry(stored);
    // Any document tells whether all are samples.
    const any = stored ?? this.#rowsAfter("", 1)[0];
    if (document.sample && any?.sample === 0) throw samplesRefused();
    const replacesSamples = !document.sample && any?.sample === 1;

    if (!this.#exist) this.#create();
    return this.#storage.transactionSync(() => {
      if (replacesSamples) this.#deleteAll();
      const before = replacesSamples ? undefined : stored;
      const kept = this.#replacePassages(before, cut ?? storedPassages(document));
      const { id, title, url, text } = document;
      const sample = document.sample ? 1 : 0;
      const row = { id, title, url, bytes, content_hash: contentHash, updated_at: now, sample };
      this.#write({ ...row, ...kept }, text);
      return toEntry({ ...row, ...kept });
    });
  }

  /** False if there is no document with this id. */
  delete(id: string): boolean {
    const row = this.#row(id);
    if (row === undefined) return false;
    this.#storage.transactionSync(() => this.#delete(row));
    return true;
  }

  /** Whether another version of the analyzer has indexed some documents. */
  isOutdated(): boolean {
    return this.#exist && this.#corpus().analyzer_version !== ANALYZER_VERSION;
  }

  /**
   * Indexes one more document with this analyzer. Returns how
   * much work that was, in passages. Until all are done, a
   * search may miss passages of the others.
   */
  indexNext(): number {
    const [row] = this.#rowsAfter(this.#corpus().indexed_to, 1);
    if (row === undefined) {
      this.#sql.exec("UPDATE corpus SET analyzer_version = ?, indexed_to = ''", ANALYZER_VERSION);
      return 0;
    }
    try {
      this.#storage.transactionSync(() => {
        const document = { ...row, text: this.text(row.id) };
        const { first_passage, passages } = this.#replacePassages(row, storedPassages(document));
        this.#sql.exec(
          "UPDATE documents SET first_passage = ?, passages = ? WHERE id = ?",
          ...[first_passage, passages, row.id],
        );
      });
    } catch (error) {
      // It keeps its passages, and the next documents are indexed all the same.
      console.error(`The document "${row.id}" could not be indexed again:`, error);
    }
    this.#sql.exec("UPDATE corpus SET indexed_to = ?", row.id);
    // A long text may have few passages.
    return Math.max(row.passages, row.bytes / PASSAGE_BYTES);
  }

  /** Brings the tables up to date, if there are any. */
  #open(): boolean {
    try {
      this.#hasTables = CORPUS_SCHEMA.open(this.#storage);
      return true;
    } catch (thrown) {
      console.error("The database could not be opened:", thrown);
      return false;
    }
  }

  /** The first document makes the tables, so that asking writes nothing. */
  get #exist(): boolean {
    if (!this.isUsable) throw notUpToDate();
    return this.#hasTables;
  }

  #create(): void {
    this.#storage.transactionSync(() => {
      CORPUS_SCHEMA.create(this.#sql);
      this.#sql.exec("INSERT INTO corpus VALUES (1, 0, ?, '')", ANALYZER_VERSION);
    });
    this.#hasTables = true;
  }

  #corpus(): CorpusRow {
    return this.#sql
      .exec<CorpusRow>("SELECT passages, analyzer_version, indexed_to FROM corpus")
      .one();
  }

  #row(id: string): DocumentRow | undefined {
    if (!this.#exist) return undefined;
    return this.#sql
      .exec<DocumentRow>(`SELECT ${ENTRY} FROM documents WHERE id = ?`, id)
      .toArray()[0];
  }

  #rowsAfter(id: string, limit: number): DocumentRow[] {
    if (!this.#exist) return [];
    return this.#sql
      .exec<DocumentRow>(
        `SELECT ${ENTRY} FROM documents WHERE id > ? ORDER BY id LIMIT ?`,
        ...[id, limit],
      )
      .toArray();
  }

  #write(row: DocumentRow, text: string): void {
    const { id, title, url, passages, bytes, content_hash, updated_at, first_passage } = row;
    this.#sql.exec(
      `INSERT OR REPLACE INTO documents (${ENTRY}, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[id, title, url, passages, bytes, content_hash, updated_at, first_passage],
      ...[row.sample, text],
    );
  }

  #deleteAll(): void {
    for (const row of this.#rowsAfter("", Number.MAX_SAFE_INTEGER)) this.#delete(row);
  }

  #delete(row: DocumentRow): void {
    this.#removePassages(row);
    this.#addPassages(-row.passages);
    this.#sql.exec("DELETE FROM documents WHERE id = ?", row.id);
  }

  #replacePassages(before: DocumentRow | undefined, stored: readonly StoredPassage[]) {
    if (before !== undefined) this.#removePassages(before);
    this.#addPassages(stored.length - (before?.passages ?? 0));
    const first = this.#index.add(stored, this.vectorState.state()?.removedTo ?? 0);
    return { first_passage: first, passages: stored.length };
  }

  #removePassages({ first_passage, passages }: DocumentRow): void {
    this.#index.remove(first_passage, passages);
    this.vectorState.removed(first_passage, passages);
  }

  #addPassages(count: number): void {
    this.#sql.exec("UPDATE corpus SET passages = passages + ?", count);
  }
}

/** Cuts a document into passages. Takes up to half a second for 1 MiB. */
export function storedPassages({
  id,
  title,
  url,
  text,
}: Omit<Document, "sample">): StoredPassage[] {
  return passages(markdown.read(text).sections).map(({ heading, anchor, text, blocks }, i) => ({
    documentId: id,
    place: i + 1,
    title,
    // Most documents begin with a heading that is their title.
    heading: heading[0] === title ? heading.slice(1) : heading,
    url: withAnchor(url, anchor),
    text,
    blocks,
  }));
}

/** The URL of a heading, unless the document's URL has an anchor. */
function withAnchor(url: string | null, anchor: string | null): string | null {
  if (url === null || !anchor || url.includes("#")) return url;
  return `${url}#${encodeURIComponent(anchor)}`;
}

function isSame(row: DocumentRow | undefined, document: Document, contentHash: string): boolean {
  const { title, url, sample } = document;
  if (row?.content_hash !== contentHash || row.title !== title) return false;
  return row.url === url && row.sample === (sample ? 1 : 0);
}

function toEntry(row: DocumentRow): DocumentEntry {
  const { id, title, url, passages, bytes, content_hash, updated_at } = row;
  const updatedAt = new Date(updated_at).toISOString();
  const entry = { id, title, url, passages, bytes, contentHash: content_hash, updatedAt };
  return row.sample === 1 ? { ...entry, sample: true } : entry;
}

function samplesRefused(): ServiceError {
  return new ServiceError(
    "INVALID_REQUEST",
    'The field "sample" may be true only while all documents are samples, and some are not. Leave it out to store this document beside them.',
  );
}

function notUpToDate(): ServiceError {
  return new ServiceError(
    "UNAVAILABLE",
    "Another release wrote the documents. Nothing was changed. Deploy that release, or a later one.",
    { headers: { "retry-after": "60" } },
  );
}
