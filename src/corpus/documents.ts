// The documents and their passages: each document is stored
// with all its passages, or not at all. The search is in
// passage-index.ts, the routes are in corpus-object.ts.

import type { NearVector } from "../answer/vector-index.ts";
import { noSuchCollection } from "../collections.ts";
import { ServiceError } from "../errors.ts";
import { ANALYZER_VERSION } from "../text/analyzer.ts";
import { ChangeLog, type ChangePage, type Reached } from "./change-log.ts";
import type { CollectionCounts } from "./collection-admin.ts";
import { Collections } from "./collections.ts";
import { CORPUS_SCHEMA, type CorpusRow, type DocumentRow } from "./corpus-schema.ts";
import {
  type FoundPassage,
  type NumberedPassage,
  type PassageHeading,
  PassageIndex,
  type PlacedPassage,
  type PromptPassage,
  type StoredPassage,
} from "./passage-index.ts";
import { NO_TERMS, type QueryTerms } from "./query-terms.ts";
import { storedPassages } from "./stored-passages.ts";
import { VectorState } from "./vector-state.ts";

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

const ENTRY = "id, title, url, passages, bytes, content_hash, updated_at, first_passage, sample";

/** UTF-8 bytes that take as long to index as one passage. */
const PASSAGE_BYTES = 1_000;

export class Documents {
  readonly vectorState: VectorState;
  /** The list of collections, in the object of `default`. */
  readonly collections: Collections;
  /** False if a migration failed or a later release wrote the database. */
  readonly isUsable: boolean;
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #index: PassageIndex;
  readonly #changeLog: ChangeLog;
  #hasTables = false;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#index = new PassageIndex(storage.sql);
    this.vectorState = new VectorState(storage.sql, () => this.exist);
    this.collections = new Collections(
      storage.sql,
      () => this.exist,
      () => this.#createOnce(),
    );
    this.#changeLog = new ChangeLog(storage.sql, this.#index, this.vectorState);
    this.isUsable = this.#open();
  }

  search(query: string, topK: number): FoundPassage[] {
    return this.exist ? this.#index.search(query, topK, this.#corpus().passages) : [];
  }

  searchForPrompt(query: string, topK: number): PromptPassage[] {
    return this.exist ? this.#index.searchForPrompt(query, topK, this.#corpus().passages) : [];
  }

  termsOf(query: string): QueryTerms {
    return this.exist ? this.#index.termsOf(query, this.#corpus().passages) : NO_TERMS;
  }

  /** The headings of the oldest passages. */
  headings(): PassageHeading[] {
    return this.exist ? this.#index.headings() : [];
  }

  isEmpty(): boolean {
    return !this.exist || this.#corpus().passages === 0;
  }

  /** The first `topK` passages of these vectors that still exist. */
  passagesOf(vectors: readonly NearVector[], query: string, topK: number): FoundPassage[] {
    const near = this.vectorState.passagesOf(vectors);
    if (near.length === 0) return [];
    return this.#index.get(near, query, topK, this.#corpus().passages);
  }

  /** Those of these passages that exist. */
  passagesAt(ids: readonly string[]): PlacedPassage[] {
    return this.exist ? this.#index.at(ids) : [];
  }

  /** The next passages after an id, oldest first. */
  passagesAfter(id: number, limit: number): NumberedPassage[] {
    return this.exist ? this.#index.after(id, limit) : [];
  }

  hasPassageAfter(id: number): boolean {
    return this.exist && this.#index.countAfter(id, 1) > 0;
  }

  /** Reads a row for each. */
  countPassagesAfter(id: number): number {
    return this.exist ? this.#index.countAfter(id, Number.MAX_SAFE_INTEGER) : 0;
  }

  /** From now on, all passages wait for a vector of this model. */
  beginVectors(model: string): void {
    this.#storage.transactionSync(() => {
      this.vectorState.begin(model);
      this.#changed(0, this.version + 1);
    });
  }

  /** Another one after each change of what a search finds; never an earlier one. */
  get version(): number {
    return this.exist ? this.#corpus().position : 0;
  }

  /** Some of the changes that a copy has not seen; undefined without documents. */
  changesAfter(reached: Reached | undefined): ChangePage | undefined {
    if (!this.exist) return undefined;
    const corpus = this.#corpus();
    const isOutdated = corpus.analyzer_version !== ANALYZER_VERSION;
    return this.#storage.transactionSync(() =>
      this.#changeLog.pageAfter(reached, corpus, isOutdated),
    );
  }

  /** How many copies may hold documents. */
  get copies(): number {
    return this.exist ? this.#corpus().copies : 0;
  }

  set copies(count: number) {
    if (this.exist) this.#sql.exec("UPDATE corpus SET copies = ?", count);
  }

  entry(id: string): DocumentEntry | undefined {
    const row = this.#row(id);
    return row && toEntry(row);
  }

  counts(): CollectionCounts {
    if (!this.exist) return { documents: 0, passages: 0 };
    const { documents } = this.#sql
      .exec<{ documents: number }>("SELECT count(*) AS documents FROM documents")
      .one();
    return { documents, passages: this.#corpus().passages };
  }

  document(id: string): Document | undefined {
    const row = this.#row(id);
    if (row === undefined) return undefined;
    const { title, url, sample } = row;
    return { id, title, url, sample: sample === 1, text: this.text(id) };
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
   * @throws INVALID_REQUEST for a sample beside other documents, and
   * NOT_FOUND if the collection is deleted.
   */
  put(
    document: Document,
    bytes: number,
    contentHash: string,
    now: number,
    cut?: readonly StoredPassage[],
  ): DocumentEntry {
    if (this.isClosed) throw noSuchCollection();
    const stored = this.#row(document.id);
    // Sending all files again is cheap: unchanged ones are not written.
    if (stored && isSame(stored, document, contentHash)) return toEntry(stored);
    // Any document tells whether all are samples.
    const any = stored ?? this.#rowsAfter("", 1)[0];
    if (document.sample && any?.sample === 0) throw samplesRefused();
    const replacesSamples = !document.sample && any?.sample === 1;

    this.#createOnce();
    return this.#storage.transactionSync(() => {
      if (replacesSamples) this.#deleteAll();
      const before = replacesSamples ? undefined : stored;
      const kept = this.#replacePassages(document.id, before, cut ?? storedPassages(document));
      const { id, title, url, text } = document;
      const sample = document.sample ? 1 : 0;
      const row = { id, title, url, bytes, content_hash: contentHash, updated_at: now, sample };
      this.#write({ ...row, ...kept }, text);
      return toEntry({ ...row, ...kept });
    });
  }

  /**
   * False if there is no document with this id.
   * @param also Is written in the same transaction.
   */
  delete(id: string, also = () => {}): boolean {
    const row = this.#row(id);
    if (row === undefined) return false;
    this.#storage.transactionSync(() => {
      this.#delete(row);
      also();
    });
    return true;
  }

  /** Deletes all documents if they are samples. */
  deleteSamples(): void {
    if (this.#rowsAfter("", 1)[0]?.sample !== 1) return;
    this.#storage.transactionSync(() => this.#deleteAll());
  }

  /** Whether the collection is deleted. */
  get isClosed(): boolean {
    return this.exist && this.#corpus().closed === 1;
  }

  /** Deletes all documents, and takes none any more. Copies begin again. */
  close(): void {
    this.#createOnce();
    this.#storage.transactionSync(() => {
      this.vectorState.removedAll();
      this.#index.clear();
      this.#sql.exec("DELETE FROM documents; DELETE FROM deletions; DELETE FROM moves;");
      this.#sql.exec(
        "UPDATE corpus SET closed = 1, passages = 0, position = position + 1, log = ?",
        crypto.randomUUID(),
      );
    });
  }

  /** Whether another version of the analyzer has indexed some documents. */
  isOutdated(): boolean {
    return this.exist && this.#corpus().analyzer_version !== ANALYZER_VERSION;
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
        const stored = storedPassages(document);
        const { first_passage, passages } = this.#replacePassages(row.id, row, stored);
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
  get exist(): boolean {
    if (!this.isUsable) throw notUpToDate();
    return this.#hasTables;
  }

  #createOnce(): void {
    if (this.exist) return;
    this.#storage.transactionSync(() => {
      CORPUS_SCHEMA.create(this.#sql);
      this.#sql.exec(
        `INSERT INTO corpus (one, passages, analyzer_version, indexed_to, log)
         VALUES (1, 0, ?, '', ?)`,
        ...[ANALYZER_VERSION, crypto.randomUUID()],
      );
    });
    this.#hasTables = true;
  }

  #corpus(): CorpusRow {
    return this.#sql
      .exec<CorpusRow>(
        `SELECT passages, analyzer_version, indexed_to, position, log, deletions_pruned_to, copies,
           closed
         FROM corpus`,
      )
      .one();
  }

  #row(id: string): DocumentRow | undefined {
    if (!this.exist) return undefined;
    return this.#sql
      .exec<DocumentRow>(`SELECT ${ENTRY} FROM documents WHERE id = ?`, id)
      .toArray()[0];
  }

  #rowsAfter(id: string, limit: number): DocumentRow[] {
    if (!this.exist) return [];
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
    const position = this.version + 1;
    this.#removePassages(row);
    this.#sql.exec("DELETE FROM documents WHERE id = ?", row.id);
    this.#changeLog.deleted(row.id, position);
    this.#changed(-row.passages, position);
  }

  #replacePassages(
    id: string,
    before: DocumentRow | undefined,
    stored: readonly StoredPassage[],
  ): Pick<DocumentRow, "first_passage" | "passages"> {
    if (before !== undefined) this.#removePassages(before);
    const first = this.#index.add(stored, this.version);
    const last = first + Math.max(stored.length, 1) - 1;
    if (stored.length === 0) this.#changeLog.deleted(id, last);
    this.#changed(stored.length - (before?.passages ?? 0), last);
    return { first_passage: first, passages: stored.length };
  }

  #removePassages({ first_passage, passages }: DocumentRow): void {
    this.#index.remove(first_passage, passages);
    this.vectorState.removed(first_passage, passages);
  }

  /** @param passages How many more there are. */
  #changed(passages: number, position: number): void {
    this.#sql.exec(
      "UPDATE corpus SET passages = passages + ?, position = ?",
      ...[passages, position],
    );
  }
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
