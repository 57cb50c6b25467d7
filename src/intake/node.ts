// The tree that a Markdown text becomes. Pure.

/** A block. */
export interface Node {
  readonly type: NodeType;
  /** The visible text of a leaf, or of each cell of a row. */
  readonly texts: string[];
  children: Node[];
  /** A heading's level, 1 to 6, else 0. */
  readonly depth: number;
  /** A heading's id, if its author gave it one. */
  anchor: string | null;
  /** What a heading's anchor is made of, if it is not its whole text. */
  anchorText: string | undefined;
  /** The number of the first item of an ordered list. */
  readonly first: number | null;
  /** The language of a code block; empty if its fence names none. */
  readonly language: string;
}

export type NodeType =
  | ("heading" | "paragraph" | "label" | "row" | "code" | "html")
  | ("root" | "list" | "item" | "quote" | "footnote" | "table");

export function newNode(type: NodeType, texts: string[] = [], more: Partial<Node> = {}): Node {
  return {
    type,
    texts,
    children: more.children ?? [],
    depth: more.depth ?? 0,
    anchor: more.anchor ?? null,
    anchorText: undefined,
    first: more.first ?? null,
    language: more.language ?? "",
  };
}
