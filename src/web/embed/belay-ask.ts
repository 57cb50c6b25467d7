// The element <belay-ask>: attributes, property, methods and events. A frame shows
// it, a conversation asks.

import type { TokenOption } from "../../client/client.ts";
import { Conversation, type Host } from "./conversation.ts";
import { Frame, PHONE } from "./frame.ts";
import { wordsFor } from "./language.ts";
import { sessionAt } from "./session.ts";
import { ATTRIBUTES, type Attribute, Settings } from "./settings.ts";
import { Store } from "./store.ts";
import { sheet } from "./styles.ts";
import { type ElementWords, en } from "./words/en.ts";

/** The stores in use: two elements of a page have two conversations. */
const storesInUse = new Set<string>();

export class BelayAsk extends HTMLElement {
  static readonly observedAttributes = ATTRIBUTES;

  readonly #settings = new Settings();
  /** English until those of the page's language are loaded. */
  #words: ElementWords = en;
  #frame = this.#newFrame();
  #token: TokenOption | undefined;
  #talk: Conversation | undefined;
  #store: Store | undefined;
  /** Resolves once there is a conversation. */
  readonly #ready = Promise.withResolvers<void>();
  /** Aborts when the element leaves its place. */
  #stay = new AbortController();
  #spoken = "";

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
  }

  /** A bearer token of the page's user, or a function that returns one. */
  get token(): TokenOption | undefined {
    return this.#token;
  }

  set token(token: TokenOption | undefined) {
    const signedIn = (token === undefined) !== (this.#token === undefined);
    this.#token = token;
    // Another identity has another conversation.
    if (signedIn && this.#talk !== undefined) this.#begin();
  }

  /** Asks; resolves when the answer has ended. Opens a bubble. */
  async ask(question: string): Promise<void> {
    const text = String(question).trim();
    if (text === "") return;
    await this.#ready.promise;
    this.#open(true);
    await this.#talk?.ask(text);
  }

  /** Opens a bubble. */
  get open(): () => void {
    return () => this.#open(true);
  }

  /** React and Vue set attributes by such a property. */
  set open(open: unknown) {
    this.toggleAttribute("open", open !== false && open !== null && open !== undefined);
  }

  close(): void {
    const { isOpen } = this.#frame;
    this.#frame.close();
    this.removeAttribute("open");
    this.#store?.keep({ open: false });
    if (isOpen) this.#emit("belay-close", undefined);
  }

  /** Forgets the conversation. */
  clear(): void {
    this.#talk?.clear();
  }

  override focus(): void {
    this.#frame.focus();
  }

  connectedCallback(): void {
    // Set before this module was loaded.
    if (Object.hasOwn(this, "token")) {
      const { token } = this;
      Reflect.deleteProperty(this, "token");
      this.#token = token;
    }
    this.#stay = new AbortController();
    this.#listen(this.#stay.signal);
    if (this.#talk === undefined) {
      this.#start();
      return;
    }
    if (this.#store !== undefined) storesInUse.add(this.#store.key);
    this.#talk.show();
    this.#settle();
  }

  disconnectedCallback(): void {
    this.#stay.abort();
    // A move ends in the same task.
    setTimeout(() => {
      if (this.isConnected) return;
      this.#talk?.sleep();
      if (this.#store !== undefined) storesInUse.delete(this.#store.key);
    });
  }

  attributeChangedCallback(name: Attribute, old: string | null, value: string | null): void {
    if (value === old) return;
    this.#settings.take(name, value);
    if (this.#talk === undefined) return;
    if (name === "url") this.#begin();
    else if (name === "lang") this.#speak();
    else if (name === "open") this.#toggle(value !== null);
    else this.#dress();
    if (name === "mode") this.#settle();
  }

  /** Waits for the words, so that the language does not change on screen. */
  async #start(): Promise<void> {
    await this.#speak();
    if (this.#talk !== undefined) return;
    this.#begin();
    this.#ready.resolve();
  }

  /** A new conversation, or the one that this tab has kept. */
  #begin(): void {
    this.#talk?.end();
    if (this.#store !== undefined) storesInUse.delete(this.#store.key);
    const { url } = this.#settings;
    let key = `belay-ask ${url} ${this.id}`;
    while (storesInUse.has(key)) key += "+";
    storesInUse.add(key);
    this.#store = new Store(key);
    const element = this;
    const host: Host = {
      settings: this.#settings,
      get frame() {
        return element.#frame;
      },
      session: sessionAt(url),
      store: this.#store,
      get words() {
        return element.#words;
      },
      get token() {
        return element.#token;
      },
      get isShown() {
        return element.isConnected;
      },
      emit: (name, detail) => this.#emit(name, detail),
    };
    this.#talk = new Conversation(host);
    this.#show();
  }

  /** Takes its place on the page: in the flow, or above all else. */
  #settle(): void {
    if (!this.isConnected) return;
    this.#frame.attach();
    const isOpen = this.hasAttribute("open") || this.#store?.kept.open === true;
    if (isOpen) this.#open(false);
    if (!this.#frame.isBubble) this.#beginOnSight();
  }

  /** Asks the service for nothing before the reader can see the element. */
  #beginOnSight(): void {
    const observer = new IntersectionObserver(([entry]) => {
      if (!entry?.isIntersecting) return;
      observer.disconnect();
      this.#talk?.begin();
    });
    observer.observe(this);
    this.#stay.signal.addEventListener("abort", () => observer.disconnect());
  }

  async #speak(): Promise<void> {
    const { lang } = document.documentElement;
    const tag = this.closest<HTMLElement>("[lang]")?.lang || lang;
    this.#spoken = tag;
    const words = await wordsFor(tag);
    if (tag !== this.#spoken || words === this.#words) return;
    this.#words = words;
    const { log } = this.#frame;
    this.#frame = this.#newFrame();
    this.#frame.log.append(...log.children);
    if (this.#talk !== undefined) this.#show();
  }

  #newFrame(): Frame {
    const reader = {
      ask: (question: string) => this.#talk?.ask(question),
      stop: () => this.#talk?.stop(),
      clear: () => this.#talk?.clear(),
      wake: () => this.#talk?.wake(),
      open: () => this.#open(true),
      close: () => this.close(),
    };
    return new Frame(reader, this.#words);
  }

  #show(): void {
    this.#dress();
    this.shadowRoot?.replaceChildren(this.#frame.root);
    this.#settle();
  }

  #dress(): void {
    this.#frame.dress(this.#settings);
    this.#talk?.show();
  }

  #toggle(open: boolean): void {
    if (open) this.#open(true);
    else if (this.#frame.isOpen) this.close();
  }

  /** Opens a bubble. Without the reader's wish, it never covers a phone. */
  #open(byReader: boolean): void {
    const frame = this.#frame;
    if (!frame.isBubble || frame.isOpen || (frame.isPhone && !byReader)) return;
    frame.open(byReader);
    this.toggleAttribute("open", true);
    this.#store?.keep({ open: true });
    this.#talk?.begin();
    this.#emit("belay-open", undefined);
  }

  #emit(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  #listen(signal: AbortSignal): void {
    addEventListener("online", () => this.#talk?.wake(), { signal });
    addEventListener("offline", () => this.#talk?.show(), { signal });
    PHONE.addEventListener("change", () => this.#frame.attach(), { signal });
    for (const type of ["resize", "scroll"]) {
      visualViewport?.addEventListener(type, () => this.#frame.fit(), { signal });
    }
  }
}
