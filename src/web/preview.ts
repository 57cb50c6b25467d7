// The preview of a citation: title, place and quote of its source. It opens on
// hover, focus, click and tap. It needs no ids and no page, so that it also works
// in a shadow root.

import type { Source } from "../client/client.ts";
import { claimOf } from "./claim.ts";
import { button, element, icon } from "./element.ts";
import { documentLink, passage, placeOf } from "./passage.ts";
import { wordsOf } from "./quote.ts";
import type { Words } from "./words/words.ts";

const OPENS_AFTER_MS = 180;
const CLOSES_AFTER_MS = 240;
/** A click on the citation of an open preview closes it before it arrives. */
const CLICK_MS = 100;
/** Between the citation and the preview, and at the edges of the view. */
const GAP_PX = 6;
const EDGE_PX = 12;

export class Preview {
  /** The element to put beside the answer. */
  readonly root = element("div", { class: "preview", popover: "auto", role: "dialog" });
  readonly #words: Words;
  readonly #find: (n: number) => Source | undefined;
  /** The citation whose source is shown. */
  #cite: HTMLElement | undefined;
  /** Whether the reader chose it: then it stays when the pointer leaves. */
  #pinned = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The citation of a preview that is being closed. */
  #closing: HTMLElement | undefined;
  /** Likewise, if the reader had chosen it. */
  #dismissed: HTMLElement | undefined;

  /** `answer` holds the citations. */
  constructor(answer: HTMLElement, words: Words, find: (n: number) => Source | undefined) {
    this.#words = words;
    this.#find = find;
    this.root.tabIndex = -1;
    answer.addEventListener("pointerover", (event) => this.#enter(event));
    answer.addEventListener("pointerout", (event) => this.#leave(event));
    answer.addEventListener("focusin", (event) => {
      const cite = citeOf(event);
      // The focus comes back to it when its preview is closed.
      if (cite?.matches(":focus-visible") && cite !== this.#closing) this.#show(cite);
    });
    answer.addEventListener("focusout", () => this.#closeSoon());
    this.root.addEventListener("pointerenter", () => clearTimeout(this.#timer));
    this.root.addEventListener("pointerleave", (event) => this.#leave(event));
    this.root.addEventListener("focusout", ({ relatedTarget }) => {
      const inside = relatedTarget instanceof Node && this.root.contains(relatedTarget);
      if (relatedTarget !== null && !inside && this.#closing === undefined) this.#close();
    });
    this.root.addEventListener("beforetoggle", ({ newState }) => {
      if (newState === "closed") this.#closes();
    });
  }

  /** The reader chose a citation. The second time closes it. */
  choose(cite: HTMLElement): void {
    if (cite === this.#dismissed) return;
    // The focus returns to it. Safari does not focus a button that is clicked.
    cite.focus({ preventScroll: true });
    this.#show(cite);
    this.#pinned = true;
    this.root.focus({ preventScroll: true });
  }

  get #isOpen(): boolean {
    return this.root.matches(":popover-open");
  }

  #enter(event: PointerEvent): void {
    const cite = citeOf(event);
    if (cite === undefined || event.pointerType === "touch" || this.#pinned) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(cite), this.#isOpen ? 0 : OPENS_AFTER_MS);
  }

  #leave(event: PointerEvent): void {
    if (event.pointerType !== "touch") this.#closeSoon();
  }

  #closeSoon(): void {
    clearTimeout(this.#timer);
    if (!this.#pinned) this.#timer = setTimeout(() => this.#close(), CLOSES_AFTER_MS);
  }

  #close(): void {
    if (this.#isOpen) this.root.hidePopover();
    // Taken off the page while it was open.
    else this.#closes();
  }

  #show(cite: HTMLElement): void {
    clearTimeout(this.#timer);
    const source = this.#find(Number(cite.textContent));
    if (source === undefined || !cite.isConnected) return;
    if (cite !== this.#cite) this.#fill(source, cite);
    this.#cite = cite;
    this.#pinned = false;
    if (!this.#isOpen) this.root.showPopover();
    this.#place(cite);
    addEventListener("scroll", this.#scrolled, { capture: true, passive: true });
    addEventListener("resize", this.#scrolled);
  }

  /** It moves along with its citation, as long as that is in view. */
  readonly #scrolled = () => {
    const { top = -1, bottom = 0 } = this.#cite?.getBoundingClientRect() ?? {};
    if (this.#cite !== undefined && top >= 0 && bottom <= innerHeight) this.#place(this.#cite);
    else this.#close();
  };

  #fill(source: Source, cite: HTMLElement): void {
    const { n, title, snippet, url } = source;
    this.root.ariaLabel = this.#words.source(n, title);
    const place = placeOf(source);
    const link = documentLink(url, this.#words);
    const claim = wordsOf(claimOf(cite));
    this.root.replaceChildren(
      element(
        "p",
        { class: "head" },
        element("span", { class: "number", "aria-hidden": "true" }, String(n)),
        element("strong", { dir: "auto" }, title),
        button(
          { class: "action", "aria-label": this.#words.close },
          () => this.#close(),
          icon("close"),
        ),
      ),
      ...(place === "" ? [] : [element("p", { class: "place", dir: "auto" }, place)]),
      element("div", { class: "quote" }, ...passage(snippet, [claim], this.#words.lang)),
      ...(link === undefined ? [] : [link]),
    );
  }

  /** Below the citation, or above it where there is more room. */
  #place(cite: HTMLElement): void {
    const { style, offsetWidth: width, offsetHeight: height } = this.root;
    const at = cite.getBoundingClientRect();
    const room = innerHeight - at.bottom;
    const below = room >= height + GAP_PX + EDGE_PX || room > at.top;
    style.top = `${below ? at.bottom + GAP_PX : Math.max(EDGE_PX, at.top - GAP_PX - height)}px`;
    // Without the room that is kept for a scrollbar.
    const { clientWidth, offsetWidth } = document.documentElement;
    const most = Math.min(clientWidth, offsetWidth) - width - EDGE_PX;
    const middle = at.left + (at.width - width) / 2;
    style.left = `${Math.max(EDGE_PX, Math.min(middle, most))}px`;
  }

  #closes(): void {
    clearTimeout(this.#timer);
    removeEventListener("scroll", this.#scrolled, { capture: true });
    removeEventListener("resize", this.#scrolled);
    this.#closing = this.#cite;
    this.#dismissed = this.#pinned ? this.#cite : undefined;
    setTimeout(() => {
      this.#closing = undefined;
      this.#dismissed = undefined;
    }, CLICK_MS);
    this.#cite = undefined;
    this.#pinned = false;
  }
}

function citeOf({ target }: Event): HTMLElement | undefined {
  const cite = target instanceof Element ? target.closest<HTMLElement>(".cite") : null;
  return cite ?? undefined;
}
