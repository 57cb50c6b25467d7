// The change log of a corpus, which its copies follow. The passages are
// the log: every change of a document gives it passages with ids above
// all earlier ones, so a copy that has the passages up to an id reads on
// from there. Only deletions need rows of their own. An id is a position
// in the log, and is used once.

import type { NumberedPassage, PassageIndex } from "./passage-index.ts";
import { type IndexStatistics, indexStatistics } from "./statistics.ts";
import type { VectorState } from "./vector-state.ts";

export const CHANGE_LOG_TABLES = `
  CREATE TABLE deletions (
    position INTEGER PRIMARY KEY,
    document_id TEXT NOT NULL
  ) STRICT;
`;

/** How far a copy has come. */
export interface Reached {
  /** Which log it follows. */
  readonly log: string;
  readonly position: number;
  /** The original's position when the copy began with the first passage. */
  readonly base: number;
}

/** Some of the changes after a position, whole documents only. */
export interface ChangePage {
  /** Another log, or one that lacks deletions: begin with the first passage. */
  readonly isRestart: boolean;
  /** Random, made with the tables. Empty if there are none. */
  readonly log: string;
  readonly from: number;
  /** The position that a copy of this page has reached. */
  readonly to: number;
  /** The position of the original. */
  readonly head: number;
  /** Deleted documents. Those that came back are among the documents. */
  readonly deleted: readonly string[];
  /** The passages of each document, none of which is empty. */
  readonly documents: readonly (readonly NumberedPassage[])[];
  readonly passages: number;
  readonly statistics: IndexStatistics;
  readonly vectors: { readonly model: string; readonly series: string } | undefined;
  /** The index is of an old analyzer in part. */
  readonly isOutdated: boolean;
}

/** The row of the corpus, as far as the log needs it. */
export interface LogState {
  readonly log: string;
  readonly position: number;
  /** Deletions up to this position are no longer known. */
  readonly deletions_pruned_to: number;
  readonly passages: number;
}

/** A copy that was away for longer begins again, if anything was deleted. */
const POSITIONS_KEPT = 100_000;

/** A page ends after the document that exceeds one of these. */
const PAGE_PASSAGES = 100;
const PAGE_LENGTH = 256 * 1024; /* in UTF-16 units */
const PAGE_DELETIONS = 1_000;

export class ChangeLog {
  readonly #sql: SqlStorage;
  readonly #index: PassageIndex;
  readonly #vectorState: VectorState;

  constructor(sql: SqlStorage, index: PassageIndex, vectorState: VectorState) {
    this.#sql = sql;
    this.#index = index;
    this.#vectorState = vectorState;
  }

  /** Records a deletion, in the transaction that removes the document. */
  deleted(documentId: string, position: number): void {
    this.#sql.exec("INSERT INTO deletions VALUES (?, ?)", position, documentId);
    const oldest = position - POSITIONS_KEPT;
    const pruned = this.#sql.exec("DELETE FROM deletions WHERE position <= ?", oldest);
    if (pruned.rowsWritten > 0) {
      this.#sql.exec("UPDATE corpus SET deletions_pruned_to = ?", oldest);
    }
  }

  /** Call it in a transaction: see indexStatistics. */
  pageAfter(reached: Reached | undefined, state: LogState, isOutdated: boolean): ChangePage {
    const { log, position: head, passages } = state;
    const isRestart = reached !== undefined && !isFollowing(reached, state);
    const from = reached?.position ?? 0;
    const deletions = isRestart ? [] : this.#deletionsAfter(Math.max(from, reached?.base ?? head));
    const last = deletions.length === PAGE_DELETIONS ? deletions.at(-1)?.position : undefined;
    const { documents, to } = this.#documentsAfter(from, isRestart ? from : (last ?? head));
    const deleted = deletions.filter(({ position }) => position <= to).map(({ id }) => id);
    return {
      ...{ isRestart, log, from, to, head, deleted, documents, passages, isOutdated },
      statistics: indexStatistics(this.#sql),
      vectors: this.#vectors(),
    };
  }

  #deletionsAfter(position: number): { readonly id: string; readonly position: number }[] {
    return this.#sql
      .exec<{ id: string; position: number }>(
        `SELECT document_id AS id, position FROM deletions
         WHERE position > ? ORDER BY position LIMIT ?`,
        ...[position, PAGE_DELETIONS],
      )
      .toArray();
  }

  /** Those between two positions, and how far they go. */
  #documentsAfter(from: number, end: number): Pick<ChangePage, "documents" | "to"> {
    const documents: NumberedPassage[][] = [];
    let to = from;
    let passages = 0;
    let length = 0;
    for (;;) {
      const next = this.#nextDocument(to, end);
      if (next === undefined) return { documents, to: end };
      if (passages >= PAGE_PASSAGES || length >= PAGE_LENGTH) return { documents, to };
      const document = this.#index.after(next.first - 1, next.passages);
      documents.push(document);
      to = next.first + next.passages - 1;
      passages += next.passages;
      length += document.reduce((sum, { text }) => sum + text.length, 0);
    }
  }

  #nextDocument(after: number, end: number): { first: number; passages: number } | undefined {
    return this.#sql
      .exec<{ first: number; passages: number }>(
        `SELECT documents.first_passage AS first, documents.passages AS passages
         FROM passages CROSS JOIN documents ON documents.id = passages.document_id
         WHERE passages.id > ? AND passages.id <= ? ORDER BY passages.id LIMIT 1`,
        ...[after, end],
      )
      .toArray()[0];
  }

  #vectors(): ChangePage["vectors"] {
    const state = this.#vectorState.state();
    return state && { model: state.model, series: state.series };
  }
}

function isFollowing(reached: Reached, state: LogState): boolean {
  if (reached.log !== state.log || reached.position > state.position) return false;
  // While it reads the first passages, it needs later deletions only.
  return Math.max(reached.base, reached.position) >= state.deletions_pruned_to;
}
