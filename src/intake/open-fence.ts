// A code fence that is never closed. CommonMark reads all that
// follows as code. This rule for markdown-it ends it before the
// next heading of level two to six. One of level one may be a
// comment of a shell.

import type { StateBlock } from "markdown-it";
import { closesFence, openingFence } from "../text/code-fence.ts";
import type { Work } from "./work.ts";

const HEADING = /^#{2,6}[ \t]+\S/;

export function openFence(
  state: StateBlock,
  line: number,
  endLine: number,
  silent: boolean,
): boolean {
  const isIndented = (state.sCount[line] ?? 0) - state.blkIndent >= 4;
  if (silent || isIndented || state.blkIndent > 0) return false;
  const text = lineOf(state, line);
  const fence = openingFence(text);
  if (fence === undefined || isClosed(state, line, endLine, fence)) return false;
  let end = line + 2;
  while (end < endLine && !(state.isEmpty(end - 1) && HEADING.test(lineOf(state, end)))) end += 1;
  if (end >= endLine) return false;
  const token = state.push("fence", "code", 0);
  token.info = text.slice(fence.length).trim();
  token.content = state.getLines(line + 1, end - 1, state.sCount[line] ?? 0, true);
  state.line = end;
  return true;
}

/** Looks for the end of each kind of fence in vain once at most. */
function isClosed(state: StateBlock, line: number, endLine: number, fence: string): boolean {
  const { unclosed } = state.env as Work;
  const mark = fence[0] ?? "";
  if (fence.length >= (unclosed.get(mark) ?? Number.POSITIVE_INFINITY)) return false;
  for (let at = line + 1; at < endLine; at += 1) {
    const isIndented = (state.sCount[at] ?? 0) >= 4;
    if (!isIndented && closesFence(lineOf(state, at), fence)) return true;
  }
  unclosed.set(mark, fence.length);
  return false;
}

function lineOf(state: StateBlock, line: number): string {
  const at = (state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0);
  return state.src.startsWith("`", at) ||
    state.src.startsWith("~", at) ||
    state.src.startsWith("#", at)
    ? state.src.slice(at, state.eMarks[line])
    : "";
}
