// What a Markdown block shows, as a tree, built from the pieces that
// markdown-inlines.ts finds. Pure.

import { splitAtAddresses } from "./bare-addresses.ts";
import type { Element, Mark } from "./emphasis.ts";

export type Inline =
  | { readonly kind: "text" | "code"; readonly text: string }
  | { readonly kind: "break" }
  /** `closing`: the punctuation after it, which must not begin a line. */
  | { readonly kind: "citation"; readonly numbers: readonly number[]; readonly closing: string }
  | (Element & { readonly children: readonly Inline[] });

/** A part of a text before it is known which parts belong together. */
export type Piece = Inline | Mark;

/** Deeper elements are shown as what is in them. */
const DEPTH_MAX = 10;
const CLOSING = /^[\p{Pe}\p{Pf}.,;:!?…、。，．；：！？]+/u;

/** What has begun. Without an element, its parent takes its children. */
interface Frame {
  readonly element?: Element | undefined;
  readonly children: Inline[];
  readonly isLink: boolean;
}

export function treeOf(pieces: readonly Piece[]): Inline[] {
  let top: Frame = { children: [], isLink: false };
  const open: Frame[] = [];
  for (const piece of pieces) {
    if (piece.kind !== "mark") {
      append(top.children, top.isLink ? withoutAction(piece) : piece);
      continue;
    }
    for (let i = 0; i < piece.ended; i += 1) {
      const { element, children, isLink } = top;
      top = open.pop() as Frame;
      if (element === undefined) continue;
      append(top.children, { ...element, children: isLink ? children : withLinks(children) });
    }
    append(top.children, textOf(piece.text));
    for (const element of piece.begun.toReversed()) {
      open.push(top);
      const isLink = element.kind === "link";
      // A link holds no link.
      const isDropped = open.length > DEPTH_MAX || (isLink && top.isLink);
      top = isDropped
        ? { ...top, element: undefined }
        : { element, children: [], isLink: isLink || top.isLink };
    }
  }
  return withLinks(top.children);
}

/** Joins text to text before it, and punctuation to a citation before it. */
function append(children: Inline[], node: Inline): void {
  if (node.kind !== "text") {
    children.push(node);
    return;
  }
  let { text } = node;
  const last = children.at(-1);
  if (last?.kind === "citation") {
    const closing = CLOSING.exec(text)?.[0] ?? "";
    children[children.length - 1] = { ...last, closing: last.closing + closing };
    text = text.slice(closing.length);
  } else if (last?.kind === "text") {
    children.pop();
    text = last.text + text;
  }
  if (text !== "") children.push(textOf(text));
}

export function textOf(text: string): Inline {
  return { kind: "text", text };
}

export function linkOf(address: string, text: string): Inline {
  return { kind: "link", address, children: [textOf(text)] };
}

/** A link holds no links and no citations. */
function withoutAction(node: Inline): Inline {
  if (node.kind === "citation") return textOf(`[${node.numbers.join(", ")}]`);
  return node.kind === "link" ? (node.children[0] ?? node) : node;
}

/** Makes links of bare addresses. */
function withLinks(children: readonly Inline[]): Inline[] {
  return children.flatMap((child) =>
    child.kind !== "text"
      ? child
      : splitAtAddresses(child.text)
          .map((part, i) => (i % 2 === 0 ? textOf(part) : linkOf(part, part)))
          .filter((part) => part.kind !== "text" || part.text !== ""),
  );
}
