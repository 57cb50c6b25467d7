// Sections as passages. A passage is small enough for a search to tell it
// apart and for a prompt to hold several. It never spans a heading. A table,
// code or a sentence is cut only where it is too long for a passage. Pure.

import { UNSPACED } from "../text/analyzer.ts";
import type { TextBlock } from "../text/blocks.ts";
import { LEAD_IN, sentences } from "../text/sentences.ts";
import type { Block, Section } from "./reader.ts";

interface Passage {
  readonly heading: readonly string[];
  readonly anchor: string | null;
  readonly text: string;
  readonly blocks: readonly TextBlock[];
}

/**
 * In Latin letters: what a passage is filled to
 * (about 250 tokens), and its maximum (400).
 */
const SIZE = 1_000;
const SIZE_MAX = 1_600;
/** 350 Chinese characters fill a passage. */
const UNSPACED_SIZE = SIZE / 350;
/** A passage repeats the last sentence of the one before, up to this size. */
const OVERLAP_SIZE_MAX = 0.15 * SIZE;
/** Parts of a table repeat its header row, up to this size. */
const HEAD_SIZE_MAX = 0.25 * SIZE;
/** A smaller remainder joins the passage before it. */
const REST_SIZE_MAX = 0.25 * SIZE;

/** A block or a part that is not cut again. */
interface Piece {
  readonly text: string;
  /** Between it and the piece before it in a passage. */
  readonly separator: string;
  readonly block: Block;
  /** A part of its block, not all of it. */
  readonly partial: boolean;
  /** The size of separator and text. */
  readonly size: number;
  /** It also ends the passage before. */
  readonly repeated: boolean;
}

export function passages(sections: readonly Section[]): Passage[] {
  return sections.flatMap(({ heading, anchor, blocks }) =>
    pack(blocks.flatMap(pieces)).map((packed) => ({ heading, anchor, ...joined(packed) })),
  );
}

function joined(pieces: readonly Piece[]): Pick<Passage, "text" | "blocks"> {
  const blocks: TextBlock[] = [];
  let text = "";
  let before: Piece | undefined;
  for (const piece of pieces) {
    if (before !== undefined) text += piece.separator;
    const start = text.length;
    text += piece.text;
    const end = text.length;
    const { kind, language, nested } = piece.block;
    const open = blocks.at(-1);
    if (open !== undefined && before?.block === piece.block) {
      blocks[blocks.length - 1] = { ...open, end };
    } else {
      blocks.push({
        ...{ kind, start, end },
        ...(language === "" ? {} : { language }),
        ...(nested ? { nested: true as const } : {}),
        ...(piece.partial ? { partial: true as const } : {}),
      });
    }
    before = piece;
  }
  return { text, blocks };
}

function pack(pieces: readonly Piece[]): Piece[][] {
  const packs: Piece[][] = [];
  let open: Piece[] = [];
  let openSize = 0;
  for (const piece of pieces) {
    if (open.length > 0 && openSize + piece.size > SIZE) {
      packs.push(open);
      open = overlap(open, piece);
      openSize = packSize(open);
    }
    open.push(piece);
    openSize += piece.size;
  }
  const rest = open.filter((piece) => !piece.repeated);
  const last = packs.at(-1);
  if (last && packSize(rest) < REST_SIZE_MAX && packSize(last) + packSize(rest) <= SIZE_MAX) {
    last.push(...rest);
  } else if (open.length > 0) {
    packs.push(open);
  }
  return packs;
}

/** What the passage after a full one repeats of it. */
function overlap(full: readonly Piece[], next: Piece): Piece[] {
  const last = full.at(-1);
  if (last === undefined || isCutByLine(last.block)) return [];
  const sentence = sentences(last.text).at(-1);
  if (sentence === undefined) return [];
  // What a list, a table or code is about.
  if (isCutByLine(next.block) && !LEAD_IN.test(sentence.text)) return [];
  const { text } = sentence;
  const repeatedSize = size(last.separator + text);
  if (repeatedSize > OVERLAP_SIZE_MAX || repeatedSize + next.size > SIZE_MAX) return [];
  return [{ ...last, text, partial: true, size: repeatedSize, repeated: true }];
}

function isCutByLine({ kind }: Block): boolean {
  return kind === "table" || kind === "code";
}

function pieces(block: Block): Piece[] {
  const { text, head, tight } = block;
  const byLine = isCutByLine(block);
  const separator = tight ? "\n" : "\n\n";
  const measured = { size: size(separator + text), repeated: false };
  const whole = { text, separator, block, partial: false, ...measured };
  if (whole.size <= (byLine ? SIZE_MAX : SIZE)) return [whole];
  const repeatedHead = size(head) <= HEAD_SIZE_MAX ? head : "";
  return (byLine ? lineSpans(text, head) : proseSpans(text)).map((span, i, all) => {
    const part = (i > 0 ? repeatedHead : "") + text.slice(span.start, span.end);
    const before = i === 0 ? separator : text.slice(all[i - 1]?.end, span.start);
    return { ...whole, text: part, partial: true, separator: before, size: size(before + part) };
  });
}

/** A part of a block's text. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Long prose, sentence by sentence. */
function proseSpans(text: string): Span[] {
  return sentences(text).flatMap((sentence) => cut(text, sentence));
}

/** Long code or a long table, in runs of whole lines. */
function lineSpans(text: string, head: string): Span[] {
  const lines = Array.from(text.matchAll(/[^\n]+/g), matchSpan).flatMap((line) => cut(text, line));
  return fill(text, lines, SIZE - Math.min(size(head), HEAD_SIZE_MAX));
}

/** Cuts an overlong sentence or line between words. */
function cut(text: string, { start, end }: Span): Span[] {
  const long = text.slice(start, end);
  if (size(long) <= SIZE) return [{ start, end }];
  return fill(long, Array.from(long.matchAll(WORD), matchSpan), SIZE).map((span) => ({
    start: start + span.start,
    end: start + span.end,
  }));
}

/** One character of an unspaced script, or up to 100 others. */
const WORD = new RegExp(`[${UNSPACED}]|[^\\s${UNSPACED}]{1,100}`, "gv");

/** Joins neighbours as long as they fit the room. */
function fill(text: string, spans: readonly Span[], room: number): Span[] {
  const filled: { start: number; end: number }[] = [];
  let sizeSoFar = 0;
  for (const span of spans) {
    const open = filled.at(-1);
    const added = size(text.slice(open?.end ?? span.start, span.end));
    if (open !== undefined && sizeSoFar + added <= room) {
      open.end = span.end;
      sizeSoFar += added;
    } else {
      filled.push({ ...span });
      sizeSoFar = size(text.slice(span.start, span.end));
    }
  }
  return filled;
}

function matchSpan(match: RegExpExecArray): Span {
  return { start: match.index, end: match.index + match[0].length };
}

function packSize(pack: readonly Piece[]): number {
  return pack.reduce((sum, piece) => sum + piece.size, 0);
}

function size(text: string): number {
  return text.length + (UNSPACED_SIZE - 1) * (text.match(UNSPACED_CHARACTERS)?.length ?? 0);
}

const UNSPACED_CHARACTERS = new RegExp(`[${UNSPACED}]`, "gv");
