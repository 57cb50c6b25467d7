// Text of a PDF as Markdown: without characters that are mark-up, and with cut words joined. Pure.

import { endsUnspaced, startsUnspaced } from "./pdf-characters.ts";

const BULLET = /^[•●▪◦‣·](?:\s+|$)|^[–*-]\s+/;
const NUMBER = /^\(?(\d{1,3})[.)]\s+/;

/** Whether a text is the sign of an item alone. */
export function isSign(text: string): boolean {
  return /^(?:[•●▪◦‣·–—*-]|\(?\d{1,3}[.)]|[a-z][.)])$/.test(text);
}

/** Whether a line begins an item of a list. */
export function isItem(text: string): boolean {
  return isBullet(text) || NUMBER.test(text);
}

export function isBullet(text: string): boolean {
  return BULLET.test(text);
}

export function item(text: string): string {
  if (BULLET.test(text)) return `- ${escaped(text.replace(BULLET, ""))}`;
  const number = NUMBER.exec(text);
  if (number !== null) return `${number[1]}. ${escaped(text.slice(number[0].length))}`;
  return escaped(text).replace(/^([#>+=~-])/, "\\$1");
}

/** Without characters that Markdown would read as mark-up. */
export function escaped(text: string): string {
  return text
    .replace(/[\\*<`[\]{}]/g, "\\$&")
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\_");
}

/** A word cut at a line end is joined, unless it has a hyphen elsewhere, or is a path or an address. */
export function join(before: string, next: string, words: ReadonlySet<string>): string {
  const start = /([\p{L}\p{N}]+)[-\u00ad\u2010]$/u.exec(before)?.[1];
  const end = /^\p{Ll}[\p{L}\p{N}]*/u.exec(next)?.[0];
  if (start !== undefined && end !== undefined) {
    const isName = /[/._@:][\p{L}\p{N}-]*-$/u.test(before);
    const keeps = isName || (words.has(`${start}-${end}`) && !words.has(start + end));
    return before.slice(0, keeps ? undefined : -1).replace(/\u00ad$/, "") + next;
  }
  // A name such as Smith-Jones, or 2019-2020.
  if (start !== undefined && /^[\p{Lu}\p{N}]/u.test(next)) return before + next;
  const isUnspaced = endsUnspaced(before) && startsUnspaced(next);
  return `${before}${isUnspaced ? "" : " "}${next}`;
}
