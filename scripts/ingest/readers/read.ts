/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// What a reader makes of a file or page.

/** As Markdown. */
export interface Readable {
  readonly text: string;
  /** Used where the text has no heading of the first level. */
  readonly title: string | undefined;
}

export interface Facts {
  /** Parts that were not read. */
  readonly notes?: readonly string[];
  /** The address that the page names as its own. */
  readonly canonical?: string | undefined;
  /** It asks not to be found. */
  readonly isHidden?: boolean;
  /** Absolute, without fragments. */
  readonly links?: readonly string[];
  /** Where it sends its readers at once. */
  readonly refresh?: string | undefined;
}

export type Read = (Readable | { readonly reason: string }) & Facts;
