// The tables of a corpus and their migrations.

import { addColumn, Schema } from "../schema.ts";
import { CHANGE_LOG_TABLES } from "./change-log.ts";
import { COLLECTION_TABLES, MOVE_TABLES } from "./collections.ts";
import { PASSAGE_TABLES } from "./passage-index.ts";
import { VECTOR_TABLES } from "./vector-state.ts";

export type DocumentRow = {
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

export type CorpusRow = {
  /** Of all documents: counting them would read every row. */
  passages: number;
  analyzer_version: number;
  /** The last document re-indexed for this analyzer. */
  indexed_to: string;
  /** Of the last change: see change-log.ts. */
  position: number;
  log: string;
  deletions_pruned_to: number;
  /** How many copies may hold documents. */
  copies: number;
  /** 1 or 0. The collection was deleted, and takes no documents any more. */
  closed: number;
};

const DOCUMENT_TABLES = `
  CREATE TABLE corpus (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    passages INTEGER NOT NULL CHECK (passages >= 0),
    analyzer_version INTEGER NOT NULL,
    indexed_to TEXT NOT NULL,
    position INTEGER NOT NULL DEFAULT 0,
    log TEXT NOT NULL DEFAULT '',
    deletions_pruned_to INTEGER NOT NULL DEFAULT 0,
    copies INTEGER NOT NULL DEFAULT 0,
    closed INTEGER NOT NULL DEFAULT 0 CHECK (closed IN (0, 1))
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
  DOCUMENT_TABLES +
    PASSAGE_TABLES +
    VECTOR_TABLES +
    CHANGE_LOG_TABLES +
    COLLECTION_TABLES +
    MOVE_TABLES,
  "corpus",
  [
    // To 2: samples. Version 1 made the vector tables with the first vector.
    (sql) => {
      addColumn(sql, "documents", "sample", "INTEGER NOT NULL DEFAULT 0 CHECK (sample IN (0, 1))");
      sql.exec(VECTOR_TABLES);
      // Version 4 drops it.
      addColumn(sql, "vectors", "removed_to", "INTEGER NOT NULL DEFAULT 0");
    },
    // To 3: the blocks of passages. All documents are cut again.
    (sql) => {
      addColumn(sql, "passages", "blocks", "TEXT NOT NULL DEFAULT ''");
      sql.exec("UPDATE corpus SET analyzer_version = 0, indexed_to = ''");
    },
    // To 4: the change log. Its positions replace the highest removed id.
    (sql) => {
      addColumn(sql, "corpus", "position", "INTEGER NOT NULL DEFAULT 0");
      addColumn(sql, "corpus", "log", "TEXT NOT NULL DEFAULT ''");
      addColumn(sql, "corpus", "deletions_pruned_to", "INTEGER NOT NULL DEFAULT 0");
      addColumn(sql, "corpus", "copies", "INTEGER NOT NULL DEFAULT 0");
      sql.exec(CHANGE_LOG_TABLES);
      sql.exec(
        `UPDATE corpus SET log = ?, position = max(
           (SELECT coalesce(max(id), 0) FROM passages),
           (SELECT coalesce(max(removed_to), 0) FROM vectors))`,
        crypto.randomUUID(),
      );
      sql.exec("ALTER TABLE vectors DROP COLUMN removed_to");
    },
    // To 5: collections. Each has a namespace of the vector index, and vectors
    // cannot be moved to one: no model has made them, so all are made again.
    (sql) => {
      addColumn(sql, "corpus", "closed", "INTEGER NOT NULL DEFAULT 0 CHECK (closed IN (0, 1))");
      sql.exec(COLLECTION_TABLES + MOVE_TABLES);
      sql.exec("UPDATE vectors SET model = ''");
    },
    // To 6: names of collections are reserved before they are opened.
    (sql) => {
      addColumn(
        ...[sql, "collections", "opened", "INTEGER NOT NULL DEFAULT 1 CHECK (opened IN (0, 1))"],
      );
    },
  ],
);
