// Citation marks in a text: `[1]`, `[1][2]`, `[1, 2]` and `【1】`. Only what a reader would see as one:
// what stands in code is code, and `[1]: https://…` is where a link leads. Which passages the numbers
// belong to is in answer/citations.ts. Pure.

const NUMBERS = String.raw`\s{0,2}([1-9]\d{0,2}(?:\s{0,2}[,，、]\s{0,2}[1-9]\d{0,2})*)\s{0,2}`;

/** A mark, whose numbers are its first or its second group. Some models add `†` and a place in the source. */
const MARK = new RegExp(String.raw`\[${NUMBERS}\]|【${NUMBERS}(?:†[^】\n]{0,80})?】`, "g");

/** Lines that Markdown does not show, and images, whose brackets hold what stands in their place. */
const DEFINITION =
  /^ {0,3}\[[^\]\n]{1,80}\]:[ \t]*\S+(?:[ \t]+(?:"[^"\n]*"|'[^'\n]*'|\([^()\n]*\)))?[ \t]*$/gm;
const IMAGE = /!\[[^\]\n]{0,200}\]\(/g;

const FENCE = /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}(?=[^`]*$)|~{3,})/;
const FENCE_END = /^[ \t>]*(`{3,}|~{3,})[ \t]*$/;

/** The numbers that a text cites, whatever they belong to. */
export function citedNumbers(text: string): Set<number> {
  const read = withoutCode(text).replace(DEFINITION, "").replace(IMAGE, "(");
  return new Set(Array.from(read.matchAll(MARK), numbersOf).flat());
}

/** The text with other brackets for each mark of which `isMeant` accepts a number, in code or not. */
export function withoutMarks(text: string, isMeant: (number: number) => boolean): string {
  return text.replace(MARK, (...match) =>
    numbersOf(match).some(isMeant) ? `(${match[0].slice(1, -1)})` : match[0],
  );
}

function numbersOf([, square, lenticular]: readonly (string | undefined)[]): number[] {
  return (square ?? lenticular ?? "").split(/[,，、]/).map(Number);
}

function withoutCode(text: string): string {
  const paragraphs = [""];
  let fence = "";
  for (const line of text.split(/\r\n?|\n/)) {
    const [, end = ""] = FENCE_END.exec(line) ?? [];
    if (fence !== "") {
      if (end.startsWith(fence)) fence = "";
      continue;
    }
    fence = FENCE.exec(line)?.[1] ?? "";
    if (fence !== "" || line.trim() === "") paragraphs.push("");
    else paragraphs[paragraphs.length - 1] += `${line}\n`;
  }
  return paragraphs.map(withoutCodeSpans).join("\n");
}

/** A code span ends at as many backticks as it began with; backticks that have no match are only text. */
function withoutCodeSpans(paragraph: string): string {
  const runs = Array.from(paragraph.matchAll(/`+/g));
  const matches = new Map<number, number>();
  const lastOfLength = new Map<number, number>();
  for (let i = runs.length - 1; i >= 0; i -= 1) {
    const length = runs[i]?.[0].length ?? 0;
    const match = lastOfLength.get(length);
    if (match !== undefined) matches.set(i, match);
    lastOfLength.set(length, i);
  }
  let kept = "";
  let from = 0;
  for (let i = 0; i < runs.length; i += 1) {
    const match = matches.get(i);
    const end = match === undefined ? undefined : runs[match];
    if (match === undefined || end === undefined) continue;
    kept += paragraph.slice(from, runs[i]?.index);
    from = end.index + end[0].length;
    i = match;
  }
  return kept + paragraph.slice(from);
}
