// Questions to begin with, from the documents or the operator. Where the documents
// have no headings that are questions, their topics, under that name.

import type { Examples as Body } from "../../protocol.ts";
import { button, byId, element, icon } from "../element.ts";
import { languageOf } from "../language.ts";
import type { PageWords } from "./words/page-words.ts";

const QUESTION = /[?？؟]\s*$/;
/** Fewer questions than these get topics beside them. */
const QUESTIONS_MIN = 2;

export class Examples {
  readonly #root = byId("examples", HTMLElement);
  readonly #words: PageWords;
  readonly #onChoose: (question: string) => void;

  constructor(words: PageWords, onChoose: (question: string) => void) {
    this.#words = words;
    this.#onChoose = onChoose;
  }

  show({ questions: all }: Body): void {
    const questions = all.filter((example) => QUESTION.test(example));
    const shown = questions.length >= QUESTIONS_MIN ? questions : all;
    this.#root.hidden = shown.length === 0;
    const [name, list] = this.#root.children as unknown as [HTMLElement, HTMLElement];
    name.hidden = questions.length > 0;
    list.ariaLabel = questions.length > 0 ? this.#words.examples : this.#words.topics;
    list.replaceChildren(...shown.map((example) => element("li", {}, this.#choice(example))));
  }

  #choice(example: string): HTMLButtonElement {
    const lang = languageOf(example, this.#words.lang);
    const words = element("span", { dir: "auto", lang }, example);
    return button({}, () => this.#onChoose(example), words, icon("arrow"));
  }
}
