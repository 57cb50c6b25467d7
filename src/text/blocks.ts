// The blocks of a passage: spans of its plain text with their kinds, and how
// each is written as Markdown again. Intake finds them, the index stores them,
// and the answerers quote them. Pure.

export type BlockKind = "paragraph" | "item" | "table" | "code" | "quote" | "heading";

/** A whole block, or the part of one that its passage has. */
export interface TextBlock {
  readonly kind: BlockKind;
  /** Offsets into the passage's text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** The language of code, if its fence names one. */
  readonly language?: string;
  /** It belongs to the list item before it. */
  readonly nested?: true;
  /** Too long for one passage: others have the rest. */
  readonly partial?: true;
}

/** A block as it is shown, perhaps with a part of its text or rows only. */
export interface ShownBlock extends TextBlock {
  /** The rows of a table below its head row. */
  readonly rows?: readonly string[];
}

/** The columns that code below a list item is indented by. */
const NESTED = "    ";

/** Each line is a paragraph if the blocks are unknown. */
export function blocksOf(text: string, known: readonly TextBlock[]): readonly TextBlock[] {
  if (known.length > 0) return known;
  return Array.from(text.matchAll(/\S[^\n]*/g), ({ 0: line, index }) => ({
    ...{ kind: "paragraph" as const, start: index, end: index + line.length },
  }));
}

/** Blocks of one passage, in order, as Markdown. */
export function blocksMarkdown(text: string, blocks: readonly ShownBlock[]): string {
  return blocks
    .map((block, i) => {
      const before = blocks[i - 1];
      const isTight = before !== undefined && /^\n?$/.test(between(text, before, block));
      const separator = i === 0 ? "" : isTight ? "\n" : "\n\n";
      return separator + blockMarkdown(text, block, before !== undefined);
    })
    .join("");
}

function between(text: string, before: TextBlock, after: TextBlock): string {
  return text.slice(before.end, after.start);
}

/** One block as Markdown. */
function blockMarkdown(text: string, block: ShownBlock, follows: boolean): string {
  const content = text.slice(block.start, block.end);
  switch (block.kind) {
    case "table":
      return tableMarkdown(content.split("\n"), block.rows);
    case "code":
      return codeMarkdown(content, block.language ?? "", block.nested && follows ? NESTED : "");
    case "quote":
      return content.replace(/^/gm, "> ");
    default:
      return content;
  }
}

function tableMarkdown(
  [head = "", ...rows]: readonly string[],
  shown: readonly string[] = rows,
): string {
  const columns = head.split(CELL_BORDER).length;
  const border = `|${" --- |".repeat(columns)}`;
  return [`| ${head} |`, border, ...shown.map((row) => `| ${row} |`)].join("\n");
}

/** A vertical bar inside a cell has a backslash. */
const CELL_BORDER = / \| /;

function codeMarkdown(code: string, language: string, indent: string): string {
  const lines = code.split("\n");
  const fence = lines.reduce((longest, line) => {
    const [run = ""] = /^`{3,}/.exec(line.trimStart()) ?? [];
    return run.length >= longest.length ? `${run}\`` : longest;
  }, "```");
  const common = commonIndent(lines);
  const body = lines.map((line) => (line.trim() === "" ? "" : indent + line.slice(common)));
  return [`${indent}${fence}${language}`, ...body, `${indent}${fence}`].join("\n");
}

function commonIndent(lines: readonly string[]): number {
  const indents = lines.filter((line) => line.trim() !== "").map((line) => line.search(/\S/));
  return indents.length === 0 ? 0 : Math.min(...indents);
}

const LETTERS: Readonly<Record<BlockKind, string>> = {
  ...{ paragraph: "p", item: "i", table: "t", code: "c", quote: "q", heading: "h" },
};
const KINDS = new Map(Object.entries(LETTERS).map(([kind, letter]) => [letter, kind as BlockKind]));

/**
 * As the index stores them: for each block its kind, the distance from the
 * block before, its length, what else holds of it, and its language. Short,
 * since a passage may be a list of many short items.
 */
export function packBlocks(blocks: readonly TextBlock[]): string {
  let last = 0;
  return blocks
    .map(({ kind, start, end, language = "", nested, partial }) => {
      const flags = (nested ? "n" : "") + (partial ? "p" : "");
      const packed = `${LETTERS[kind]}${start - last},${end - start}`;
      last = end;
      const rest = language === "" ? flags : `${flags},${language}`;
      return rest === "" ? packed : `${packed},${rest}`;
    })
    .join(";");
}

export function unpackBlocks(packed: string): TextBlock[] {
  let last = 0;
  return (packed === "" ? [] : packed.split(";")).map((block) => {
    const [gap = "", length, flags = "", language = ""] = block.slice(1).split(",");
    const start = last + Number(gap);
    last = start + Number(length);
    return {
      ...{ kind: KINDS.get(block.charAt(0)) ?? "paragraph", start, end: last },
      ...(language === "" ? {} : { language }),
      ...(flags.includes("n") ? { nested: true as const } : {}),
      ...(flags.includes("p") ? { partial: true as const } : {}),
    };
  });
}
