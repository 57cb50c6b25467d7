// The text of an answer: Markdown, whose citations show a preview of their source.

import type { Source } from "../client/client.ts";
import { Markdown } from "./markdown.ts";
import { Preview } from "./preview.ts";
import type { Words } from "./words/words.ts";

/** Shows a text that grows. */
export interface Rendering {
  write(text: string): void;
  /** The text is complete. Resolves once all of it is shown. */
  end(): Promise<void>;
}

export interface AnswerSurroundings {
  readonly words: Words;
  /** Undefined if there is no such source. */
  find(n: number): Source | undefined;
  /** Called when code was copied, or was not. */
  say(words: string): void;
  /** Called before each frame. */
  grown(): void;
}

/** @param root Its previews are put beside it. */
export function answerText(root: HTMLElement, around: AnswerSurroundings): Rendering {
  const { words, find, say, grown } = around;
  const preview = new Preview(root, words, find);
  root.parentElement?.append(preview.root);
  const cite = (n: number) => {
    const source = find(n);
    if (source === undefined) return undefined;
    const open = (cite: HTMLElement) => preview.choose(cite);
    return { name: words.source(n, source.title), open };
  };
  return new Markdown(root, { cite, words, say, grown });
}
