// The formats of documents by the extensions of their files, in lower case.

/** Read wherever they are. */
export const TEXT: ReadonlySet<string> = new Set([".md", ".markdown", ".txt"]);

/** Text with marks that are not Markdown's: read as it is where a file is named itself. */
export const TEXT_IF_NAMED: ReadonlySet<string> = new Set([
  ...["", ".", ".mdx", ".mdown", ".mkd", ".mkdn", ".rmd", ".qmd", ".mdoc", ".text"],
  ...[".rst", ".adoc", ".asciidoc", ".org", ".textile", ".wiki", ".mediawiki", ".creole", ".pod"],
  ...[".tex", ".man", ".roff", ".srt", ".vtt", ".eml", ".log"],
]);

/** Bytes, or text that is mostly marks: never read. */
export const NOT_TEXT: ReadonlySet<string> = new Set([
  ...[
    ".html",
    ".htm",
    ".xhtml",
    ".mhtml",
    ".mht",
    ".pdf",
    ".ps",
    ".epub",
    ".mobi",
    ".djvu",
    ".chm",
  ],
  ...[".doc", ".docx", ".docm", ".odt", ".rtf", ".pages", ".ppt", ".pptx", ".odp", ".key"],
  ...[".xls", ".xlsx", ".ods", ".numbers", ".csv", ".tsv", ".ipynb", ".msg", ".one"],
]);

export const CONVERT_FIRST = "it is of a format that is not read: convert it to Markdown first.";
