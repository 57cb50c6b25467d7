// A document's text, Markdown or plain, as sections under their headings, each a list of blocks of
// plain text, and its title. The mark-up is gone; what it set apart, a table or some code, stays apart.
// The parser is in markdown-tree.ts; how blocks become passages is in passages.ts.

import { UNSPACED } from "../text/analyzer.ts";
import { isVisible } from "../text/visible.ts";
import { frontMatter } from "./front-matter.ts";
import { type Node, parse } from "./markdown-tree.ts";

interface Section {
  /** The headings it stands under, outermost first. */
  readonly heading: readonly string[];
  /** The anchor that renderers of Markdown give the innermost of them; null under none. */
  readonly anchor: string | null;
  readonly blocks: readonly Block[];
}

/** Offsets are into the document's text, in UTF-16 units. */
export interface Block {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Where it may be cut if it must: prose between sentences, code and tables between lines. */
  readonly kind: "prose" | "lines";
  /** A table's first row, to be said again over each part of a table that was cut. */
  readonly head: string;
  /** One item of a list follows another without an empty line. */
  readonly tight: boolean;
}

/**
 * Each heading may become a passage of its own, which repeats the headings above it. So a document's
 * headings cost this each and the length of what is repeated, and those beyond the sum are text.
 */
const HEADING_COST = 200;
const HEADING_COSTS_MAX = 1_000_000;

/** What is longer is no heading, but a paragraph that was marked as one. */
const HEADING_LENGTH_MAX = 200;

export function sections(text: string): Section[] {
  const outline = new Outline();
  const found: Section[] = [];
  let blocks: Block[] = [];
  // A heading with nothing under it, not even a lesser heading, is what there is to find.
  let lone: { readonly block: Block; readonly depth: number } | null = null;
  const close = (depth: number) => {
    if (lone !== null && blocks.length === 0 && depth <= lone.depth) blocks = [lone.block];
    if (blocks.length > 0) found.push({ ...outline.place(), blocks });
    blocks = [];
  };
  let costs = 0;
  for (const node of parse(text, frontMatter(text).end)) {
    const { text: heading, anchor } = headingOf(node);
    if (
      node.type === "heading" &&
      heading.length <= HEADING_LENGTH_MAX &&
      costs < HEADING_COSTS_MAX
    ) {
      close(node.depth);
      outline.enter(node.depth, heading, anchor);
      costs += HEADING_COST + outline.length();
      lone = heading === "" ? null : { block: prose(node, heading), depth: node.depth };
    } else {
      collect(node, blocks);
    }
  }
  close(0);
  return found;
}

/** A heading's text, and the anchor that its author gave it: `## Limits {#limits}`. */
function headingOf(node: Node): { text: string; anchor: string | null } {
  const text = node.type === "heading" ? oneLine(node.texts.join("")) : "";
  return { text, anchor: OWN_ANCHOR.exec(text)?.[1] ?? null };
}

const OWN_ANCHOR = / ?\{#([^\s{}]+)\}$/;

/**
 * What a document calls itself: its first heading if that is of the first level, else the title of its
 * front matter, else its first heading of the first level, else its first heading. Those in
 * which a reader sees nothing do not count.
 */
export function titleOf(text: string): string | undefined {
  const { title, end } = frontMatter(text);
  const headings = parse(text, end)
    .filter(({ type }) => type === "heading")
    .map((node) => ({ depth: node.depth, text: headingOf(node).text.replace(OWN_ANCHOR, "") }))
    .filter((heading) => isVisible(heading.text));
  const [first] = headings;
  if (first?.depth === 1) return first.text;
  if (title !== undefined && isVisible(title)) return title;
  return (headings.find(({ depth }) => depth === 1) ?? first)?.text;
}

/** Where one is in a document's tree of headings. */
class Outline {
  readonly #open: { readonly depth: number; readonly text: string; readonly anchor: string }[] = [];
  readonly #slugs = new Map<string, number>();

  /** @param anchor The one that the heading names itself; null where it names none. */
  enter(depth: number, text: string, anchor: string | null): void {
    while ((this.#open.at(-1)?.depth ?? 0) >= depth) this.#open.pop();
    this.#open.push({ depth, text, anchor: anchor ?? this.#anchor(text) });
  }

  /** Of all headings that are open, in UTF-16 units. */
  length(): number {
    return this.#open.reduce((sum, heading) => sum + heading.text.length, 0);
  }

  place(): Pick<Section, "heading" | "anchor"> {
    return {
      heading: this.#open.map((heading) => heading.text).filter((text) => text !== ""),
      anchor: this.#open.at(-1)?.anchor ?? null,
    };
  }

  /** As GitHub does it: letters, digits, hyphens and underscores; the second of a name is `name-1`. */
  #anchor(text: string): string {
    const slug = text
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
      .replaceAll(" ", "-");
    const before = this.#slugs.get(slug) ?? 0;
    this.#slugs.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  }
}

/** Adds the blocks of a node to those found so far. */
function collect(node: Node, blocks: Block[]): void {
  switch (node.type) {
    case "list":
      node.children.forEach((item, i) => {
        blocks.push({ ...prose(item, itemLayout(node, item, i)), tight: i > 0 });
      });
      return;
    case "quote":
    case "footnote":
      for (const child of node.children) collect(child, blocks);
      return;
    case "table": {
      const text = layout(node);
      const head = text.slice(0, text.indexOf("\n") + 1);
      blocks.push({ ...prose(node, text), kind: "lines", head });
      return;
    }
    default: {
      const text = layout(node);
      const kind = node.type === "code" ? "lines" : "prose";
      if (text.trim() !== "") blocks.push({ ...prose(node, text), kind });
    }
  }
}

function prose({ start, end }: Node, text: string): Block {
  return { text, start, end, kind: "prose", head: "", tight: false };
}

/** A node as plain text in lines. */
function layout(node: Node): string {
  switch (node.type) {
    case "row":
      return node.texts.map(oneLine).join(" | ");
    case "code":
      return node.texts.join("");
    case "list":
      return node.children.map((item, i) => itemLayout(node, item, i)).join("\n");
    case "quote":
    case "footnote":
    case "table":
      return node.children.map(layout).join("\n");
    case "heading":
      return headingOf(node).text;
    default:
      return oneLine(node.texts.join(""));
  }
}

function itemLayout({ first }: Node, item: Node, i: number): string {
  const mark = first === null ? "- " : `${first + i}. `;
  const lines = item.children.map(layout).filter((text) => text !== "");
  return mark + lines.join("\n").replace(TASK, "").replaceAll("\n", "\n  ");
}

/** The box of a task in a list. */
const TASK = /^\[[ xX]\] /;

const JOINED_LINES = new RegExp(
  `(?<=[${UNSPACED}\\u3000-\\u303f\\uff00-\\uffef])[ \\t]*\\n[ \\t]*(?=[${UNSPACED}])`,
  "gv",
);

/** A line's end inside a paragraph is a space, or nothing in a script that knows no spaces. */
function oneLine(text: string): string {
  return text.replace(JOINED_LINES, "").replace(/\s+/g, " ").trim();
}
