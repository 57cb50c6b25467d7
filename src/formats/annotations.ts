// The places where an answer cites a source with an address: the annotations
// of other APIs.

import type { Source } from "../protocol.ts";
import { citationMarks } from "../text/citation-marks.ts";
import type { WholeAnswer } from "./format.ts";

/** A citation mark: from `start` to before `end`, in UTF-16 units. */
export interface Annotation {
  readonly start: number;
  readonly end: number;
  readonly title: string;
  readonly url: string;
}

/** In the order of the text: one for each number of a mark. */
export function annotationsOf({
  tokens,
  sources,
}: Pick<WholeAnswer, "tokens" | "sources">): Annotation[] {
  const cited = new Map(
    sources.filter(({ cited }) => cited === true).map((source) => [source.n, source]),
  );
  if (cited.size === 0) return [];
  return citationMarks(tokens.join("")).flatMap(({ start, end, numbers }) =>
    numbers.flatMap((n) => annotation(cited.get(n), start, end)),
  );
}

function annotation(source: Source | undefined, start: number, end: number): Annotation[] {
  if (source === undefined || source.url === null) return [];
  return [{ start, end, title: source.title, url: source.url }];
}
