// The sources under an answer, which are untrusted text. One line while the answer
// is written; then the cited passages by document, and the others folded.

import type { Source } from "../client/client.ts";
import { element, icon } from "./element.ts";
import { documentLink, passage, placeOf } from "./passage.ts";
import { wordsOf } from "./quote.ts";
import type { Words } from "./words/words.ts";

/** The texts that a source is cited for. */
export type ClaimsOf = (n: number) => readonly string[];

export class Sources {
  readonly root: HTMLElement;
  readonly #words: Words;
  readonly #heading: HTMLElement;
  readonly #cited = element("ul", { class: "documents" });
  readonly #rest = element("details", { class: "rest" });
  readonly #restName = element("span", { dir: "auto" });
  readonly #others = element("ul", { class: "documents" });
  #sources: readonly Source[] = [];

  constructor(words: Words) {
    this.#words = words;
    this.root = element("section", { class: "sources", "aria-label": words.sources, hidden: true });
    this.#heading = element("h3", { hidden: true }, words.sources);
    this.#rest.append(element("summary", {}, icon("chevron"), this.#restName), this.#others);
    this.root.append(this.#heading, this.#cited, this.#rest);
  }

  /** While the answer is written: how many there are. */
  show(sources: readonly Source[]): void {
    this.#show(sources, [], this.#words.sourceCount(sources.length));
  }

  /**
   * Of the whole answer. Where nothing was `found`, no source answers, and they are
   * only the closest passages.
   */
  settle(sources: readonly Source[], found: boolean, claimsOf: ClaimsOf): void {
    const cited = found ? sources.filter(({ cited }) => cited === true) : [];
    const count = sources.length - cited.length;
    const { closestPassages, moreSources, sourceCount } = this.#words;
    const name = cited.length > 0 ? moreSources(count) : sourceCount(count);
    this.#show(sources, cited, found ? name : closestPassages, claimsOf);
  }

  find(n: number): Source | undefined {
    return this.#sources.find((source) => source.n === n);
  }

  #show(
    sources: readonly Source[],
    cited: readonly Source[],
    name: string,
    claimsOf: ClaimsOf = () => [],
  ): void {
    this.#sources = sources;
    const others = sources.filter((source) => !cited.includes(source));
    const documents = (some: readonly Source[]) =>
      [...Map.groupBy(some, ({ documentId }) => documentId).values()].map((passages) =>
        this.#document(passages, claimsOf),
      );
    this.#heading.hidden = cited.length === 0;
    this.#cited.replaceChildren(...documents(cited));
    this.#cited.hidden = cited.length === 0;
    this.#others.replaceChildren(...documents(others));
    this.#restName.textContent = name;
    this.#rest.hidden = others.length === 0;
    this.root.hidden = sources.length === 0;
  }

  #document(passages: readonly Source[], claimsOf: ClaimsOf): HTMLElement {
    const { title = "", url = null } = passages[0] ?? {};
    // The addresses of passages differ by their anchor.
    const link = documentLink(url?.replace(/#.*$/, "") ?? null, this.#words, title);
    return element(
      "li",
      {},
      element("p", { class: "title", dir: "auto" }, link ?? title),
      element(
        "ol",
        {},
        ...passages.map((source) => element("li", {}, this.#passage(source, claimsOf))),
      ),
    );
  }

  #passage(source: Source, claimsOf: ClaimsOf): HTMLElement {
    const { n, title, snippet, url } = source;
    const { lang } = this.#words;
    const place = placeOf(source);
    const claims = claimsOf(n).map(wordsOf);
    const blocks = () => passage(snippet, claims, lang);
    return element(
      "details",
      { class: "passage" },
      element(
        "summary",
        {},
        element(
          "span",
          { class: "number", "aria-label": this.#words.source(n, title), role: "img" },
          String(n),
        ),
        element(
          "span",
          { class: "about" },
          place === "" ? undefined : element("span", { class: "place", dir: "auto" }, place),
          // Read out once, when it is open.
          element("span", { class: "glimpse", "aria-hidden": "true" }, ...blocks()),
        ),
        icon("chevron"),
      ),
      element("div", { class: "quote" }, ...blocks()),
      documentLink(url, this.#words),
    );
  }
}
