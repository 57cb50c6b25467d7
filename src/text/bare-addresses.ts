// The web addresses in running text, without what follows them there. Pure.

/** Of a class: an address ends before these, and before white space. */
export const AFTER_ADDRESS =
  '\u3000-\u3003\u3008-\u301F\uFF01-\uFF0F\uFF1A-\uFF1F\uFF3B-\uFF3D\uFF5B-\uFF65“”‘’…"`';
const PART = String.raw`[^\s<>()${AFTER_ADDRESS}]`;
const PARENTHESES = String.raw`\(${PART}*\)`;
/** The end of a sentence is not part of it. */
const LAST = PART.replace("]", ".,;:!?'*_~]");
/** Not the address of a link that never ended. */
const ADDRESS = new RegExp(
  String.raw`(?<![A-Za-z\d_]|\]\(|\]\(<)(https?://(?:${PART}|${PARENTHESES})*(?:${LAST}|${PARENTHESES}))`,
);

/** Text and addresses in turn: first text, which may be empty. */
export function splitAtAddresses(text: string): string[] {
  return text.split(ADDRESS);
}
