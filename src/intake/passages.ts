// A document's text as passages: pieces of a size that a search can tell apart and a prompt can hold
// several of. A passage never spans a heading, and cuts a table, some code or a sentence only where
// one alone is too long. Where the text comes from is in markdown.ts.

import { UNSPACED } from "../text/analyzer.ts";
import { sentences } from "../text/sentences.ts";
import { type Block, sections } from "./markdown.ts";

/** A passage as cut, before it belongs to a document. */
interface Cutting {
  readonly heading: readonly string[];
  readonly anchor: string | null;
  readonly text: string;
  /** Where it stands in the document's text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

/** What a passage is filled to, and what it must not pass: in Latin letters, about 250 and 400 tokens. */
const SIZE = 1_000;
const SIZE_MAX = 1_600;
/** A Chinese character says as much as about three Latin letters: 350 of them fill a passage. */
const UNSPACED_SIZE = SIZE / 350;
/** A passage repeats the last sentence of the one before it, unless that is longer than this. */
const OVERLAP_SIZE_MAX = 0.15 * SIZE;
/** Every part of a table repeats its head, unless that is longer than this. */
const HEAD_SIZE_MAX = 0.25 * SIZE;
/** A rest smaller than this joins the passage before it. */
const REST_SIZE_MAX = 0.25 * SIZE;

/** How far on in its source a part of a long block is looked for, besides its own length. */
const SEARCHED_LENGTH = 1_024;

/** What passages are packed from: as much of a block as is never cut again. */
interface Piece {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** What parts it from the piece before it, in the same passage. */
  readonly separator: string;
  readonly kind: Block["kind"];
  /** Of both. */
  readonly size: number;
  /** It was said at the end of the passage before. */
  readonly repeated: boolean;
}

export function passages(text: string): Cutting[] {
  return sections(text).flatMap(({ heading, anchor, blocks }) =>
    pack(blocks.flatMap((block) => pieces(block, text))).map((packed) => ({
      heading,
      anchor,
      text: packed
        .map((piece, i) => (i === 0 ? piece.text : piece.separator + piece.text))
        .join(""),
      start: Math.min(...packed.map((piece) => piece.start)),
      end: Math.max(...packed.map((piece) => piece.end)),
    })),
  );
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

/** What the next passage repeats of a full one, for a thought that runs on into the next piece. */
function overlap(full: readonly Piece[], next: Piece): Piece[] {
  const last = full.at(-1);
  if (last?.kind !== "prose" || next.kind !== "prose") return [];
  const sentence = sentences(last.text).at(-1);
  if (sentence === undefined) return [];
  const { text } = sentence;
  const repeatedSize = size(last.separator + text);
  if (repeatedSize > OVERLAP_SIZE_MAX || repeatedSize + next.size > SIZE_MAX) return [];
  const start = Math.max(last.end - (last.text.length - sentence.start), last.start);
  return [{ ...last, text, size: repeatedSize, start, repeated: true }];
}

function pieces(block: Block, source: string): Piece[] {
  const { start, end, kind } = block;
  const separator = block.tight ? "\n" : "\n\n";
  const blockSize = size(separator + block.text);
  const whole = { text: block.text, start, end, separator, kind, size: blockSize, repeated: false };
  if (blockSize <= (kind === "prose" ? SIZE : SIZE_MAX)) return [whole];

  const original = source.slice(start, end);
  const head = size(block.head) <= HEAD_SIZE_MAX ? block.head : "";
  let from = 0;
  return spans(block).map((span, i, all) => {
    const part = block.text.slice(span.start, span.end);
    const text = i > 0 ? head + part : part;
    // Plain text stands in its source as it is; where mark-up comes between, the block's place will do.
    const at = original.slice(from, from + SEARCHED_LENGTH + part.length).indexOf(part);
    const partStart = from + Math.max(at, 0);
    from = partStart + part.length;
    const before = i === 0 ? separator : block.text.slice(all[i - 1]?.end, span.start);
    return {
      ...whole,
      text,
      separator: before,
      size: size(before + text),
      start: at === -1 ? start : start + partStart,
      end: at === -1 ? end : start + from,
    };
  });
}

/** A part of a block's text. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** A block too long for one piece: sentence by sentence, or in runs of whole lines. */
function spans({ text, kind, head }: Block): Span[] {
  if (kind === "prose") return sentences(text).flatMap((sentence) => cut(text, sentence));
  const lines = Array.from(text.matchAll(/[^\n]+/g), matchSpan).flatMap((line) => cut(text, line));
  return fill(text, lines, SIZE - Math.min(size(head), HEAD_SIZE_MAX));
}

/** A sentence or a line too long for any passage, between words. */
function cut(text: string, { start, end }: Span): Span[] {
  const long = text.slice(start, end);
  if (size(long) <= SIZE) return [{ start, end }];
  return fill(long, Array.from(long.matchAll(WORD), matchSpan), SIZE).map((span) => ({
    start: start + span.start,
    end: start + span.end,
  }));
}

/** What never holds a space, nor much of a script that has none. */
const WORD = new RegExp(`[${UNSPACED}]|[^\\s${UNSPACED}]{1,100}`, "gv");

/** Neighbours joined for as long as they fit the room. */
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
