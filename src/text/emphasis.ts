// The emphasis of a Markdown text: runs of `*`, `_` and `~`, paired by
// the delimiter algorithm of CommonMark. Next to a letter without case,
// as in Chinese or Japanese, a mark needs no blank around it. Linear in
// the number of runs. Pure.

const BLANK = /^\s?$/u;
const PUNCTUATION = /^[\p{P}\p{S}]$/u;
const WITHOUT_CASE = /^[\p{Lo}\p{Lm}\p{Nl}\uFF00-\uFFEF]$/u;

/** An element without its children. */
export type Element =
  | { readonly kind: "emphasis" | "strong" | "strike" }
  | { readonly kind: "link"; readonly address: string };

/** Marks in a text. What begins and ends there is found later. */
export interface Mark {
  readonly kind: "mark";
  /** Those that begin and end nothing: they are text. */
  text: string;
  /** The number of elements that end here, before others begin. */
  ended: number;
  /** From the inside out. */
  readonly begun: Element[];
}

/** A run of one mark that may open or close emphasis. */
export interface Run extends Mark {
  readonly char: string;
  /** Its offset and length in the text. */
  readonly start: number;
  readonly length: number;
  readonly opens: boolean;
  readonly closes: boolean;
}

export function markOf(text: string): Mark {
  return { kind: "mark", text, ended: 0, begun: [] };
}

/** The run of marks between two offsets. */
export function runOf(text: string, start: number, end: number): Run {
  const char = text.charAt(start);
  const before = [...text.slice(Math.max(0, start - 2), start)].at(-1) ?? "";
  const after = [...text.slice(end, end + 2)][0] ?? "";
  const isLeft = touches(after, before);
  const isRight = touches(before, after);
  return {
    ...markOf(text.slice(start, end)),
    char,
    start,
    length: end - start,
    opens: isLeft && (char !== "_" || !isRight || PUNCTUATION.test(before)),
    closes: isRight && (char !== "_" || !isLeft || PUNCTUATION.test(after)),
  };
}

/** Whether a run between two characters belongs to the inner one. */
function touches(inner: string, outer: string): boolean {
  if (BLANK.test(inner)) return false;
  return !PUNCTUATION.test(inner) || isBoundary(outer) || WITHOUT_CASE.test(outer);
}

/** Pairs runs. Returns those that are still open. */
export function pair(runs: readonly Run[]): Run[] {
  const openers: Run[] = [];
  /** The offset before which a closer of this kind finds no opener. */
  const searched: Record<string, number> = {};
  for (const closer of runs) {
    while (closer.closes && closer.text !== "") {
      const kind = `${closer.char}${closer.opens}${closer.length % 3}`;
      const least = searched[kind] ?? 0;
      const i = openers.findLastIndex((opener) => opener.start < least || matches(opener, closer));
      const opener = openers[i];
      if (opener === undefined || opener.start < least) {
        searched[kind] = closer.start;
        break;
      }
      const length = Math.min(2, opener.text.length, closer.text.length);
      begin(opener, length);
      closer.ended += 1;
      closer.text = closer.text.slice(length);
      openers.length = opener.text === "" ? i : i + 1;
    }
    if (closer.opens && closer.text !== "") openers.push(closer);
  }
  return openers;
}

/**
 * Ends what is open, for a text that is unfinished. A single mark stays
 * text: few open anything.
 */
export function endOf(openers: readonly Run[]): Mark {
  const end = markOf("");
  for (const opener of openers.toReversed()) {
    if (opener.closes || opener.text.length < 2) continue;
    begin(opener, 2);
    end.ended += 1;
  }
  return end;
}

/** Whether code that is still open may begin after the character. */
export function isBoundary(character: string): boolean {
  return BLANK.test(character) || PUNCTUATION.test(character);
}

function begin(opener: Run, length: number): void {
  const kind = opener.char === "~" ? "strike" : length === 2 ? "strong" : "emphasis";
  opener.text = opener.text.slice(length);
  opener.begun.push({ kind });
}

function matches(opener: Run, closer: Run): boolean {
  if (opener.char !== closer.char) return false;
  const isEither = closer.opens || opener.closes;
  return !isEither || (opener.length + closer.length) % 3 !== 0 || closer.length % 3 === 0;
}
