// Plain searches over the same documents, to compare with:
// SQLite's full-text index with two tokenizers, and MiniSearch.
// Each finds sections; its answer is the best one, cut.

import { DatabaseSync } from "node:sqlite";
import MiniSearch from "minisearch";
import type { Document } from "./collection.ts";
import { type Section, sectionsOf } from "./sections.ts";
import type { Answer } from "./verdicts.ts";

export const BASELINES = {
  fts5: { label: "SQLite FTS5", make: porter },
  trigram: { label: "SQLite FTS5, trigrams", make: trigram },
  miniSearch: { label: "MiniSearch", make: miniSearch },
} as const;
export type BaselineName = keyof typeof BASELINES;

/** The sections that fit a question, best first. */
export type Search = (question: string) => Section[];

const SECTIONS_MAX = 200;
const ANSWER_LENGTH_MAX = 1_200;
/** How much more a word in a title or a heading counts than one in a text. */
const BOOST = { title: 1.5, heading: 2 };

export function makeBaseline(name: BaselineName, documents: Iterable<Document>): Search {
  return BASELINES[name].make([...documents].flatMap(sectionsOf));
}

/** It refuses only if no section has any of the words. */
export function sectionAnswer(found: readonly Section[], topK: number): Answer {
  const sections = found.slice(0, topK);
  const [best] = sections;
  return {
    text: best === undefined ? "" : `${best.heading}\n${best.text}`.slice(0, ANSWER_LENGTH_MAX),
    isRefusal: best === undefined,
    documentIds: sections.map(({ documentId }) => documentId),
    firstCited: best?.documentId,
  };
}

function porter(sections: readonly Section[]): Search {
  const spaced = (text: string) => words(text).join(" ");
  return fullText(sections, "porter unicode61", spaced, words);
}

/** Any three characters of the question, as the index has them of a text. */
function trigram(sections: readonly Section[]): Search {
  return fullText(
    sections,
    "trigram",
    (text) => text,
    (question) => {
      const characters = [...question.replaceAll("\0", " ")];
      const starts = characters.slice(0, -2).map((_, i) => characters.slice(i, i + 3).join(""));
      return [...new Set(starts)];
    },
  );
}

function fullText(
  sections: readonly Section[],
  tokenizer: string,
  prepared: (text: string) => string,
  termsOf: (question: string) => readonly string[],
): Search {
  const database = new DatabaseSync(":memory:");
  database.exec(
    `CREATE VIRTUAL TABLE sections USING fts5(title, heading, text, tokenize='${tokenizer}')`,
  );
  const insert = database.prepare(
    "INSERT INTO sections (rowid, title, heading, text) VALUES (?, ?, ?, ?)",
  );
  database.exec("BEGIN");
  for (const [i, { title, heading, text }] of sections.entries()) {
    insert.run(i, prepared(title), prepared(heading), prepared(text));
  }
  database.exec("COMMIT");
  const select = database.prepare(
    `SELECT rowid FROM sections WHERE sections MATCH ?
     ORDER BY bm25(sections, ${BOOST.title}, ${BOOST.heading}, 1.0) LIMIT ${SECTIONS_MAX}`,
  );
  return (question) => {
    const terms = termsOf(question).map((term) => `"${term.replaceAll('"', '""')}"`);
    if (terms.length === 0) return [];
    return select.all(terms.join(" OR ")).flatMap(({ rowid }) => sections[Number(rowid)] ?? []);
  };
}

function miniSearch(sections: readonly Section[]): Search {
  const index = new MiniSearch<Section & { id: number }>({
    fields: ["title", "heading", "text"],
    tokenize: words,
    searchOptions: { boost: BOOST },
  });
  index.addAll(sections.map((section, id) => ({ ...section, id })));
  return (question) =>
    index
      .search(question)
      .slice(0, SECTIONS_MAX)
      .flatMap(({ id }) => sections[id] ?? []);
}

const UNSPACED = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}]/u;
const SEGMENTER = new Intl.Segmenter("zh", { granularity: "word" });

/** In lower case. Where no spaces are written, Unicode's rules divide. */
function words(text: string): string[] {
  const lower = text.toLowerCase();
  if (!UNSPACED.test(lower)) return lower.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  return Array.from(SEGMENTER.segment(lower))
    .filter(({ isWordLike }) => isWordLike)
    .map(({ segment }) => segment);
}
