// A growing answer whose code blocks have a button that copies them.

import { copyButton } from "./clipboard.ts";
import { type Around, GrowingMarkdown } from "./growing-markdown.ts";
import type { Words } from "./words/words.ts";

export interface Surroundings extends Omit<Around, "besideCode"> {
  readonly words: Pick<Words, "copyCode" | "copied" | "copyRefused">;
  /** Called when code was copied, or was not. */
  say(words: string): void;
}

export class Markdown extends GrowingMarkdown {
  constructor(root: HTMLElement, around: Surroundings) {
    const { words, say } = around;
    const besideCode = (code: () => string) => copyButton(words.copyCode, code, words, say);
    super(root, { ...around, besideCode });
  }
}
