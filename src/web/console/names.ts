// Words of others inside the console's own: names, ids and texts. Each keeps its
// own direction, so that nothing in it can turn the words around it.

import { button, element } from "../element.ts";
import { languageOf } from "../language.ts";

/** Characters that do not show, or that turn the text after them. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
/** Marks that turn the text after them. Each script has its direction without. */
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;
const SPACES_ALONE = /^\p{Z}*$/u;
/** A longer text is folded. */
const FOLDED_CHARACTERS = 500;
const FOLDED_LINES = 6;

/** A name as it can be told from others: what does not show is its code. */
export function visible(name: string): string {
  return name.replace(SPACES_ALONE.test(name) ? /./gu : UNSEEN, codeOf);
}

function codeOf(character: string): string {
  const code = character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
  return `⟨U+${code}⟩`;
}

/** A name inside a sentence. */
export function named(name: string): HTMLElement {
  return element("bdi", { class: "named" }, visible(name));
}

export function nameLink(name: string, href: string): HTMLElement {
  return element("a", { class: "named", href, dir: "auto" }, visible(name));
}

/** Nodes with this text in between. */
export function joined(nodes: readonly Node[], between: string): (Node | string)[] {
  return nodes.flatMap((node, i) => (i === 0 ? [node] : [between, node]));
}

/** What someone wrote, read in the order in which it is stored. A long text is folded until the operator opens it. */
export function written(text: string, kind: string): HTMLElement {
  const shown = text.replace(TURNING, codeOf);
  const words = element("p", { class: kind, dir: "auto", lang: languageOf(text, "en") }, shown);
  const isLong = text.length > FOLDED_CHARACTERS || text.split("\n").length > FOLDED_LINES;
  if (!isLong) return words;
  words.classList.add("folded");
  const more = button(
    { class: "quiet", "aria-expanded": "false" },
    () => {
      const isFolded = words.classList.toggle("folded");
      more.ariaExpanded = String(!isFolded);
      more.textContent = isFolded ? "Show all" : "Show less";
    },
    "Show all",
  );
  return element("div", { class: "long" }, words, more);
}
