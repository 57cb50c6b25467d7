// The emphasis of a Markdown text: runs of `*`, `_` and `~`, paired by
// the delimiter algorithm of CommonMark. Next to Chinese or Japanese, a
// mark needs no blank around it. Linear in the number of runs. Pure.

const BLANK = /^\s?$/u;
const PUNCTUATION = /^[\p{P}\p{S}]$/u;
const CJK =
  /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Bopomofo}\u3000-\u303F\uFF00-\uFFEF]$/u;

export type EmphasisKind = "emphasis" | "strong" | "strike";

/** A run of one mark that may open or close emphasis. */
export interface Run {
  readonly char: string;
  readonly length: number;
  readonly opens: boolean;
  readonly closes: boolean;
  /** Marks without a partner: they are text. */
  unpaired: number;
  /** What closes here, and then what opens here, each from the inside out. */
  readonly closed: EmphasisKind[];
  readonly opened: EmphasisKind[];
  before: Run | undefined;
  after: Run | undefined;
}

/** The runs that have no partner yet, as a linked list. */
export class Emphasis {
  #last: Run | undefined;

  get last(): Run | undefined {
    return this.#last;
  }

  /** Adds the run of marks between two offsets of the text. */
  add(text: string, from: number, to: number): Run {
    const char = text.charAt(from);
    const [before, after] = [characterBefore(text, from), characterAt(text, to)];
    const [blankBefore, blankAfter] = [BLANK.test(before), BLANK.test(after)];
    const [markBefore, markAfter] = [PUNCTUATION.test(before), PUNCTUATION.test(after)];
    const left = !blankAfter && (!markAfter || blankBefore || markBefore || CJK.test(before));
    const right = !blankBefore && (!markBefore || blankAfter || markAfter || CJK.test(after));
    const opens = left && (char !== "_" || !right || markBefore);
    const closes = right && (char !== "_" || !left || markAfter);
    const run = newRun(char, to - from, opens, closes);
    run.before = this.#last;
    if (this.#last !== undefined) this.#last.after = run;
    this.#last = run;
    return run;
  }

  /** Pairs the runs after `bottom`, and removes them from the list. */
  pair(bottom: Run | undefined): void {
    this.#pairAfter(bottom);
    this.#last = bottom;
    if (bottom !== undefined) bottom.after = undefined;
  }

  /**
   * Pairs all runs of an unfinished text, as if what is open closed at
   * its end. Returns the run that closes it. A single mark stays text:
   * few open anything.
   */
  pairUnfinished(): Run {
    this.#pairAfter(undefined);
    const end = newRun("", 0, false, true);
    for (let open = this.#last; open !== undefined; open = open.before) {
      if (!open.opens || open.closes || open.unpaired < 2) continue;
      const kind = open.char === "~" ? "strike" : "strong";
      open.unpaired -= 2;
      open.opened.push(kind);
      end.closed.push(kind);
    }
    this.#last = undefined;
    return end;
  }

  #pairAfter(bottom: Run | undefined): void {
    /** The run below which a closer of this kind finds no opener. */
    const searched = new Map<string, Run | undefined>();
    let closer = this.#last;
    while (closer !== undefined && closer.before !== bottom) closer = closer.before;
    while (closer !== undefined) {
      if (!closer.closes) {
        closer = closer.after;
        continue;
      }
      const key = `${closer.char}${closer.opens}${closer.length % 3}`;
      const least = searched.has(key) ? searched.get(key) : bottom;
      let opener = closer.before;
      while (opener !== bottom && opener !== least && opener !== undefined) {
        if (matches(opener, closer)) break;
        opener = opener.before;
      }
      if (opener === bottom || opener === least || opener === undefined) {
        searched.set(key, closer.before);
        const next: Run | undefined = closer.after;
        if (!closer.opens) this.#remove(closer);
        closer = next;
        continue;
      }
      const isStrong = opener.unpaired >= 2 && closer.unpaired >= 2;
      const kind = closer.char === "~" ? "strike" : isStrong ? "strong" : "emphasis";
      opener.opened.push(kind);
      closer.closed.push(kind);
      opener.unpaired -= isStrong ? 2 : 1;
      closer.unpaired -= isStrong ? 2 : 1;
      opener.after = closer;
      closer.before = opener;
      if (opener.unpaired === 0) this.#remove(opener);
      if (closer.unpaired > 0) continue;
      const next: Run | undefined = closer.after;
      this.#remove(closer);
      closer = next;
    }
  }

  #remove(run: Run): void {
    if (run.before !== undefined) run.before.after = run.after;
    if (run.after !== undefined) run.after.before = run.before;
    else if (this.#last === run) this.#last = run.before;
  }
}

/** Whether code that is still open may begin after the character. */
export function isBoundary(character: string): boolean {
  return BLANK.test(character) || PUNCTUATION.test(character);
}

function newRun(char: string, length: number, opens: boolean, closes: boolean): Run {
  return {
    ...{ char, length, opens, closes, unpaired: length, closed: [], opened: [] },
    ...{ before: undefined, after: undefined },
  };
}

function matches(opener: Run, closer: Run): boolean {
  if (opener.char !== closer.char || !opener.opens) return false;
  const isEither = closer.opens || opener.closes;
  const isThird = (opener.length + closer.length) % 3 === 0;
  return !isEither || !isThird || (opener.length % 3 === 0 && closer.length % 3 === 0);
}

function characterBefore(text: string, at: number): string {
  const code = text.charCodeAt(at - 1);
  return code >= 0xdc00 && code <= 0xdfff ? text.slice(at - 2, at) : text.slice(at - 1, at);
}

function characterAt(text: string, at: number): string {
  return at < text.length ? String.fromCodePoint(text.codePointAt(at) ?? 0) : "";
}
