// Code fences of Markdown: at least three backticks or tildes. Lines are given
// without their indentation. Pure.

const OPENING = /^(?:`{3,}(?=[^`]*$)|~{3,})/;
const CLOSING = /^(`{3,}|~{3,})\s*$/;

/** The mark with which a line opens a fence; undefined if it opens none. */
export function openingFence(line: string): string | undefined {
  return OPENING.exec(line)?.[0];
}

/** Whether a line closes the fence that `mark` opened. */
export function closesFence(line: string, mark: string): boolean {
  return CLOSING.exec(line)?.[1]?.startsWith(mark) ?? false;
}
