// What the Markdown parser and the rules beside it count during one text:
// all that takes time beyond its length. Pure.

import type { Env } from "markdown-it";

/** Lines and tokens of one text, about 1 µs each. */
export const STEPS_MAX = 40_000;

/** Marks read in one text. */
export const MARKS_MAX = 120_000;

/** Characters that are looked at in vain for as long as one mark is read. */
const VAIN_CHARACTERS = 16;

export interface Work extends Env {
  steps: number;
  marks: number;
  readonly footnotes: Set<string>;
  /** The names of the template tags that are closed somewhere. */
  readonly closed: ReadonlySet<string>;
  /** The names of the elements that are, in lower case. */
  readonly closedElements: ReadonlySet<string>;
  /** It imports modules or has components. */
  isMdx: boolean;
  /** Whether a container or a tag has a title. */
  labels: boolean;
  /** Elements with Markdown inside that are open. */
  elements: number;
  /** Components that are open, and whether tabs are. */
  components: number;
  tabs: boolean;
  /** The marks of fences, and the shortest that is not closed. */
  readonly unclosed: Map<string, number>;
}

/** Counts characters that were read for nothing. */
export function lose(work: Work, characters: number): undefined {
  work.marks += Math.ceil(characters / VAIN_CHARACTERS);
  return undefined;
}
