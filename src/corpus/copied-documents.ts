// The documents of a copy: the passages of the original under the ids
// that they have there, without the full texts. A page of changes is
// stored in one transaction with the position that it reaches.

import type { NearVector } from "../answer/vector-index.ts";
import type { ChangePage, Reached } from "./change-log.ts";
import { CORPUS_SCHEMA } from "./corpus-schema.ts";
import {
  type FoundPassage,
  type NumberedPassage,
  PassageIndex,
  type PlacedPassage,
  type PromptPassage,
} from "./passage-index.ts";
import { NO_TERMS, type QueryTerms } from "./query-terms.ts";
import { raiseStatistics } from "./statistics.ts";
import { VectorState } from "./vector-state.ts";

const COPY_TABLE = `
  CREATE TABLE copy (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    original TEXT NOT NULL,
    base INTEGER NOT NULL
  ) STRICT;
`;

/** Fillers per transaction, so that searches are not starved. */
const FILLERS = 500;

export class CopiedDocuments {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #index: PassageIndex;
  readonly #vectorState: VectorState;
  #state: "none" | "ours" | "of another release";

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#index = new PassageIndex(storage.sql);
    this.#vectorState = new VectorState(storage.sql, () => this.#exist);
    this.#state = stateOf(storage.sql);
  }

  /** Then they must be cleared first. */
  get areOfAnotherRelease(): boolean {
    return this.#state === "of another release";
  }

  /** The id of the object that this is a copy of; undefined if nothing is copied yet. */
  get original(): string | undefined {
    if (!this.#exist) return undefined;
    return this.#sql.exec<{ original: string }>("SELECT original FROM copy").one().original;
  }

  /** Undefined if nothing is copied yet. */
  get reached(): Reached | undefined {
    if (!this.#exist) return undefined;
    const { log, position, base } = this.#sql
      .exec<{ log: string; position: number; base: number }>(
        "SELECT log, position, base FROM corpus, copy",
      )
      .one();
    return { log, position, base };
  }

  /** As of the original: another one after each change of what a search finds. */
  get version(): number {
    return this.reached?.position ?? 0;
  }

  search(query: string, topK: number): FoundPassage[] {
    return this.#exist ? this.#index.search(query, topK, this.#passages()) : [];
  }

  searchForPrompt(query: string, topK: number): PromptPassage[] {
    return this.#exist ? this.#index.searchForPrompt(query, topK, this.#passages()) : [];
  }

  termsOf(query: string): QueryTerms {
    return this.#exist ? this.#index.termsOf(query, this.#passages()) : NO_TERMS;
  }

  /** None if another model than this has made the vectors. */
  passagesOf(
    vectors: readonly NearVector[],
    query: string,
    topK: number,
    model: string,
  ): FoundPassage[] {
    if (this.#vectorState.state()?.model !== model) return [];
    const near = this.#vectorState.passagesOf(vectors);
    return near.length === 0 ? [] : this.#index.get(near, query, topK, this.#passages());
  }

  passagesAt(ids: readonly string[]): PlacedPassage[] {
    return this.#exist ? this.#index.at(ids) : [];
  }

  /** Stores a page that follows on what was reached. */
  take(page: ChangePage, original: string): void {
    if (page.from !== this.version) throw new Error("The page is out of turn.");
    this.#storage.transactionSync(() => {
      if (!this.#exist) this.#create(page, original);
      const removed = page.deleted.map((id) => this.#remove(id));
      const added = page.documents.map((passages) => this.#add(passages));
      const more = [...added, ...removed].reduce((sum, passages) => sum + passages, 0);
      this.#sql.exec("UPDATE corpus SET passages = passages + ?, position = ?", ...[more, page.to]);
      if (page.vectors !== undefined) this.#vectorState.follow(page.vectors);
    });
    this.#state = "ours";
  }

  /**
   * Part of the work after the last page. True once a search finds
   * what it finds in the original; until then, call it again.
   * @throws If the documents are not those of the original.
   */
  finish({ passages, statistics }: ChangePage): boolean {
    if (this.#passages() !== passages) throw new Error("The copy has other passages.");
    this.#index.forget();
    return this.#storage.transactionSync(() => raiseStatistics(this.#sql, statistics, FILLERS));
  }

  async clear(): Promise<void> {
    if (this.#state === "none") return;
    this.#state = "of another release";
    this.#index.forget();
    await this.#storage.deleteAll();
    this.#state = "none";
  }

  get #exist(): boolean {
    return this.#state === "ours";
  }

  #create(page: ChangePage, original: string): void {
    CORPUS_SCHEMA.create(this.#sql);
    this.#sql.exec(COPY_TABLE);
    this.#sql.exec("INSERT INTO copy VALUES (1, ?, ?)", original, page.head);
    this.#sql.exec(
      `INSERT INTO corpus (one, passages, analyzer_version, indexed_to, log)
       VALUES (1, 0, 0, '', ?)`,
      page.log,
    );
  }

  #passages(): number {
    if (!this.#exist) return 0;
    return this.#sql.exec<{ passages: number }>("SELECT passages FROM corpus").one().passages;
  }

  /** Returns how many more passages there are. */
  #add(passages: readonly NumberedPassage[]): number {
    const [first] = passages;
    if (first === undefined) return 0;
    const removed = this.#remove(first.documentId);
    this.#index.addAt(first.id, passages);
    // What a search does not read is left out.
    this.#sql.exec(
      `INSERT INTO documents
         (id, title, passages, bytes, content_hash, updated_at, first_passage, text)
       VALUES (?, ?, ?, 0, '', 0, ?, '')`,
      ...[first.documentId, first.title, passages.length, first.id],
    );
    return passages.length + removed;
  }

  /** Returns how many more passages there are: none, or fewer. */
  #remove(id: string): number {
    const [row] = this.#sql
      .exec<{ first: number; passages: number }>(
        "DELETE FROM documents WHERE id = ? RETURNING first_passage AS first, passages",
        id,
      )
      .toArray();
    if (row === undefined) return 0;
    this.#index.remove(row.first, row.passages);
    return -row.passages;
  }
}

/** A copy is made again rather than migrated. */
function stateOf(sql: SqlStorage): "none" | "ours" | "of another release" {
  const hasTables = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'copy'").toArray();
  if (hasTables.length === 0) return "none";
  const { version } = sql.exec<{ version: number }>("SELECT version FROM schema_version").one();
  return version === CORPUS_SCHEMA.version ? "ours" : "of another release";
}
