// Where readers find a file, as far as its path says. Pure.

/** What sites turn into pages; a .txt is served as it is. */
const MARKDOWN = /\.(?:md|markdown)$/i;
/** The names of the page that a folder shows by itself: of most sites, of GitHub and MkDocs, and of Hugo. */
const FOLDER_PAGE = /^(?:index|readme|_index)$/i;

export interface Addresses {
  /** Ends with a slash. */
  readonly base: string;
  /** Whether a page's address is its path without `.md`, and that of a folder's own page is the folder's. */
  readonly stripExtension: boolean;
}

/** @param names The path of the file below the base, name by name. */
export function addressOf(names: readonly string[], { base, stripExtension }: Addresses): string {
  const path = stripExtension ? pageOf(names) : names;
  return base + path.map(encodeURIComponent).join("/");
}

function pageOf(names: readonly string[]): readonly string[] {
  const last = names.at(-1) ?? "";
  const page = last.replace(MARKDOWN, "");
  // A file that is called `.md` has no name but that.
  if (page === last || page === "") return names;
  return [...names.slice(0, -1), FOLDER_PAGE.test(page) ? "" : page];
}
