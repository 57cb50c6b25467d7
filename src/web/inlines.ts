// The text of a growing paragraph. Nodes that have not changed stay in place, so
// that a selection survives. Only the rest is made again.

import type { Inline } from "../text/inline-tree.ts";
import { button, element } from "./element.ts";
import { safeAddress, setExternalHref } from "./link.ts";

/** What a citation shows and does. */
export interface Citation {
  readonly name: string;
  /** The reader chose it. `cite` is its button. */
  open(cite: HTMLElement): void;
}

/** Undefined if there is no such source. */
export type Cite = (n: number) => Citation | undefined;

const TAGS = { emphasis: "em", strong: "strong", strike: "s" } as const;

/** Makes the `wanted` nodes of those that are `shown`, one for each inline. */
export function update(
  parent: Node,
  shown: readonly Inline[],
  wanted: readonly Inline[],
  cite: Cite,
): void {
  let node = parent.firstChild;
  let kept = 0;
  for (const inline of wanted) {
    const old = shown[kept];
    if (node === null || old === undefined || !becomes(node, old, inline, cite)) break;
    node = node.nextSibling;
    kept += 1;
  }
  while (node !== null) {
    const next: ChildNode | null = node.nextSibling;
    node.remove();
    node = next;
  }
  for (const inline of wanted.slice(kept)) parent.appendChild(made(inline, cite));
}

/** Changes a node in place; false if that is impossible. */
function becomes(node: ChildNode, old: Inline, wanted: Inline, cite: Cite): boolean {
  if (lookOf(old) !== lookOf(wanted)) return false;
  if ("children" in old && "children" in wanted) update(node, old.children, wanted.children, cite);
  const text = textOf(wanted);
  if (text !== undefined) grow((node.lastChild ?? node) as Text, text);
  return true;
}

/** What cannot be changed in place. */
function lookOf(inline: Inline): string {
  if (inline.kind === "citation") return `[${inline.numbers}]`;
  return inline.kind === "link" ? `(${inline.address})` : inline.kind;
}

/** What its last text node holds. */
function textOf(inline: Inline): string | undefined {
  if (inline.kind === "citation") return inline.closing;
  return "text" in inline ? inline.text : undefined;
}

/** Lengthens or shortens a text. The common part is not touched. */
export function grow(text: Text, wanted: string): void {
  if (text.data === wanted) return;
  if (wanted.startsWith(text.data)) text.appendData(wanted.slice(text.length));
  else if (text.data.startsWith(wanted)) text.deleteData(wanted.length, text.length);
  else text.data = wanted;
}

function made(inline: Inline, cite: Cite): Node {
  switch (inline.kind) {
    case "text":
      return document.createTextNode(inline.text);
    case "code":
      return element("code", {}, inline.text);
    case "break":
      return element("br");
    case "citation": {
      const numbers = inline.numbers.map((n) => citation(n, cite(n)));
      return element("span", { class: "cited" }, ...numbers, inline.closing);
    }
    default: {
      const words = inline.children.map((child) => made(child, cite));
      return inline.kind === "link"
        ? link(inline.address, words)
        : element(TAGS[inline.kind], {}, ...words);
    }
  }
}

function citation(n: number, source: Citation | undefined): Node | string {
  if (source === undefined) return `[${n}]`;
  const { name } = source;
  const cite = button({ class: "cite", "aria-label": name }, () => source.open(cite), String(n));
  return cite;
}

/**
 * A link with an unsafe address is shown as its text. So is a path: whose site it
 * belongs to, only the document says that the model copied it from.
 */
function link(address: string, words: readonly Node[]): HTMLElement {
  const safe = safeAddress(address);
  if (safe === undefined) return element("span", {}, ...words);
  const made = element("a", {}, ...words);
  setExternalHref(made, safe);
  return made;
}
