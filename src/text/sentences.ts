// The sentences of a text, by Unicode's rules and our list of
// abbreviations: "Dr." ends no sentence. A line's end is a sentence's
// end. Pure.

/** Without the white space around it. Offsets are in UTF-16 units. */
export interface Sentence {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const SEGMENTER = new Intl.Segmenter("en", { granularity: "sentence" });

const ABBREVIATION =
  /(?:^|[\s("“‘'])(?:Dr|Mr|Mrs|Ms|Prof|Gen|Col|Capt|Lt|Sgt|Rev|Hon|St|Mt|Jr|Sr|vs|etc|cf|al|e\.g|i\.e|No|Nos|Fig|Figs|Eq|Sec|Ch|Vol|pp|ed|eds|Inc|Ltd|Co|Corp|Dept|Univ|approx|ca|U\.S|U\.K|[A-Z])\.\s*$/;

/** Ends a text that introduces what follows. */
export const LEAD_IN = /[:：]$/;

/** The number of a list item. */
const NUMBER = /^\s*\d{1,9}[.)]\s*$/;

/** A mark that is spoken of, as in "a dot . before the name". */
const LONE_MARK = /\s[.?!]\s*$/;

/**
 * Whether a segment ends in a list item's number, or inside a name or an
 * address, as in `?lang=ar` and `.NET`: no space is after the mark.
 */
function goesOn(segment: string): boolean {
  return ".?!".includes(segment.slice(-1)) || NUMBER.test(segment) || LONE_MARK.test(segment);
}

/**
 * A line without these is one sentence. This is far faster than the
 * segmenter.
 */
const SENTENCE_END = /[\p{Sentence_Terminal}\r\x85\u2028\u2029]/u;

export function sentences(text: string): Sentence[] {
  const found: Sentence[] = [];
  for (const line of text.matchAll(/[^\n]+/g)) {
    let start = 0;
    if (!SENTENCE_END.test(line[0])) {
      push(found, line[0], line.index);
      continue;
    }
    for (const { index, segment } of SEGMENTER.segment(line[0])) {
      const end = index + segment.length;
      if (end < line[0].length && (ABBREVIATION.test(segment) || goesOn(segment))) continue;
      push(found, line[0].slice(start, end), line.index + start);
      start = end;
    }
  }
  return found;
}

function push(found: Sentence[], segment: string, offset: number): void {
  const text = segment.trim();
  if (text === "") return;
  const start = offset + segment.indexOf(text);
  found.push({ text, start, end: start + text.length });
}
