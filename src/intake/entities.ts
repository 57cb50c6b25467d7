// The entities of HTML as characters. Pure.

import MarkdownIt from "markdown-it";

const ENTITY = /&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z\d]{1,31});/gi;
const { unescapeAll } = new MarkdownIt().utils;

/** An unknown name stays as it is. */
export function decoded(text: string): string {
  return text.includes("&") ? text.replace(ENTITY, unescapeAll) : text;
}
