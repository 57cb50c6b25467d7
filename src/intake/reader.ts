// Intake turns a file into passages: a reader turns the file into sections,
// and passages.ts cuts these. A reader knows one media type. To take in
// another (HTML, PDF, DOCX), add a file with a Reader beside markdown.ts.
// Intake runs in the Worker and in the commands, so it uses no API of either.

import type { BlockKind } from "../text/blocks.ts";

export interface Reader<Source extends string | Uint8Array> {
  /** Takes time linear in the length of the source. */
  read(source: Source): Content | Promise<Content>;
}

/** What a file contains. */
export interface Content {
  /** The file's own title; undefined without a visible one. */
  readonly title: string | undefined;
  /** Its author has not published it. */
  readonly isDraft: boolean;
  /** The text to store, without metadata such as front matter. */
  readonly text: string;
  readonly sections: readonly Section[];
}

/** The blocks between two headings. */
export interface Section {
  /** The headings above it, outermost first. */
  readonly heading: readonly string[];
  /** The innermost heading's anchor, if any. */
  readonly anchor: string | null;
  readonly blocks: readonly Block[];
}

/** Plain text that belongs together: a paragraph, a table, some code. */
export interface Block {
  readonly text: string;
  /**
   * A long table or code is cut between lines, the others between sentences.
   */
  readonly kind: BlockKind;
  /** The language of code; empty if unknown. */
  readonly language: string;
  /** Code inside the list item before it. */
  readonly nested: boolean;
  /** The header row of a table. Each part of a cut table repeats it. */
  readonly head: string;
  /** A list item that follows another without an empty line. */
  readonly tight: boolean;
}
