// The source cards under an answer. They show untrusted text.

import type { Source } from "../client/client.ts";
import { element, icon } from "./element.ts";
import type { Citation } from "./inlines.ts";
import { safeAddress, setExternalHref } from "./link.ts";

export class Sources {
  readonly root = element("section", { class: "sources", "aria-label": "Sources", hidden: true });
  readonly #heading = element("h3", {}, "Sources");
  readonly #list = element("ol");
  readonly #cards = new Map<number, HTMLDetailsElement>();
  #sources: readonly Source[] = [];

  constructor() {
    this.root.append(this.#heading, this.#list);
  }

  show(sources: readonly Source[]): void {
    this.#sources = sources;
    this.#cards.clear();
    this.#list.replaceChildren(
      ...sources.map((source) => {
        const details = card(source);
        this.#cards.set(source.n, details);
        return element("li", {}, details);
      }),
    );
    this.root.hidden = sources.length === 0;
  }

  /**
   * Marks the sources that the whole answer does not cite. Where nothing was
   * `found`, none of them answers.
   */
  settle(sources: readonly Source[], found: boolean): void {
    if (this.#cards.size === 0) this.show(sources);
    if (!found) {
      this.#heading.textContent = "Closest passages";
      for (const details of this.#cards.values()) details.classList.add("unused");
      return;
    }
    const used = sources.some(({ cited }) => cited);
    for (const { n, cited } of sources) {
      const details = this.#cards.get(n);
      if (details === undefined || !used || cited !== false) continue;
      details.classList.add("unused");
      details.querySelector(".titles")?.after(element("span", { class: "tag" }, "not cited"));
    }
  }

  citation(n: number): Citation | undefined {
    const source = this.#sources.find((source) => source.n === n);
    const details = this.#cards.get(n);
    if (source === undefined || details === undefined) return undefined;
    return {
      name: `Source ${n}: ${source.title}`,
      open() {
        details.open = true;
        details.querySelector("summary")?.focus();
        details.scrollIntoView({ block: "nearest", inline: "nearest" });
      },
    };
  }
}

function card(source: Source): HTMLDetailsElement {
  const { n, title, heading, snippet, url } = source;
  const place = heading.join(" › ");
  const summary = element(
    "summary",
    {},
    element(
      "span",
      { class: "number" },
      element("span", { class: "unseen" }, "Source "),
      String(n),
    ),
    element(
      "span",
      { class: "titles" },
      element("span", { class: "title", dir: "auto" }, title),
      place === "" ? undefined : element("span", { class: "place", dir: "auto" }, place),
    ),
    icon("chevron"),
  );
  const details = element("details", { class: "card" }, summary);
  const body = element("div", { class: "passage" }, element("p", { dir: "auto" }, snippet));
  const safe = url === null ? undefined : safeAddress(url);
  if (safe !== undefined) {
    const link = element("a", {}, "Open the document", icon("out"));
    setExternalHref(link, safe);
    body.append(link);
  }
  details.append(body);
  return details;
}
