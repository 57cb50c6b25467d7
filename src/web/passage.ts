// The snippet of a source as elements: prose and code, with the sentences that the
// answer quotes marked. The text is untrusted and stays text.

import type { Source } from "../client/client.ts";
import { directionOf } from "./direction.ts";
import { element, icon } from "./element.ts";
import { languageOf } from "./language.ts";
import { safeAddress, setExternalHref } from "./link.ts";
import { quotedParts, type WordSet } from "./quote.ts";
import type { Words } from "./words/words.ts";

const INDENTED = /^(?: {2,}|\t)(?!\s*(?:[-*+•]|\d+[.)])\s)\S/m;
/** The look of a line of code, in any language. */
const CODE =
  /[{};]\s*$|^\s*(?:[$#>] |<\/?\w+[ >]|["'\w-]+\s*[:=]\s*["'[{\d]|(?:import|export|const|let|var|def|class|function|return|npm|npx|curl|git|docker|pip|cargo|go|sudo) \S)|\w\(.*\)$/;

/** The snippet, block by block. */
export function passage(snippet: string, claims: readonly WordSet[], page: string): HTMLElement[] {
  return blocksOf(snippet).map(({ text, isCode }) => {
    if (isCode) return element("pre", { dir: "ltr" }, element("code", {}, text));
    return element(
      "p",
      { dir: directionOf(text), lang: languageOf(text, page) },
      ...quotedParts(text, claims).map((part) =>
        part.quoted ? element("mark", {}, part.text) : part.text,
      ),
    );
  });
}

/** Where the passage is in its document. */
export function placeOf({ heading }: Source): string {
  return heading.join(" › ");
}

/** Undefined if the document has no address that is safe to open. */
export function documentLink(
  url: string | null,
  words: Words,
  text = words.openDocument,
): HTMLAnchorElement | undefined {
  const safe = url === null ? undefined : safeAddress(url);
  if (safe === undefined) return undefined;
  const link = element("a", { lang: languageOf(text, words.lang) }, text, icon("out"));
  setExternalHref(link, safe);
  return link;
}

function blocksOf(snippet: string): { text: string; isCode: boolean }[] {
  const blocks: { text: string; isCode: boolean }[] = [];
  for (const text of snippet.split(/\n{2,}/)) {
    if (text.trim() === "") continue;
    const isCode = looksLikeCode(text);
    const last = blocks.at(-1);
    // Code has empty lines too.
    if (isCode && last?.isCode) last.text += `\n\n${text}`;
    else blocks.push({ text: isCode ? text.trimEnd() : text.trim(), isCode });
  }
  return blocks;
}

function looksLikeCode(text: string): boolean {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const coded = lines.filter((line) => CODE.test(line)).length;
  return coded > lines.length / 2 || (coded > 0 && INDENTED.test(text));
}
