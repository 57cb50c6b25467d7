// When a client leaves an answer that is still written.

import type { Directive } from "./directive.ts";

export interface Moment {
  readonly when: string;
  readonly script: Directive;
  /** What the client has by then; a number is one of tokens. */
  readonly has: "nothing" | "opening" | "sources" | number;
}

export const MOMENTS: readonly Moment[] = [
  { when: "before the first byte", script: { fault: "hang-before-headers" }, has: "nothing" },
  { when: "after the opening", script: { fault: "hang-before-headers" }, has: "opening" },
  { when: "after the sources", script: { fault: "hang", at: 0 }, has: "sources" },
  { when: "in the middle of the answer", script: { tokens: 300, gapMs: 20 }, has: 10 },
  { when: "in a silence of the answer", script: { tokens: 10, fault: "hang", at: 3 }, has: 3 },
  { when: "before the end", script: { tokens: 5, ending: ["hang"] }, has: 5 },
];
