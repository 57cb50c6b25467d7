// Which sources an answer cites. Numbers without a source are
// ignored, so that an invented number is never shown as a source.
// text/citation-marks.ts defines what counts as a citation.

import type { Source } from "../protocol.ts";
import { citedNumbers } from "../text/citation-marks.ts";

/** Sets `cited` on each source. */
export function withCitations(sources: readonly Source[], answer: string): Source[] {
  const known = new Set(sources.map(({ n }) => n));
  const numbers = citedNumbers(answer, (n) => known.has(n));
  return sources.map((source) => ({ ...source, cited: numbers.has(source.n) }));
}
