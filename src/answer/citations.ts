// Which passages an answer cites: `[n]`, `[1][2]`, `[1,2]` and `【1】` in its text. A number that no
// passage has cites nothing.

import type { Source } from "../protocol.ts";

const CITATION = /[[【]\s*(\d{1,3}(?:\s*[,，、]\s*\d{1,3})*)\s*[\]】]/g;

/** The sources, each with whether the answer cites it. */
export function withCitations(sources: readonly Source[], answer: string): Source[] {
  const cited = new Set<number>();
  for (const [, numbers = ""] of answer.matchAll(CITATION)) {
    for (const number of numbers.split(/[,，、]/)) cited.add(Number(number));
  }
  return sources.map((source) => ({ ...source, cited: cited.has(source.n) }));
}
