// The units of passages that may be quoted: a sentence of a paragraph, a list
// item, a row of a table, or a whole block of code; and how units in a row
// are shown. Pure.

import type { Passage } from "../answer/retriever.ts";
import { termsOfAll } from "../text/analyzer.ts";
import { blocksMarkdown, blocksOf, type ShownBlock, type TextBlock } from "../text/blocks.ts";
import { LEAD_IN, sentences } from "../text/sentences.ts";

export interface Unit {
  /** The index of its passage. */
  readonly place: number;
  /** Its index among the units of its passage. */
  readonly index: number;
  readonly block: TextBlock;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly terms: ReadonlySet<string>;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** In order. */
export function unitsOf({ text, blocks = [] }: Passage, place: number): Unit[] {
  const spans = blocksOf(text, blocks).flatMap((block) =>
    parts(text, block).map((span) => ({ ...span, block, text: text.slice(span.start, span.end) })),
  );
  const held = termsOfAll(spans.map(({ text }) => text));
  return spans.map((span, index) => ({ ...span, place, index, terms: new Set(held[index]) }));
}

/** In UTF-16 units. */
const ITEM_LENGTH_MAX = 200;

function parts(text: string, block: TextBlock): Span[] {
  const content = text.slice(block.start, block.end);
  const moved = ({ start, end }: Span) => ({ start: block.start + start, end: block.start + end });
  switch (block.kind) {
    case "paragraph":
    case "quote":
      return sentences(content).map(moved);
    case "table":
      // The head row is shown with each row.
      return Array.from(content.matchAll(/[^\n]+/g), ({ 0: row, index }) =>
        moved({ start: index, end: index + row.length }),
      ).slice(1);
    case "item":
      // A long item is quoted sentence by sentence, like a paragraph.
      if (content.length > ITEM_LENGTH_MAX) return sentences(content).map(moved);
      return [{ start: block.start, end: block.end }];
    default:
      return [{ start: block.start, end: block.end }];
  }
}

// Rare in prose: braces, operators, quotation marks of JSON and shells, flags.
const CODE_MARK = /[{}<>=\\$;]|"(?=[:,}\]$])|(?<=[{,:[])"|(?<=\s)--?[a-z]/gi;
/** Prices, placeholders and names of elements. */
const PROSE_MARK = /\p{Sc}\d|<\/?\p{L}[\p{L}\p{N}_. -]*>/gu;
const CODE_SHARE_MIN = 0.04;

/** Whether it is code, with or without mark-up that says so. */
function isCode({ block, text }: Unit): boolean {
  if (block.kind === "code") return true;
  if (block.kind !== "paragraph") return false;
  const marks = text.replace(PROSE_MARK, "").match(CODE_MARK)?.length ?? 0;
  return marks > CODE_SHARE_MIN * text.length;
}

/** What a text takes along at most, in UTF-16 units. Code is not cut. */
const COMPANY_LENGTH_MAX = 600;
const CODE_LENGTH_MAX = 1_200;
/** A longer table is quoted by its rows. */
const TABLE_LENGTH_MAX = 400;

/** Whether all of the code can be shown. */
export function isWholeCode({ block, text }: Unit): boolean {
  return block.kind === "code" && !block.partial && text.length <= CODE_LENGTH_MAX;
}

/** Whether it introduces what follows. */
export function isLeadIn({ block, text }: Unit): boolean {
  return block.kind !== "code" && LEAD_IN.test(text);
}

/** Code in part is not quoted, nor a lead-in without what it introduces. */
export function isQuotable(unit: Unit, all: readonly Unit[]): boolean {
  if (unit.block.kind === "heading") return false;
  if (isLeadIn(unit)) return companyOf(unit, all).length > 0;
  return !isCode(unit) || isWholeCode(unit);
}

/** What follows a unit of `all`, its passage's, and belongs to it. */
export function companyOf(unit: Unit, all: readonly Unit[]): Unit[] {
  const { block } = unit;
  if (block.kind === "table" && block.end - block.start <= TABLE_LENGTH_MAX) {
    return all.filter((other) => other.block === block);
  }
  const company: Unit[] = [];
  const [first] = isLeadIn(unit) ? all.slice(unit.index + 1) : [];
  let length = 0;
  for (const next of all.slice(unit.index + 1)) {
    const isLed = first !== undefined && isSameList(first, next);
    const isNested = next.block.nested === true && block.kind === "item";
    if (!isLed && !isNested) break;
    if (next.block.kind === "code" && !isWholeCode(next)) break;
    length += next.text.length;
    const isFirst = company.length === 0;
    if (length > COMPANY_LENGTH_MAX && !(isFirst && next.block.kind !== "table")) break;
    company.push(next);
  }
  return company;
}

/** A longer list is quoted by its items, in UTF-16 units. */
const LIST_LENGTH_MAX = 300;

/** The short list of an item, with what introduces it. */
export function listOf(unit: Unit, all: readonly Unit[]): Unit[] {
  if (unit.block.kind !== "item") return [];
  const isOfList = (other: Unit | undefined) =>
    other !== undefined && (other.block.kind === "item" || other.block.nested === true);
  let first = unit.index;
  let last = unit.index;
  while (isOfList(all[first - 1])) first -= 1;
  while (isOfList(all[last + 1])) last += 1;
  const list = all.slice(first, last + 1);
  if (list.some((part) => part.block.kind === "code" && !isWholeCode(part))) return [];
  if (list.reduce((sum, { text }) => sum + text.length, 0) > LIST_LENGTH_MAX) return [];
  const before = all[first - 1];
  return before !== undefined && isLeadIn(before) ? [before, ...list] : list;
}

/** The code right after the end of a paragraph, which mostly describes it. */
export function codeAfter(unit: Unit, all: readonly Unit[]): Unit[] {
  const next = all[unit.index + 1];
  if (next === undefined || unit.block.kind !== "paragraph" || next.block === unit.block) return [];
  return isWholeCode(next) && next.text.length <= COMPANY_LENGTH_MAX ? [next] : [];
}

/** Items of one list, rows of one table, or the same unit. */
function isSameList(first: Unit, next: Unit): boolean {
  if (next === first) return true;
  if (first.block.kind === "table") return first.block === next.block;
  return first.block.kind === "item" && (next.block.kind === "item" || next.block.nested === true);
}

/** Units in a row as Markdown. */
export function markdownOf({ text }: Passage, units: readonly Unit[]): string {
  const shown: ShownBlock[] = [];
  for (const unit of units) {
    const { block, start, end } = unit;
    const open = shown.at(-1);
    const continues = open !== undefined && open.start >= block.start && open.end <= block.end;
    if (block.kind === "table") {
      if (!continues) shown.push({ ...block, rows: [unit.text] });
      else shown[shown.length - 1] = { ...open, rows: [...(open.rows ?? []), unit.text] };
    } else if (continues) shown[shown.length - 1] = { ...open, end };
    else shown.push({ ...block, start, end });
  }
  return blocksMarkdown(text, shown);
}
