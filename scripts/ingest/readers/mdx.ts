// The reader of MDX: Markdown without imports, exports and comments. Tags of
// components stay for the reader of Markdown, which takes them off.

import { closesFence, openingFence } from "../../../src/text/code-fence.ts";
import type { Read } from "./read.ts";

export function readMdx(source: string): Read {
  const lines: string[] = [];
  let fence: string | undefined;
  /** Open brackets of a statement that goes on. */
  let open = 0;
  let isStatement = false;
  let inComment = false;
  let wasEmpty = true;
  for (const line of source.split(/\r?\n/)) {
    const text = line.trimStart();
    if (fence !== undefined) {
      lines.push(line);
      if (closesFence(text, fence)) fence = undefined;
      continue;
    }
    if (inComment) {
      if (/\*\/\s*\}/.test(text)) inComment = false;
      continue;
    }
    if (isStatement) {
      open += brackets(line);
      if (open <= 0 && (/[;"'`})\]]\s*$/.test(line) || text === "")) isStatement = false;
      wasEmpty = text === "";
      continue;
    }
    if (
      wasEmpty &&
      /^(?:import\s+(?:[{*"']|type\s+[\w{]|\w+\s*(?:,|from\s+["']))|export\s+(?:default|const|let|var|function|class|async|\{|\*))/.test(
        line,
      )
    ) {
      open = brackets(line);
      isStatement = open > 0 || !/[;"'`})\]\w]\s*$/.test(line);
      // Statements may follow each other without an empty line.
      continue;
    }
    fence = openingFence(text);
    if (fence === undefined && /^\{\/\*/.test(text)) {
      inComment = !/\*\/\s*\}/.test(text);
      continue;
    }
    lines.push(fence === undefined ? line.replace(/\{\/\*(?!\s*#).*?\*\/\}/g, "") : line);
    wasEmpty = text === "" || /^---\s*$/.test(text);
  }
  return { text: `${lines.join("\n").trim()}\n`, title: undefined };
}

function brackets(line: string): number {
  const code = line.replace(/"[^"]*"|'[^']*'|`[^`]*`/g, "");
  return (code.match(/[({[]/g) ?? []).length - (code.match(/[)}\]]/g) ?? []).length;
}
