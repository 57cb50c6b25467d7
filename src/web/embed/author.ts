// What the page's author must know is in the console: it is not for readers.

const NAME = "belay-ask: ";

export function tellAuthor(words: string, cause?: unknown): void {
  console.warn(NAME + words, ...(cause === undefined ? [] : [cause]));
}
