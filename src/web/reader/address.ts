// The address of an answer: its id after `#`. It opens for the reader who asked.

import { isId } from "../tab.ts";

/** The answer that the page's address names. */
export function namedAnswer(): string | undefined {
  const name = location.hash.slice(1);
  // Other anchors name a part of the page, or nothing.
  return isId(name) && document.getElementById(name) === null ? name : undefined;
}

/** Names an answer in the page's address; undefined names none. */
export function nameAnswer(queryId: string | undefined): void {
  const hash = queryId === undefined ? "" : `#${queryId}`;
  if (location.hash !== hash) history.replaceState(null, "", `${location.pathname}${hash}`);
}

export function addressOf(queryId: string): string {
  return `${location.origin}${location.pathname}#${queryId}`;
}
