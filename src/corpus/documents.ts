// The documents as their operator put them in, each with its passages: always both or neither.
// HTTP is in corpus-object.ts, the search in passage-index.ts.

import { markdown } from "../intake/markdown.ts";
import { passages } from "../intake/passages.ts";
import { ANALYZER_VERSION } from "../text/analyzer.ts";
import {
  type FoundPassage,
  type NumberedPassage,
  type PassageHeading,
  PassageIndex,
  type StoredPassage,
} from "./passage-index.ts";
import { VectorState } from "./vector-state.ts";

/** What an operator says of a document. */
export interface Document {
  readonly id: string;
  readonly title: string;
  readonly url: string | null;
  readonly text: string;
  /** Deleted when the first document that is no sample arrives. */
  readonly sample: boolean;
}

/** What is known of a document, besides its text. */
export interface DocumentEntry extends Omit<Document, "text" | "sample"> {
  /** How many passages it was cut into. */
  readonly passages: number;
  /** Of its text in UTF-8, like the hash. */
  readonly bytes: number;
  /** SHA-256 in hexadecimal: whoever has the file can tell whether it has changed since. */
  readonly contentHash: string;
  /** ISO 8601 in UTC. */
  readonly updatedAt: string;
  /** Only of a sample. */
  readonly sample?: true;
}

interface DocumentRow extends Record<string, SqlStorageValue> {
  id: string;
  title: string;
  url: string | null;
  passages: number;
  bytes: number;
  content_hash: string;
  /** Milliseconds since the epoch. */
  updated_at: number;
  /** The id of the first passage; the others follow it. */
  first_passage: number;
  /** 1 for a sample, else 0. */
  sample: number;
}

interface CorpusRow extends Record<string, SqlStorageValue> {
  /** All passages: to count them would be to read them, at every search. */
  passages: number;
  analyzer_version: number;
  /** While the index is of another version: the last document that was indexed anew. */
  indexed_to: string;
}

/** How much text makes a passage, about. */
const PASSAGE_BYTES = 1_000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS corpus (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    passages INTEGER NOT NULL CHECK (passages >= 0),
    analyzer_version INTEGER NOT NULL,
    indexed_to TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    url TEXT,
    passages INTEGER NOT NULL CHECK (passages >= 0),
    bytes INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    first_passage INTEGER NOT NULL,
    text TEXT NOT NULL,
    sample INTEGER NOT NULL DEFAULT 0
  ) STRICT;
`;

const ENTRY = "id, title, url, passages, bytes, content_hash, updated_at, first_passage, sample";

function statements(sql: SqlStorage) {
  return {
    exists: () =>
      sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'corpus'").toArray().length > 0,

    corpus: () =>
      sql.exec<CorpusRow>("SELECT passages, analyzer_version, indexed_to FROM corpus").one(),

    hasSampleColumn: () =>
      sql.exec("SELECT 1 FROM pragma_table_info('documents') WHERE name = 'sample'").toArray()
        .length > 0,

    addSampleColumn: () => {
      sql.exec("ALTER TABLE documents ADD COLUMN sample INTEGER NOT NULL DEFAULT 0");
    },

    createCorpus: () => {
      sql.exec(SCHEMA);
      sql.exec("INSERT OR IGNORE INTO corpus VALUES (1, 0, ?, '')", ANALYZER_VERSION);
    },

    addPassages: (count: number) => {
      sql.exec("UPDATE corpus SET passages = passages + ?", count);
    },

    setIndexedTo: (id: string) => {
      sql.exec("UPDATE corpus SET indexed_to = ?", id);
    },

    setAnalyzerVersion: (version: number) => {
      sql.exec("UPDATE corpus SET analyzer_version = ?, indexed_to = ''", version);
    },

    entry: (id: string) =>
      sql.exec<DocumentRow>(`SELECT ${ENTRY} FROM documents WHERE id = ?`, id).toArray()[0],

    text: (id: string) =>
      sql.exec<{ text: string }>("SELECT text FROM documents WHERE id = ?", id).one().text,

    entriesAfter: (id: string, limit: number) =>
      sql
        .exec<DocumentRow>(
          `SELECT ${ENTRY} FROM documents WHERE id > ? ORDER BY id LIMIT ?`,
          id,
          limit,
        )
        .toArray(),

    put: (row: DocumentRow, text: string) => {
      const { id, title, url, passages, bytes, content_hash, updated_at, first_passage } = row;
      const entry = [id, title, url, passages, bytes, content_hash, updated_at, first_passage];
      sql.exec(
        `INSERT OR REPLACE INTO documents (${ENTRY}, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[...entry, row.sample, text],
      );
    },

    samples: () =>
      sql.exec<{ id: string }>("SELECT id FROM documents WHERE sample = 1 ORDER BY id").toArray(),

    setPassages: (id: string, first: number, count: number) => {
      sql.exec(
        "UPDATE documents SET first_passage = ?, passages = ? WHERE id = ?",
        ...[first, count, id],
      );
    },

    delete: (id: string) => {
      sql.exec("DELETE FROM documents WHERE id = ?", id);
    },
  };
}

export class Documents {
  /** Which of the passages have a vector. */
  readonly vectorState: VectorState;
  readonly #storage: DurableObjectStorage;
  readonly #do: ReturnType<typeof statements>;
  readonly #index: PassageIndex;
  /** Tables are made for the first document, so that asking creates nothing. */
  #exists: boolean;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#do = statements(storage.sql);
    this.#index = new PassageIndex(storage.sql);
    this.vectorState = new VectorState(storage.sql);
    this.#exists = this.#do.exists();
    if (this.#exists && !this.#do.hasSampleColumn()) this.#do.addSampleColumn();
  }

  search(query: string, topK: number): FoundPassage[] {
    return this.#exists ? this.#index.search(query, topK, this.#do.corpus().passages) : [];
  }

  /** Under which headings the oldest passages stand. */
  headings(): PassageHeading[] {
    return this.#exists ? this.#index.headings() : [];
  }

  isEmpty(): boolean {
    return !this.#exists || this.#do.corpus().passages === 0;
  }

  /** The first `topK` passages whose vectors have these ids, in their order, without those that are gone. */
  passagesOf(vectorIds: readonly string[], query: string, topK: number): FoundPassage[] {
    const ids = this.vectorState.passagesOf(vectorIds);
    if (ids.length === 0) return [];
    return this.#index.get(ids, query, topK, this.#do.corpus().passages);
  }

  /** The next passages after an id, in the order in which they came. */
  passagesAfter(id: number, limit: number): NumberedPassage[] {
    return this.#exists ? this.#index.after(id, limit) : [];
  }

  hasPassageAfter(id: number): boolean {
    return this.#exists && this.#index.countAfter(id, 1) > 0;
  }

  /** Reads as many rows as there are passages after it. */
  countPassagesAfter(id: number): number {
    return this.#exists ? this.#index.countAfter(id, Number.MAX_SAFE_INTEGER) : 0;
  }

  /** Lets all passages wait for vectors by a model; those of before are stale. */
  beginVectors(model: string): void {
    this.#storage.transactionSync(() => this.vectorState.begin(model));
  }

  entry(id: string): DocumentEntry | undefined {
    const row = this.#exists ? this.#do.entry(id) : undefined;
    return row && toEntry(row);
  }

  text(id: string): string {
    return this.#do.text(id);
  }

  /** In the order of their ids. */
  entriesAfter(id: string, limit: number): DocumentEntry[] {
    return this.#exists ? this.#do.entriesAfter(id, limit).map(toEntry) : [];
  }

  /** Whether it is stored just so already, so that nothing needs to be written. */
  holds({ id, title, url, sample }: Document, contentHash: string): boolean {
    const before = this.entry(id);
    const isSame = before?.contentHash === contentHash && (before.sample ?? false) === sample;
    return isSame && before.title === title && before.url === url;
  }

  /** Whether any document is no sample. Samples are never beside others, so that one tells. */
  hasOwn(): boolean {
    return this.entriesAfter("", 1).some(({ sample }) => !sample);
  }

  /**
   * Puts a document in the place of the one of its id, if any.
   * @param cut Its passages, if they are known already.
   */
  put(
    document: Document,
    bytes: number,
    contentHash: string,
    now: number,
    cut?: readonly StoredPassage[],
  ): DocumentEntry {
    if (!this.#exists) {
      this.#storage.transactionSync(() => {
        this.#do.createCorpus();
        PassageIndex.create(this.#storage.sql);
      });
      this.#exists = true;
    }
    const { text, sample, ...head } = document;
    const before = this.#do.entry(document.id);
    // Nothing is written for what has not changed, so that all files may be sent again and again.
    if (before !== undefined && this.holds(document, contentHash)) return toEntry(before);

    return this.#storage.transactionSync(() => {
      const others = sample ? [] : this.#do.samples().filter(({ id }) => id !== document.id);
      for (const { id } of others) this.delete(id);
      const kept = this.#replacePassages(before, cut ?? storedPassages(document));
      const known = { bytes, content_hash: contentHash, updated_at: now, sample: Number(sample) };
      const row = { ...head, ...known, ...kept };
      this.#do.put(row, text);
      return toEntry(row);
    });
  }

  /** Whether there was one of that id. */
  delete(id: string): boolean {
    const row = this.#exists ? this.#do.entry(id) : undefined;
    if (row === undefined) return false;
    this.#storage.transactionSync(() => {
      this.#removePassages(row);
      this.#do.addPassages(-row.passages);
      this.#do.delete(id);
    });
    return true;
  }

  isOutdated(): boolean {
    return this.#exists && this.#do.corpus().analyzer_version !== ANALYZER_VERSION;
  }

  /**
   * Indexes one more document by the present analyzer, and returns how much work that was, counted in
   * passages. Until all are, a search finds some passages by terms of the old one: most are the same.
   */
  indexNext(): number {
    const [row] = this.#do.entriesAfter(this.#do.corpus().indexed_to, 1);
    if (row === undefined) {
      this.#do.setAnalyzerVersion(ANALYZER_VERSION);
      return 0;
    }
    try {
      this.#storage.transactionSync(() => {
        const document = { ...row, sample: row.sample === 1, text: this.#do.text(row.id) };
        const { first_passage, passages } = this.#replacePassages(row, storedPassages(document));
        this.#do.setPassages(row.id, first_passage, passages);
      });
    } catch (error) {
      // It keeps the passages that it has; the others must not wait for it.
      console.error(`The document "${row.id}" could not be indexed anew:`, error);
    }
    this.#do.setIndexedTo(row.id);
    // A long text of mark-up may have few passages, and takes as long as any.
    return Math.max(row.passages, row.bytes / PASSAGE_BYTES);
  }

  #replacePassages(before: DocumentRow | undefined, stored: readonly StoredPassage[]) {
    if (before !== undefined) this.#removePassages(before);
    this.#do.addPassages(stored.length - (before?.passages ?? 0));
    const first = this.#index.add(stored, this.vectorState.state()?.removedTo ?? 0);
    return { first_passage: first, passages: stored.length };
  }

  #removePassages({ first_passage, passages }: DocumentRow): void {
    this.#index.remove(first_passage, passages);
    this.vectorState.removed(first_passage, passages);
  }
}

/** The passages of a document. It takes up to half a second for 1 MiB, and reads no storage. */
export function storedPassages({ id, title, url, text }: Document): StoredPassage[] {
  return passages(markdown.read(text).sections).map(({ heading, anchor, text }, i) => ({
    documentId: id,
    place: i + 1,
    title,
    // Most documents begin with their title, which no passage needs twice.
    heading: heading[0] === title ? heading.slice(1) : heading,
    url: withAnchor(url, anchor),
    text,
  }));
}

/** The address of a passage: its heading's, unless the document's points to one already. */
function withAnchor(url: string | null, anchor: string | null): string | null {
  if (url === null || !anchor || url.includes("#")) return url;
  return `${url}#${encodeURIComponent(anchor)}`;
}

function toEntry(row: DocumentRow): DocumentEntry {
  const { id, title, url, passages, bytes, content_hash, updated_at } = row;
  const updatedAt = new Date(updated_at).toISOString();
  const entry = { id, title, url, passages, bytes, contentHash: content_hash, updatedAt };
  return row.sample === 1 ? { ...entry, sample: true } : entry;
}
