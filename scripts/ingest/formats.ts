// The formats of documents, by file extension in lower case.

import type { Kind } from "./reading.ts";

/** Always read. */
export const KINDS: ReadonlyMap<string, Kind> = new Map([
  [".md", "text"],
  [".markdown", "text"],
  [".txt", "text"],
  [".mdx", "mdx"],
  [".html", "html"],
  [".htm", "html"],
  [".xhtml", "html"],
  [".pdf", "pdf"],
  [".docx", "docx"],
  [".docm", "docx"],
]);

/** Text in another markup: read as it is if the file is a PATH itself. */
export const TEXT_IF_NAMED: ReadonlySet<string> = new Set([
  ...["", ".", ".mdown", ".mkd", ".mkdn", ".rmd", ".qmd", ".mdoc", ".text"],
  ...[".rst", ".adoc", ".asciidoc", ".org", ".textile", ".wiki", ".mediawiki", ".creole", ".pod"],
  ...[".tex", ".man", ".roff", ".srt", ".vtt", ".eml", ".log"],
]);

/** Binary, or text that is mostly markup: never read. */
export const NOT_TEXT: ReadonlySet<string> = new Set([
  ...[".mhtml", ".mht", ".ps", ".epub", ".mobi", ".djvu", ".chm"],
  ...[".doc", ".odt", ".rtf", ".pages", ".ppt", ".pptx", ".odp", ".key"],
  ...[".xls", ".xlsx", ".ods", ".numbers", ".csv", ".tsv", ".ipynb", ".msg", ".one"],
]);

export const CONVERT_FIRST =
  "its format is not read: convert it to Markdown, HTML, PDF or DOCX first.";
