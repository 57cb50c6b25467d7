// One question and its answer in the log: the growing text, the sources, the
// buttons, and the reason if it failed. Used by the page and by the element, which
// decide what is asked and when.

import {
  type Answer,
  type AnswerOptions,
  BelayError,
  CancelledError,
  ConnectionLostError,
  type Outcome,
  QuotaExceededError,
  type Rating,
  type Receipt,
  type Source,
  type Turn,
} from "../client/client.ts";
import type { AnswerSurroundings, Rendering } from "./answer-text.ts";
import { claimOf } from "./claim.ts";
import { copyButton } from "./clipboard.ts";
import { directionOf } from "./direction.ts";
import { button, element, icon } from "./element.ts";
import { Feedback } from "./feedback.ts";
import { languageOf } from "./language.ts";
import { relatedQuestions } from "./related.ts";
import { renewal } from "./renewal.ts";
import { SessionError } from "./session-error.ts";
import { Sources } from "./sources.ts";
import type { Words } from "./words/words.ts";

/** What an exchange needs of the page or the element. */
export interface Surroundings {
  readonly words: Words;
  /** The address of Belay: paths of documents belong there. Left out: the page's. */
  readonly site?: string;
  /** Makes what renders the text of the answer into an element. */
  render(root: HTMLElement, around: AnswerSurroundings): Rendering;
  /** For screen readers. */
  announce(text: string): void;
  /** Asks the same question once more. */
  again(exchange: Exchange): void;
  /** Asks a question that the answer suggests. */
  ask(question: string): void;
  /** The quota now holds a reservation for the question. */
  held(): void;
  rate(queryId: string, rating: Rating | null, comment?: string | null): Promise<void>;
  /** The receipt, once it says what the answer cost; undefined if it does not. */
  receipt(queryId: string): Promise<Receipt | undefined>;
  /** The address that opens the answer; left out if there is none. */
  readonly addressOf?: (queryId: string) => string;
  /** The log has become longer. */
  grown(): void;
}

/** In characters. Screen readers announce longer answers by length only. */
const READ_OUT_LENGTH_MAX = 1_000;
/** How long words.connectedAgain is shown. */
const BACK_SHOWN_MS = 2_000;
/** Citations of a source whose texts are looked for in its snippet. */
const CLAIMS_MAX = 3;

/** The progress of an answer, and the state of its connection. */
type Phase = "working" | "writing" | "broken" | "back" | "whole" | "failed";

export class Exchange {
  readonly root: HTMLElement;
  readonly question: string;
  readonly #around: Surroundings;
  readonly #words: Words;
  readonly #text = element("div", { class: "answer" });
  readonly #state = element("p", { class: "state", dir: "auto", hidden: true });
  readonly #notice = element("div", { class: "notice", dir: "auto", hidden: true });
  readonly #sources: Sources;
  readonly #actions = element("div", { class: "actions", hidden: true });
  readonly #related = element("ul", { class: "related", hidden: true });
  /** Where the text, its state and its buttons end, and the sources begin. */
  readonly end = element("span", { class: "end" });
  readonly #said = element("span", { class: "said", dir: "auto" });
  readonly #account = element("p", { class: "account", dir: "auto", hidden: true });
  readonly #markdown: Rendering;
  #queryId: string | undefined;
  #answer: Answer | undefined;
  #phase: Phase = "working";
  #failure: BelayError["code"] | undefined;

  /** `queryId` if it was asked before. */
  constructor(question: string, around: Surroundings, queryId?: string) {
    this.question = question;
    this.#around = around;
    this.#words = around.words;
    this.#sources = new Sources(around.words);
    this.#queryId = queryId;
    const lang = languageOf(question, this.#words.lang);
    this.#related.ariaLabel = this.#words.related;
    this.root = element(
      "article",
      { class: "exchange", dir: directionOf(question) === "rtl" ? "rtl" : undefined },
      element("h2", { class: "question", dir: "auto", lang }, question),
      element(
        "div",
        { class: "reply" },
        this.#text,
        // Below the text: the reader looks there while it grows.
        this.#state,
        this.#notice,
        this.#actions,
        this.#account,
        this.end,
        this.#sources.root,
        this.#related,
      ),
    );
    this.#markdown = around.render(this.#text, {
      find: (n) => this.#sources.find(n),
      words: around.words,
      say: around.announce,
      grown: around.grown,
    });
  }

  /** Undefined until the service sends it. */
  get queryId(): string | undefined {
    return this.#answer?.queryId ?? this.#queryId;
  }

  /** Whether the answer arrived whole. */
  get whole(): boolean {
    return this.#phase === "whole";
  }

  /** The code of the error that ended it, if one did. */
  get failure(): BelayError["code"] | undefined {
    return this.#failure;
  }

  /** As turns of a conversation; none unless the answer is whole. */
  get turns(): readonly Turn[] {
    const content = this.#answer?.text ?? "";
    if (!this.whole || content === "") return [];
    return [
      { role: "user", content: this.question },
      { role: "assistant", content },
    ];
  }

  /** Shows an answer; resolves at its end. `doing` is its first state. */
  async follow(
    doing: string,
    start: (options: AnswerOptions) => Answer,
    feedback: Receipt["feedback"] = null,
  ): Promise<void> {
    this.root.setAttribute("aria-busy", "true");
    this.#enter("working", doing);
    this.#around.announce(doing);
    this.#answer = start({
      onSources: (sources) => {
        this.#sources.show(this.#addressed(sources));
        this.#setLanguage(this.question);
        this.#enter("working", this.#words.writing);
        // Reading an earlier answer reserves nothing.
        if (this.#queryId === undefined) this.#around.held();
        this.#around.grown();
      },
      onToken: (token) => {
        if (this.#phase === "working" || this.#phase === "broken") this.#begin();
        this.#markdown.write(token);
      },
      onRetry: () => {
        const { resuming, waitingOffline } = this.#words;
        const words = navigator.onLine ? resuming : waitingOffline;
        this.#enter("broken", words);
        this.#around.announce(words);
      },
    });
    try {
      const outcome = await this.#answer.done;
      await this.#markdown.end();
      this.#finish(outcome, feedback);
    } catch (thrown) {
      await this.#markdown.end();
      this.#fail(thrown);
    }
    this.root.removeAttribute("aria-busy");
    this.#around.grown();
  }

  /** Stops the answer and shows whether it was charged. */
  async stop(): Promise<void> {
    const receipt = await this.#answer?.cancel();
    if (receipt === undefined) return;
    this.#tell(this.#words.stopped[receipt.state], receipt.state === "refunded" ? "calm" : "");
  }

  /** Shows why there is no answer to read again. */
  explain(words: string): void {
    this.#enter("failed");
    this.#tell(words, "calm");
    this.#offer();
  }

  /** Says when it was asked, and what it cost. */
  account(words: string): void {
    this.#account.textContent = words;
    this.#account.hidden = false;
  }

  #begin(): void {
    if (this.#phase === "working") {
      this.#enter("writing");
      this.#around.announce(this.#words.answering);
      return;
    }
    this.#enter("back", this.#words.connectedAgain);
    this.#around.announce(this.#words.connectedAgain);
    setTimeout(() => this.#phase === "back" && this.#enter("writing"), BACK_SHOWN_MS);
  }

  #finish(outcome: Outcome, feedback: Receipt["feedback"]): void {
    const { queryId, finish, found, text } = outcome;
    const sources = this.#addressed(outcome.sources);
    this.#enter("whole");
    this.#setLanguage(text);
    const claims = this.#claims();
    this.#sources.settle(sources, found, (n) => claims.get(n) ?? []);
    if (found) this.#suggest(relatedQuestions(sources, this.question));
    if (finish === "length") this.#tell(this.#words.cut);
    if (!found) this.#tellCost(queryId);
    const rating = new Feedback(
      this.#words,
      (rating, comment) => this.#around.rate(queryId, rating, comment),
      (words) => this.#say(words),
      feedback,
    );
    this.#offer(text, rating);
    this.#around.announce(this.#inWords(text.length));
  }

  /** With whole addresses: the element is on pages of other sites. */
  #addressed(sources: readonly Source[]): readonly Source[] {
    const base = this.#around.site ?? location.origin;
    return sources.map((source) => ({
      ...source,
      url: source.url === null ? null : (URL.parse(source.url, base)?.href ?? null),
    }));
  }

  /** The texts that each source is cited for. */
  #claims(): ReadonlyMap<number, readonly string[]> {
    const claims = new Map<number, string[]>();
    for (const cite of this.#text.querySelectorAll(".cite")) {
      const n = Number(cite.textContent);
      const own = claims.get(n) ?? [];
      claims.set(n, own);
      if (own.length < CLAIMS_MAX) own.push(claimOf(cite));
    }
    return claims;
  }

  #setLanguage(text: string): void {
    const lang = languageOf(text, this.#words.lang);
    if (lang !== undefined) this.#text.lang = lang;
  }

  #suggest(questions: readonly string[]): void {
    this.#related.hidden = questions.length === 0;
    this.#related.replaceChildren(
      ...questions.map((question) => {
        const lang = languageOf(question, this.#words.lang);
        const words = element("span", { dir: "auto", lang }, question);
        return element(
          "li",
          {},
          button({}, () => this.#around.ask(question), words, icon("arrow")),
        );
      }),
    );
  }

  /** Says whether an answer that found nothing was charged. */
  async #tellCost(queryId: string): Promise<void> {
    const receipt = await this.#around.receipt(queryId);
    if (receipt?.state === "refunded") this.#tell(this.#words.notCharged, "calm");
  }

  /** The announcement of a whole answer. */
  #inWords(length: number): string {
    // Markdown is a little longer than its words. innerText of a long one is slow.
    if (length <= 2 * READ_OUT_LENGTH_MAX) {
      // biome-ignore lint/performance/useDomNodeTextContent: textContent would join the blocks.
      const words = this.#text.innerText.trim();
      if (words.length <= READ_OUT_LENGTH_MAX) return this.#words.readOut(words);
    }
    return this.#words.readOutLength(Math.round(length / 6), length);
  }

  #fail(thrown: unknown): void {
    this.#enter("failed");
    this.#failure = thrown instanceof BelayError ? thrown.code : undefined;
    this.#text.classList.toggle("partial", this.#text.hasChildNodes());
    this.#tell(reasonOf(thrown, this.#words), thrown instanceof CancelledError ? "calm" : "");
    this.#offer(this.#answer?.text ?? "");
  }

  /** Shows the buttons. */
  #offer(text = "", feedback?: Feedback): void {
    const copy = copyButton(
      this.#words.copyAnswer,
      () => text,
      this.#words,
      (words) => this.#say(words),
    );
    const again = button(
      { class: "action", "aria-label": this.#words.askAgain },
      () => this.#around.again(this),
      icon("again"),
      // The only button of a failed answer gets a label.
      this.whole ? undefined : this.#words.askAgain,
    );
    again.classList.toggle("worded", !this.whole);
    const shown = [text === "" ? undefined : copy, this.#linkButton(), again];
    this.#actions.replaceChildren(
      ...shown.filter((action) => action !== undefined),
      ...(feedback?.thumbs ?? []),
      this.#said,
    );
    this.#actions.hidden = false;
    if (feedback !== undefined) this.#actions.after(feedback.form);
  }

  #linkButton(): HTMLButtonElement | undefined {
    const { queryId } = this;
    const { addressOf } = this.#around;
    if (!this.whole || queryId === undefined || addressOf === undefined) return undefined;
    return copyButton(
      this.#words.copyLink,
      () => addressOf(queryId),
      { ...this.#words, copied: this.#words.linkCopied },
      (words) => this.#say(words),
      "link",
    );
  }

  /** The result of the reader's action. */
  #say(words: string): void {
    this.#said.textContent = words;
    this.#around.announce(words);
  }

  #enter(phase: Phase, words = ""): void {
    this.#phase = phase;
    this.#state.textContent = words;
    this.#state.className = `state ${phase}`;
    this.#state.hidden = words === "";
  }

  #tell(words: string, kind = ""): void {
    this.#notice.textContent = words;
    this.#notice.className = `notice ${kind}`;
    this.#notice.hidden = false;
    this.#around.announce(words);
  }
}

/** Why an answer failed, for the reader. */
function reasonOf(thrown: unknown, words: Words): string {
  if (thrown instanceof CancelledError) return words.stoppedShort;
  if (thrown instanceof QuotaExceededError) {
    return words.quotaUsedUp(renewal(words, thrown.resetsAt, Date.now()));
  }
  if (thrown instanceof ConnectionLostError && thrown.code === "CONNECTION_LOST") {
    return words.connectionLost;
  }
  if (!(thrown instanceof BelayError)) return words.pageFault;
  if (thrown.cause instanceof SessionError) return thrown.cause.message;
  return words.failures[thrown.code] ?? words.failed;
}
