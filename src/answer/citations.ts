// Which of its sources an answer cites. A number that no source has cites nothing, so that whatever a
// model makes up is never shown as a source. What counts as a citation is in text/citation-marks.ts.

import type { Source } from "../protocol.ts";
import { citedNumbers } from "../text/citation-marks.ts";

/** The sources, each with whether the answer cites it. */
export function withCitations(sources: readonly Source[], answer: string): Source[] {
  const known = new Set(sources.map(({ n }) => n));
  const numbers = citedNumbers(answer, (n) => known.has(n));
  return sources.map((source) => ({ ...source, cited: numbers.has(source.n) }));
}
