// What a part of the console is given when the operator goes there.

import type { Api } from "./api.ts";

export interface Place {
  readonly api: Api;
  /** Empty at first. */
  readonly root: HTMLElement;
  /** Beside the title: for filters and for what is done to the whole. */
  readonly controls: HTMLElement;
  /** Names below the part, such as a user's. */
  readonly names: readonly string[];
  /** The filters in the address. */
  readonly filters: URLSearchParams;
  /** Whether the deployment shows words of users. */
  readonly showsWords: boolean;
  /** Aborted when the operator goes elsewhere. */
  readonly gone: AbortSignal;
  /** Names what is shown, below its part. */
  title(words: string): void;
  /** Writes the filters into the address. */
  keep(filters: Readonly<Record<string, string>>): void;
  /** Told to screen readers. */
  announce(words: string): void;
}

/** The address of a part, such as `#/users/alice`. */
export function addressOf(
  names: readonly string[],
  filters: Readonly<Record<string, string>> = {},
): string {
  const search = new URLSearchParams(filters).toString();
  const path = names.map(encodeURIComponent).join("/");
  return `#/${path}${search === "" ? "" : `?${search}`}`;
}
