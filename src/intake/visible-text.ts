// The text that a reader sees of HTML and of Markdown's inline
// tokens, with words as far apart as on a page. Pure.

import { decoded } from "./entities.ts";

/** Elements that part words, as a line end does. */
const PARTING =
  /^<\/?(?:address|article|aside|blockquote|br|caption|center|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|header|hr|legend|li|main|nav|ol|optgroup|option|p|pre|section|select|summary|table|tbody|td|textarea|tfoot|th|thead|tr|ul|video)(?=[\s/>])/i;

/** Elements in a box. A mark may follow it at once, a word may not. */
const BOXED = /^<\/?(?:button|img|input|kbd|label|picture|svg)(?=[\s/>])/i;

/** Elements in a box that words go on after: `<code>a</code>s`. */
const NEIGHBOUR = /^<(\/?)(a|code|mark|samp|var)(?=[\s/>])/i;

/** Elements whose text is not part of a sentence, or not shown. */
const HIDDEN = /^<(\/?)(rp|rt|script|style|template)(?=[\s/>])/i;

const OPEN_END = /[\s\p{Ps}\p{Pi}+\-/]$/u;
const CLOSED_START = /^[\s\p{Pe}\p{Pf}.,;:!?…、。，．；：！？+\-/]/u;
const SUPERSCRIPTS: Readonly<Record<string, string>> = {
  ...{ 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" },
  ...{ "+": "⁺", "-": "⁻", "−": "⁻" },
};

export class VisibleText {
  #parts: string[] = [];
  #last = "";
  #isApart = false;
  /** The name of the hidden element that is open. */
  #hidden: string | undefined;
  /** The last tag was the end of an element in NEIGHBOUR. */
  #afterNeighbour = false;
  #isRaised = false;

  /** Text as it is shown. */
  add(text: string): void {
    if (text === "" || this.#hidden !== undefined) return;
    if (this.#isApart && !OPEN_END.test(this.#last) && !CLOSED_START.test(text)) this.#push(" ");
    this.#isApart = false;
    this.#afterNeighbour = false;
    const isNumber = this.#isRaised && /^[\d+−-]+$/.test(text);
    this.#push(isNumber ? text.replace(/./g, (char) => SUPERSCRIPTS[char] ?? char) : text);
  }

  /** The next word is apart from the last one. */
  part(): void {
    if (this.#last !== "") this.#isApart = true;
  }

  /** The beginning of a link, an image or code. */
  beginNeighbour(): void {
    if (this.#afterNeighbour) this.part();
    this.#afterNeighbour = false;
  }

  endNeighbour(): void {
    this.#afterNeighbour = true;
  }

  /** @param canHide Whether the tag that ends an element follows. */
  addTag(tag: string, canHide: (name: string) => boolean): void {
    const [, slash, name = ""] = HIDDEN.exec(tag) ?? [];
    if (slash === "" && this.#hidden === undefined && !tag.endsWith("/>")) {
      if (canHide(name.toLowerCase())) this.#hidden = name.toLowerCase();
    } else if (slash === "/" && this.#hidden === name.toLowerCase()) {
      this.#hidden = undefined;
    }
    const [, end] = NEIGHBOUR.exec(tag) ?? [];
    if (end === "") this.beginNeighbour();
    else if (end === "/") this.endNeighbour();
    if (PARTING.test(tag)) this.add(" ");
    else if (BOXED.test(tag)) this.#addBox(tag);
    if (/^<\/?sup(?=[\s>])/i.test(tag)) this.#isRaised = !tag.startsWith("</");
  }

  #addBox(tag: string): void {
    this.part();
    const alt = /^<img\s/i.test(tag) ? attribute(tag, "alt") : undefined;
    if (alt === undefined) return;
    this.add(decoded(alt));
    this.part();
  }

  toString(): string {
    return this.#parts.join("");
  }

  #push(text: string): void {
    this.#parts.push(text);
    this.#last = text.slice(-1);
  }
}

/** The value of an attribute of a tag. */
export function attribute(tag: string, name: string): string | undefined {
  const found = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, "i").exec(
    tag,
  );
  return found?.[1] ?? found?.[2] ?? found?.[3];
}

/** The id that an element gives its place: `<a name="x">`, `<span id="x">`. */
export function idOf(tag: string): string | undefined {
  if (tag.startsWith("</")) return undefined;
  const id = attribute(tag, "id") ?? (/^<a\s/i.test(tag) ? attribute(tag, "name") : undefined);
  return id?.trim() || undefined;
}
