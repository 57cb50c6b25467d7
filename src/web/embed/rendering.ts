// Renders answers. What makes Markdown and previews of it is a file of its own beside embed.js:
// it is loaded when the reader first sees the element, and before an answer comes.

import type { AnswerSurroundings, Rendering } from "../answer-text.ts";
import { tellAuthor } from "./author.ts";
import type * as renderer from "./renderer.ts";
import { addStyles } from "./styles.ts";

const FILE = "embed-answer.js";

let loading: Promise<typeof renderer> | undefined;

export function loadRenderer(): Promise<typeof renderer> {
  loading ??= load();
  // The network may be back the next time.
  loading.catch(() => {
    loading = undefined;
  });
  return loading;
}

async function load(): Promise<typeof renderer> {
  const module: typeof renderer = await import(new URL(FILE, import.meta.url).href);
  addStyles(module.css);
  return module;
}

/** Takes text at once, and shows it when the renderer is there. */
export class LateRendering implements Rendering {
  readonly #rendering: Promise<Rendering>;

  constructor(root: HTMLElement, around: AnswerSurroundings) {
    this.#rendering = loadRenderer().then(
      ({ answerText }) => answerText(root, around),
      () => {
        tellAuthor(`${FILE} could not be loaded, so answers are shown as plain text.`);
        return new PlainText(root);
      },
    );
  }

  write(text: string): void {
    this.#rendering.then((rendering) => rendering.write(text));
  }

  async end(): Promise<void> {
    return (await this.#rendering).end();
  }
}

class PlainText implements Rendering {
  readonly #root: HTMLElement;

  constructor(root: HTMLElement) {
    root.classList.add("plain");
    this.#root = root;
  }

  write(text: string): void {
    this.#root.append(text);
  }

  async end(): Promise<void> {}
}
