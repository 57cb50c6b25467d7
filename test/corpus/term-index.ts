// An index of passages that are written as lists of terms.

import { runInDurableObject } from "cloudflare:test";
import { PASSAGE_TABLES } from "../../src/corpus/passage-index.ts";
import type { Hit } from "../../src/corpus/postings.ts";
import type { KnownTerm } from "../../src/corpus/term-source.ts";
import { matchQuery } from "../../src/text/analyzer.ts";
import { newCorpus } from "./new-corpus.ts";

/** Runs `test` with the index of passages that have these terms, from the id 1 on. */
export async function withIndex(
  passages: readonly (readonly string[])[],
  test: (sql: SqlStorage) => void | Promise<void>,
): Promise<void> {
  const { stub } = newCorpus();
  await runInDurableObject(stub, async (_, { storage }) => {
    storage.transactionSync(() => {
      storage.sql.exec(PASSAGE_TABLES);
      passages.forEach((terms, i) => {
        storage.sql.exec(
          "INSERT INTO passage_terms (rowid, title, text) VALUES (?, ?, '')",
          ...[i + 1, ["filler", ...terms].join(" ")],
        );
      });
    });
    await test(storage.sql);
  });
}

/** Those of the terms that passages have. */
export function known(sql: SqlStorage, terms: readonly string[]): KnownTerm[] {
  return terms.flatMap((term) =>
    sql
      .exec<{ passages: number }>("SELECT doc AS passages FROM vocabulary WHERE term = ?", term)
      .toArray()
      .map(({ passages }) => ({ term, passages })),
  );
}

/** The best matches of all terms, the best first. */
export function byFts5(sql: SqlStorage, terms: readonly KnownTerm[], limit: number): Hit[] {
  return sql
    .exec<{ id: number; score: number }>(
      `SELECT rowid AS id, -rank AS score FROM passage_terms WHERE passage_terms MATCH ?
       ORDER BY rank LIMIT ?`,
      ...[matchQuery(terms.map(({ term }) => term)), limit],
    )
    .toArray();
}
