// The text of a growing paragraph. Nodes that have not changed stay in place, so
// that a selection survives. Only the rest is made again.

import type { Inline } from "../text/inline-tree.ts";
import { button, element } from "./element.ts";
import { safeAddress, setExternalHref } from "./link.ts";

/** What a citation shows and does. */
export interface Citation {
  readonly name: string;
  open(): void;
}

/** Undefined if there is no such source. */
export type Cite = (n: number) => Citation | undefined;

const TAGS = { code: "code", emphasis: "em", strong: "strong", strike: "s" } as const;

export class InlineView {
  readonly #parent: HTMLElement;
  readonly #cite: Cite;
  /** One for each child of the parent. */
  #shown: readonly Inline[] = [];

  constructor(parent: HTMLElement, cite: Cite) {
    this.#parent = parent;
    this.#cite = cite;
  }

  show(wanted: readonly Inline[]): void {
    update(this.#parent, this.#shown, wanted, this.#cite);
    this.#shown = wanted;
  }
}

function update(
  parent: HTMLElement,
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
  parent.append(...wanted.slice(kept).map((inline) => made(inline, cite)));
}

/** Changes a node in place; false if that is impossible. */
function becomes(node: ChildNode, old: Inline, wanted: Inline, cite: Cite): boolean {
  if (old === wanted) return true;
  if (old.kind !== wanted.kind) return false;
  if ("text" in old && "text" in wanted) {
    const text = node instanceof Text ? node : node.firstChild;
    if (text instanceof Text) grow(text, wanted.text);
    else node.textContent = wanted.text;
    return true;
  }
  if (old.kind === "citation" && wanted.kind === "citation") {
    if (old.numbers.join() !== wanted.numbers.join()) return false;
    if (old.closing === "") (node as HTMLElement).append(wanted.closing);
    else if (node.lastChild !== null) node.lastChild.textContent = wanted.closing;
    return true;
  }
  if (old.kind === "link" && wanted.kind === "link" && old.address !== wanted.address) return false;
  if ("children" in old && "children" in wanted) {
    update(node as HTMLElement, old.children, wanted.children, cite);
  }
  return true;
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
    case "citation":
      return element(
        "span",
        { class: "cited" },
        ...inline.numbers.map((n) => citation(n, cite(n))),
        inline.closing === "" ? undefined : inline.closing,
      );
    case "link":
      return link(inline.address, children(inline.children, cite));
    default:
      return element(TAGS[inline.kind], {}, ...children(inline.children, cite));
  }
}

function children(inlines: readonly Inline[], cite: Cite): Node[] {
  return inlines.map((inline) => made(inline, cite));
}

function citation(n: number, source: Citation | undefined): Node {
  if (source === undefined) return document.createTextNode(`[${n}]`);
  const { name } = source;
  return button({ class: "cite", "aria-label": name }, () => source.open(), String(n));
}

/** A link with an unsafe address is shown as its text. */
function link(address: string, words: readonly Node[]): HTMLElement {
  const safe = safeAddress(address);
  if (safe === undefined) return element("span", {}, ...words);
  const made = element("a", {}, ...words);
  setExternalHref(made, safe);
  return made;
}
