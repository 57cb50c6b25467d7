// A file of Markdown or plain text as a document, as `npm run ingest` makes it: the
// same id, the title of the front matter, and the text after it. Pure.

import { frontMatter } from "../../intake/front-matter.ts";

export const ENDINGS = [".md", ".markdown", ".txt"];
const TITLE_LENGTH_MAX = 300;
const TEXT_BYTES_MAX = 1024 * 1024; /* 1 MiB */

export interface NewDocument {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

/** Throws an Error that says why the file is no document. */
export function documentOf(name: string, content: Uint8Array): NewDocument {
  const ending = /\.\w+$/.exec(name)?.[0].toLowerCase() ?? "";
  if (!ENDINGS.includes(ending)) {
    throw new Error("It is no Markdown and no plain text: .md, .markdown or .txt.");
  }
  const { title, text } = frontMatter(decoded(content));
  if (text.trim() === "") throw new Error("It is empty.");
  if (new TextEncoder().encode(text).byteLength > TEXT_BYTES_MAX) {
    throw new Error("Its text is over 1 MiB. Divide it.");
  }
  const id = name.normalize("NFC");
  const byName = name.replace(/\.\w+$/, "").replace(/[-_]+/g, " ");
  const heading = /^#[ \t]+(.+?)[ \t]*#*$/m.exec(text)?.[1];
  return { id, title: tidy(title ?? "") || tidy(heading ?? "") || tidy(byName) || id, text };
}

function decoded(content: Uint8Array): string {
  if (content.includes(0)) throw new Error("It is not text.");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(content);
  } catch {
    throw new Error("It is not text in UTF-8.");
  }
}

function tidy(title: string): string {
  const line = title.replace(/[\s\p{Cc}]+/gu, " ").trim();
  return [...line].slice(0, TITLE_LENGTH_MAX).join("").trim();
}
