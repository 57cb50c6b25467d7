// A long text in stretches that mean the same when each is parsed alone, and which of them hold no
// mark-up at all, so that they need no parser: a full one is a hundred times as dear. What they mean
// is in markdown.ts.

/** Offsets are into the text, in UTF-16 units. */
interface Stretch {
  readonly start: number;
  readonly end: number;
  /** Nothing but paragraphs between empty lines, and headings that begin with `#`. */
  readonly plain: boolean;
}

/** Parsing time grows faster than its input, so a long text is parsed in stretches of about this length. */
const LENGTH = 16 * 1024;
/** And cut at any line's end where it offers no better place. */
const LENGTH_MAX = 64 * 1024;
/** For less, to begin anew would be dearer than to parse it with the rest. */
const PLAIN_LENGTH_MIN = 512;

const FRONT_MATTER = /^---[ \t]*\r?\n(?:[^\n]*\n)*?---[ \t]*(?:\r?\n|$)/;
/** What has to do with text beyond an empty line: a definition that links refer to, a comment, a script. */
const REACHES_FAR = /^ {0,3}(?:\[[^\n]*\]:|<(?:[!?]|script|pre|style|textarea))/im;

export const HEADING = /^(#{1,6})[ \t]+/;
/** No list can claim it after an empty line. */
const AT_MARGIN = /^[^\s\-+*>|\d]/;
/** A line in which there may be mark-up, besides that of a heading at its beginning. */
const MARKED =
  /[`*_~[<&\\|\0]|^[ \t]+\S|^(?:[>:]|[-+](?:\s|$)|--|=+\s*$|\d{1,9}[.)](?:\s|$))|#\s*$|\r(?!\n)/;
const EMPTY = /^[ \t]*\r?\n?$/;

export function* stretches(text: string): Generator<Stretch> {
  let open: Stretch | undefined;
  for (const run of runs(text)) {
    const plain = run.plain && run.end - run.start >= PLAIN_LENGTH_MIN;
    if (open !== undefined && (open.plain || plain || open.end - open.start >= LENGTH)) {
      yield open;
      open = undefined;
    }
    open = { start: open?.start ?? run.start, end: run.end, plain };
  }
  if (open !== undefined) yield open;
}

/** Neighbours that are all plain become one. */
function* runs(text: string): Generator<Stretch> {
  let open: Stretch | undefined;
  for (const part of parts(text)) {
    if (open?.plain && part.plain) {
      open = { ...open, end: part.end };
    } else {
      if (open !== undefined) yield open;
      open = part;
    }
  }
  if (open !== undefined) yield open;
}

/**
 * The smallest parts: each but the first begins with a heading or, after an empty line, with something
 * at the margin that no list can claim; never inside a fence.
 */
function* parts(text: string): Generator<Stretch> {
  const reachesFar = REACHES_FAR.test(text);
  const head = FRONT_MATTER.exec(text)?.[0].length ?? 0;
  let start = 0;
  let plain = head === 0 && !reachesFar;
  let fence = "";
  let afterEmpty = true;
  for (const { at, line } of lines(text, head)) {
    if (EMPTY.test(line)) {
      afterEmpty = true;
      continue;
    }
    const length = at - start;
    const fits =
      (HEADING.test(line) && (afterEmpty || plain || length >= LENGTH)) ||
      (afterEmpty && AT_MARGIN.test(line));
    if (fence === "" && length > 0 && (fits || length >= LENGTH_MAX)) {
      yield { start, end: at, plain };
      start = at;
      plain = !reachesFar;
    }
    fence = fenceAfter(line, fence);
    plain &&= !MARKED.test(line);
    afterEmpty = false;
  }
  if (start < text.length) yield { start, end: text.length, plain };
}

/** The lines from an offset on, each with its end. */
export function* lines(text: string, from = 0): Generator<{ at: number; line: string }> {
  for (let at = from; at < text.length; ) {
    const newline = text.indexOf("\n", at);
    const next = newline === -1 ? text.length : newline + 1;
    yield { at, line: text.slice(at, next) };
    at = next;
  }
}

/** The fence that code stands in after a line, given the one before it; "" is none. */
export function fenceAfter(line: string, fence: string): string {
  const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1] ?? "";
  if (fence === "") return mark;
  return mark.startsWith(fence) && line.trim() === mark ? "" : fence;
}
