// What surrounds a conversation: the panel, inline or as the dialog of a bubble,
// with its heading, examples, form and note. Knows nothing of answers.

import { QUERY_LENGTH_MAX } from "../../protocol.ts";
import { Composer } from "../composer.ts";
import { button, element, icon } from "../element.ts";
import type { IconName } from "../icons.ts";
import type { Settings } from "./settings.ts";
import type { ElementWords } from "./words/en.ts";

/** Here a bubble covers the whole page. */
export const PHONE = matchMedia("(width < 560px)");
/** Within this distance the reader is at the end, in px. */
const NEAR_END = 40;

/** What the reader does. */
export interface Reader {
  ask(question: string): void;
  stop(): void;
  clear(): void;
  /** The reader is about to type. */
  wake(): void;
  open(): void;
  close(): void;
}

export class Frame {
  readonly root = element("div", { class: "belay" });
  readonly log = element("div", { class: "log", role: "log", "aria-live": "off" });
  readonly composer: Composer;
  readonly #reader: Reader;
  readonly #words: ElementWords;
  readonly #title = element("h2", { class: "heading" });
  readonly #clear: HTMLButtonElement;
  readonly #close: HTMLButtonElement;
  readonly #launcher: HTMLButtonElement;
  readonly #launcherWords = element("span");
  readonly #toEnd: HTMLButtonElement;
  readonly #greeting = element("p", { class: "greeting", dir: "auto" });
  readonly #examples = element("ul", { class: "examples" });
  readonly #welcome: HTMLElement;
  readonly #loading = element("p", { class: "state working", hidden: true });
  readonly #banner = element("p", { class: "notice banner", hidden: true });
  readonly #status = element("p", { class: "unseen", role: "status" });
  readonly #parts: readonly HTMLElement[];
  #panel: HTMLElement = element("section");
  #isBubble = false;
  /** The examples. */
  #shown: readonly string[] = [];

  constructor(reader: Reader, words: ElementWords) {
    this.#reader = reader;
    this.#words = words;
    this.root.lang = words.lang;
    this.log.ariaLabel = words.conversation;
    this.#examples.ariaLabel = words.examples;
    this.#clear = action("new", words.clear, () => {
      reader.clear();
      this.composer.focus();
    });
    this.#close = action("close", words.close, () => reader.close());
    this.#toEnd = action("down-to", words.toEnd, () => {
      this.log.scrollTo({ top: this.log.scrollHeight });
    });
    this.#toEnd.classList.add("to-end");
    this.#launcher = button(
      { class: "launcher", "aria-haspopup": "dialog" },
      () => reader.open(),
      icon("mark"),
      this.#launcherWords,
    );
    const parts = {
      form: element("form", { class: "composer" }),
      input: element("textarea", {
        rows: "1",
        maxlength: String(QUERY_LENGTH_MAX),
        dir: "auto",
        autocomplete: "off",
        enterkeyhint: "send",
        "aria-label": words.yourQuestion,
        "aria-describedby": "note",
      }),
      send: element(
        "button",
        { type: "submit", class: "round", "aria-label": words.ask },
        icon("send"),
      ),
      stop: button({ class: "round", "aria-label": words.stop }, () => {}, icon("stop")),
      note: element("p", { class: "note", id: "note" }),
    };
    parts.form.append(parts.input, parts.send, parts.stop);
    parts.input.addEventListener("focus", () => reader.wake());
    this.composer = new Composer(
      parts,
      words,
      (question) => reader.ask(question),
      () => reader.stop(),
    );
    this.#welcome = element(
      "div",
      { class: "welcome" },
      this.#greeting,
      element("p", { class: "promise" }, words.promise),
      this.#examples,
    );
    this.#parts = [
      element("header", {}, icon("mark"), this.#title, this.#clear, this.#close),
      this.#welcome,
      this.#loading,
      this.log,
      element("div", { class: "dock" }, this.#toEnd, this.#banner, parts.form, parts.note),
      this.#status,
    ];
    this.log.addEventListener("scroll", () => this.#offerEnd(), { passive: true });
    this.#offerEnd();
    this.#keepKeys();
    this.#build();
  }

  /** Shows what the attributes say. */
  dress({ label, scheme, accent, greeting, bubble }: Settings): void {
    const { style } = this.root;
    style.colorScheme = scheme;
    if (accent === "") style.removeProperty("--brand");
    else style.setProperty("--brand", accent);
    this.#greeting.textContent = greeting || this.#words.greeting;
    if (bubble !== this.#isBubble) {
      this.#isBubble = bubble;
      this.#build();
    }
    const name = label || this.#words.label;
    this.#title.textContent = name;
    this.#launcherWords.textContent = name;
    this.#panel.ariaLabel = name;
  }

  /** Shows a bubble again after each move: the browser hides what it moves. */
  attach(): void {
    if (!this.#isBubble) return;
    // The top layer: no style of the page can cut or cover it.
    this.root.popover = "manual";
    if (!this.root.matches(":popover-open")) this.root.showPopover();
    const panel = this.#panel;
    if (!(panel instanceof HTMLDialogElement) || !panel.open) return;
    panel.close();
    if (PHONE.matches) panel.showModal();
    else panel.open = true;
  }

  get isBubble(): boolean {
    return this.#isBubble;
  }

  /** Whether opening it covers the page. */
  get isPhone(): boolean {
    return PHONE.matches;
  }

  get isOpen(): boolean {
    return this.#panel.hasAttribute("open");
  }

  /** Opens the dialog. Only if the reader asked for it, it takes the focus. */
  open(byReader: boolean): void {
    const panel = this.#panel;
    if (!(panel instanceof HTMLDialogElement) || panel.open) return;
    if (!byReader) panel.open = true;
    else if (PHONE.matches) panel.showModal();
    else panel.show();
    this.#launcher.hidden = true;
    if (!byReader) return;
    panel.focus();
    this.composer.focus();
  }

  close(): void {
    // First, so that the browser can give the focus back to it.
    this.#launcher.hidden = false;
    if (!(this.#panel instanceof HTMLDialogElement) || !this.#panel.open) return;
    const root = this.root.getRootNode() as ShadowRoot;
    const inside = this.#panel.contains(root.activeElement);
    this.#panel.close();
    if (inside && root.activeElement === null) this.#launcher.focus();
  }

  focus(): void {
    if (this.#isBubble && !this.isOpen) this.#launcher.focus();
    else this.composer.focus();
  }

  announce(text: string): void {
    this.#status.textContent = text;
  }

  /** What the reader must know before they ask; empty if there is nothing. */
  banner(text: string): void {
    if (this.#banner.textContent !== text) this.announce(text);
    this.#banner.textContent = text;
    this.#banner.hidden = text === "";
  }

  /** Before the first question. `loading` is shown instead, if any. */
  welcome(shown: boolean, loading: string): void {
    this.#welcome.hidden = !shown;
    this.#clear.hidden = shown;
    this.#loading.textContent = loading;
    this.#loading.hidden = loading === "";
    this.root.classList.toggle("fresh", shown || loading !== "");
  }

  examples(questions: readonly string[]): void {
    if (questions.join("\n") === this.#shown.join("\n")) return;
    this.#shown = questions;
    this.#examples.replaceChildren(
      ...questions.map((question) => {
        const words = element("span", { dir: "auto" }, question);
        return element(
          "li",
          {},
          button({}, () => this.#reader.ask(question), words, icon("arrow")),
        );
      }),
    );
  }

  /** Shows a question at the top of the log. Its answer grows below. */
  toTop(exchange: HTMLElement): void {
    this.log.scrollTo({ top: exchange.offsetTop });
  }

  /** The log has become longer. */
  grown(): void {
    requestAnimationFrame(() => this.#offerEnd());
  }

  /** A touch keyboard covers a part of the page. */
  fit(): void {
    const { height = innerHeight, offsetTop = 0 } = visualViewport ?? {};
    this.root.style.setProperty("--height", `${height}px`);
    this.root.style.setProperty("--top", `${offsetTop}px`);
  }

  #offerEnd(): void {
    const { scrollHeight, clientHeight, scrollTop } = this.log;
    this.#toEnd.hidden = scrollHeight - clientHeight - scrollTop < NEAR_END;
  }

  /** A section inline; a dialog and its launcher as a bubble. */
  #build(): void {
    const bubble = this.#isBubble;
    const panel: HTMLElement = element(
      bubble ? "dialog" : "section",
      { class: "panel" },
      ...this.#parts,
    );
    if (bubble) {
      panel.tabIndex = -1;
      // Before the form, for which Escape stops an answer.
      panel.addEventListener("keydown", (event) => this.#onKey(event), { capture: true });
      // The back button of a phone.
      panel.addEventListener("cancel", (event) => {
        event.preventDefault();
        this.#reader.close();
      });
    } else {
      this.root.popover = null;
    }
    this.#launcher.hidden = !bubble;
    this.#panel = panel;
    this.root.replaceChildren(this.#launcher, panel);
    this.root.classList.toggle("bubble", bubble);
  }

  #onKey(event: KeyboardEvent): void {
    // A preview of a source closes first.
    if (event.key !== "Escape" || event.isComposing) return;
    if (this.#panel.querySelector(":popover-open") !== null) return;
    event.preventDefault();
    event.stopPropagation();
    this.#reader.close();
  }

  /** The page sees the element as the target, and would take keys as shortcuts. */
  #keepKeys(): void {
    for (const type of ["keydown", "keypress", "keyup"]) {
      this.root.addEventListener(type, (event) => {
        if (event.target instanceof Element && event.target.matches("input, textarea")) {
          event.stopPropagation();
        }
      });
    }
  }
}

function action(name: IconName, words: string, onClick: () => void): HTMLButtonElement {
  return button({ class: `action ${name}`, "aria-label": words }, onClick, icon(name));
}
