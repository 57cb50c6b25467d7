// Other search engines with their defaults, to compare with Belay's ranking.

import { DatabaseSync } from "node:sqlite";
import MiniSearch from "minisearch";
import type { Document } from "./collection.ts";
import { DEPTH } from "./measures.ts";

/** The ids of the documents that fit a question, best first. */
export type Search = (question: string) => string[];

/** SQLite's full-text index, for any word of the question. */
export function sqlite(documents: Iterable<Document>): Search {
  const database = new DatabaseSync(":memory:");
  database.exec("CREATE VIRTUAL TABLE documents USING fts5(id UNINDEXED, title, text)");
  const insert = database.prepare("INSERT INTO documents VALUES (?, ?, ?)");
  database.exec("BEGIN");
  for (const { id, title, text } of documents) insert.run(id, title, text);
  database.exec("COMMIT");
  const select = database.prepare(
    "SELECT id FROM documents WHERE documents MATCH ? ORDER BY rank LIMIT ?",
  );
  return (question) => {
    const words = question.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
    if (words.length === 0) return [];
    const rows = select.all(words.map((word) => `"${word}"`).join(" OR "), DEPTH);
    return rows.map(({ id }) => String(id));
  };
}

export function miniSearch(documents: Iterable<Document>): Search {
  const index = new MiniSearch<Document>({ fields: ["title", "text"] });
  index.addAll([...documents]);
  return (question) =>
    index
      .search(question)
      .slice(0, DEPTH)
      .map(({ id }) => String(id));
}
