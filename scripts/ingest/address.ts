// The address of a file on a site, from its path. Pure.

/** Files that sites turn into pages. A .txt is served as it is. */
const MARKDOWN = /\.(?:mdx?|markdown|html?)$/i;
/** The page of a folder itself: most sites, GitHub and MkDocs, Hugo. */
const FOLDER_PAGE = /^(?:index|readme|_index)$/i;

export interface Addresses {
  /** Ends with a slash. */
  readonly base: string;
  /** Pages without extension, and a folder's own page as the folder. */
  readonly stripExtension: boolean;
}

/** @param names The path below the base, name by name. */
export function addressOf(names: readonly string[], { base, stripExtension }: Addresses): string {
  const path = stripExtension ? pageOf(names) : names;
  return base + path.map(encodeURIComponent).join("/");
}

function pageOf(names: readonly string[]): readonly string[] {
  const last = names.at(-1) ?? "";
  const page = last.replace(MARKDOWN, "");
  // A file `.md` has no other name.
  if (page === last || page === "") return names;
  return [...names.slice(0, -1), FOLDER_PAGE.test(page) ? "" : page];
}
