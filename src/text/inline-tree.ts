// What a Markdown block shows, as a tree, built from the pieces that
// markdown-inlines.ts finds. Pure.

import { bareAddresses } from "./bare-addresses.ts";
import type { EmphasisKind, Run } from "./emphasis.ts";

export type Inline =
  | { readonly kind: "text" | "code"; readonly text: string }
  | { readonly kind: "break" }
  /** `closing`: the punctuation after it, which must not begin a line. */
  | { readonly kind: "citation"; readonly numbers: readonly number[]; readonly closing: string }
  | { readonly kind: "link"; readonly address: string; readonly children: readonly Inline[] }
  | { readonly kind: "emphasis" | "strong" | "strike"; readonly children: readonly Inline[] };

/** A part of a text before it is known which parts belong together. */
export type Piece =
  | { kind: "node"; node: Inline }
  | { kind: "run"; run: Run }
  | { kind: "begin"; mark: string; address: string }
  | { kind: "end"; mark: string };

/** The marks of deeper elements are text. */
const DEPTH_MAX = 10;
const CLOSING = /^[\p{Pe}\p{Pf}.,;:!?…、。，．；：！？]+/u;

interface Frame {
  readonly children: Inline[];
  readonly finish: (children: Inline[]) => Inline;
  readonly isLink: boolean;
}

export function treeOf(pieces: readonly Piece[]): Inline[] {
  const root: Inline[] = [];
  const open: Frame[] = [];
  /** The marks of open elements; undefined for those that have a frame. */
  const marks: (string | undefined)[] = [];
  let links = 0;

  const top = () => open.at(-1)?.children ?? root;
  const begin = (mark: string, isLink: boolean, finish: (children: Inline[]) => Inline) => {
    const isTooDeep = open.length >= DEPTH_MAX;
    if (isTooDeep || (isLink && links > 0)) {
      marks.push(isTooDeep ? mark : "");
      if (isTooDeep) append(top(), { kind: "text", text: mark });
      return;
    }
    marks.push(undefined);
    if (isLink) links += 1;
    open.push({ children: [], finish, isLink });
  };
  const end = (mark: string) => {
    const began = marks.pop();
    if (began !== undefined) {
      if (began !== "") append(top(), { kind: "text", text: mark });
      return;
    }
    const frame = open.pop() as Frame;
    if (frame.isLink) links -= 1;
    const { children } = frame;
    append(top(), frame.finish(frame.isLink || links > 0 ? children : withLinks(children)));
  };

  for (const piece of pieces) {
    switch (piece.kind) {
      case "node":
        append(top(), links > 0 ? withoutAction(piece.node) : piece.node);
        break;
      case "begin":
        begin(piece.mark, true, (words) => linkTo(piece.address, words));
        break;
      case "end":
        end(piece.mark);
        break;
      case "run": {
        const { closed, opened, char, unpaired } = piece.run;
        for (const kind of closed) end(markOf(char, kind));
        if (unpaired > 0) append(top(), { kind: "text", text: char.repeat(unpaired) });
        for (const kind of opened.toReversed()) {
          begin(markOf(char, kind), false, (children) => ({ kind, children }));
        }
      }
    }
  }
  return withLinks(root);
}

/** A link without text shows its address. */
function linkTo(address: string, words: readonly Inline[]): Inline {
  const children: readonly Inline[] = words.length > 0 ? words : [{ kind: "text", text: address }];
  return { kind: "link", address, children };
}

function markOf(char: string, kind: EmphasisKind): string {
  return kind === "emphasis" ? char : char + char;
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
  if (text !== "") children.push({ kind: "text", text });
}

/** A link holds no links and no citations. */
function withoutAction(node: Inline): Inline {
  if (node.kind === "citation") return { kind: "text", text: `[${node.numbers.join(", ")}]` };
  return node.kind === "link" ? (node.children[0] ?? node) : node;
}

/** Makes links of bare addresses. */
function withLinks(children: readonly Inline[]): Inline[] {
  return children.flatMap((child) => (child.kind === "text" ? linked(child.text) : [child]));
}

function linked(text: string): Inline[] {
  const parts: Inline[] = [];
  let from = 0;
  for (const { start, address } of bareAddresses(text)) {
    parts.push({ kind: "text", text: text.slice(from, start) });
    parts.push({ kind: "link", address, children: [{ kind: "text", text: address }] });
    from = start + address.length;
  }
  parts.push({ kind: "text", text: text.slice(from) });
  return parts.filter((part) => part.kind !== "text" || part.text !== "");
}
