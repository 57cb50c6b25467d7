// Whether an answer holds what was asked for. Letters count,
// and nothing of how they are marked up, spaced or spelt in
// Unicode. Pure.

/** Of one of the alternatives, all strings must be in the text. */
export function holds(text: string, alternatives: readonly (readonly string[])[]): boolean {
  const read = bare(text);
  return alternatives.some((strings) => strings.every((string) => patternOf(string).test(read)));
}

// `[1]`, but not the text of a link.
const CITATION = /\[(?:20|1\d|[1-9])\](?!\()/g;
// One pair of brackets may be in the text, and pairs of parentheses in the address.
const LINK = /!?\[((?:\[[^[\]]*\]|[^[\]])*)\]\([^()\s]*(?:\([^()]*\)[^()\s]*)*\)/g;
const HEADING = /^ {0,3}#{1,6} /gm;
const MARKS = /[*_`|~\\<>]/g;

/** Without citations and Markdown, in lower case. */
function bare(text: string): string {
  return text
    .replace(CITATION, " ")
    .replace(LINK, "$1")
    .replace(HEADING, "")
    .replace(MARKS, "")
    .replace(/[‘’]/g, "'")
    .replace(/[“”]/g, '"')
    .replace(/[‐‑–]/g, "-")
    .normalize("NFKC")
    .toLowerCase();
}

/**
 * Any white space may be between its characters. It begins no
 * later than the word or number that it is in, and ends no
 * earlier than the number.
 */
function patternOf(string: string): RegExp {
  const characters = [...bare(string).replace(/\s/g, "")];
  const start = /^[a-z0-9]/.test(characters[0] ?? "") ? "(?<![a-z0-9])" : "";
  const end = /[0-9]$/.test(characters.at(-1) ?? "") ? "(?![0-9])" : "";
  const letters = characters.map((letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`);
  return new RegExp(start + letters.join("\\s*") + end, "u");
}
