// The formats of documents, by file extension in lower case.

/** Always read. */
export const TEXT: ReadonlySet<string> = new Set([".md", ".markdown", ".txt"]);

/** Text in another markup: read as it is if the file is a PATH itself. */
export const TEXT_IF_NAMED: ReadonlySet<string> = new Set([
  ...["", ".", ".mdx", ".mdown", ".mkd", ".mkdn", ".rmd", ".qmd", ".mdoc", ".text"],
  ...[".rst", ".adoc", ".asciidoc", ".org", ".textile", ".wiki", ".mediawiki", ".creole", ".pod"],
  ...[".tex", ".man", ".roff", ".srt", ".vtt", ".eml", ".log"],
]);

/** Binary, or text that is mostly markup: never read. */
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

export const CONVERT_FIRST = "its format is not read: convert it to Markdown first.";
