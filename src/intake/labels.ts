// The titles of containers, tabs and components. A title is
// hardly ever a sentence: it begins the paragraph after it,
// or introduces the list, table or code there. Pure.

import { UNSPACED } from "../text/analyzer.ts";
import type { Node } from "./node.ts";

/** In UTF-16 units. A longer label is a paragraph. */
const LENGTH_MAX = 200;

const FULL_WIDTH = new RegExp(`[${UNSPACED}]$`, "v");
const ENDED = /[\p{Po}\p{Pd}]$/u;

/** Makes paragraphs of labels, here and below. */
export function joinLabels(nodes: Node[]): void {
  let kept = 0;
  nodes.forEach((node, i) => {
    if (node.children.length > 0) joinLabels(node.children);
    if (node.type === "label") {
      const { text, space } = introduction(node);
      const next = nodes[i + 1];
      const isText = next?.type === "paragraph" || next?.type === "label";
      if (isText && text.length <= LENGTH_MAX) {
        next.texts.unshift(text + space);
        return;
      }
      const shown = next === undefined ? node.texts.join("") : text;
      node.texts.splice(0, node.texts.length, shown);
    }
    nodes[kept] = node;
    kept += 1;
  });
  nodes.length = kept;
}

function introduction(label: Node): { text: string; space: string } {
  const text = label.texts.join("").trim();
  const isFullWidth = FULL_WIDTH.test(text);
  const space = isFullWidth || /[\uff00-\uffef]$/.test(text) ? "" : " ";
  if (text === "" || ENDED.test(text)) return { text, space };
  return { text: `${text}${isFullWidth ? "：" : ":"}`, space };
}
