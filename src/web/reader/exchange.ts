// One question and its answer in the log: the growing text, the sources, the
// buttons, and the reason if it failed. page.ts decides what is asked and when.

import {
  type Answer,
  type AnswerOptions,
  BelayError,
  CancelledError,
  ConnectionLostError,
  type Outcome,
  type QueryState,
  QuotaExceededError,
  type Rating,
  type Receipt,
  type Turn,
} from "../../client/client.ts";
import { copyButton } from "../clipboard.ts";
import { button, element, icon } from "../element.ts";
import { Feedback } from "../feedback.ts";
import { Markdown } from "../markdown.ts";
import { Sources } from "../sources.ts";
import { renewal } from "./quota-meter.ts";
import { SessionError } from "./session.ts";

/** What an exchange needs of the page. */
export interface Surroundings {
  /** For screen readers. */
  announce(text: string): void;
  /** Asks the same question once more. */
  again(exchange: Exchange): void;
  /** The quota now holds a reservation for the question. */
  held(): void;
  rate(queryId: string, rating: Rating | null, comment?: string | null): Promise<void>;
  /** The receipt, once it says what the answer cost; undefined if it does not. */
  receipt(queryId: string): Promise<Receipt | undefined>;
  /** The log has become longer. */
  grown(): void;
}

/** In characters. Screen readers announce longer answers by length only. */
const READ_OUT_LENGTH_MAX = 1_000;
/** How long "Connected again." is shown. */
const BACK_SHOWN_MS = 2_000;

/** What the reader sees after a stop, by the receipt's state. */
const STOPPED: Readonly<Record<QueryState, string>> = {
  refunded: "Stopped. You were not charged.",
  charged: "Stopped too late: the answer was complete. It is charged, and kept in your history.",
  reserved:
    "Stopped. Your refunds are used up, so the answer is finished, charged, and kept in your history.",
};

/** The progress of an answer, and the state of its connection. */
type Phase = "working" | "writing" | "broken" | "back" | "whole" | "failed";

export class Exchange {
  readonly root: HTMLElement;
  readonly question: string;
  readonly #around: Surroundings;
  readonly #text = element("div", { class: "answer" });
  readonly #state = element("p", { class: "state", hidden: true });
  readonly #notice = element("div", { class: "notice", hidden: true });
  readonly #sources = new Sources();
  readonly #actions = element("div", { class: "actions", hidden: true });
  readonly #said = element("span", { class: "said" });
  readonly #markdown: Markdown;
  #queryId: string | undefined;
  #answer: Answer | undefined;
  #phase: Phase = "working";

  /** `queryId` if it was asked before. */
  constructor(question: string, around: Surroundings, queryId?: string) {
    this.question = question;
    this.#around = around;
    this.#queryId = queryId;
    this.#markdown = new Markdown(
      this.#text,
      (n) => this.#sources.citation(n),
      around.announce,
      around.grown,
    );
    this.root = element(
      "article",
      { class: "exchange" },
      element("h2", { class: "question", dir: "auto" }, question),
      element(
        "div",
        { class: "reply" },
        this.#text,
        // Below the text: the reader looks there while it grows.
        this.#state,
        this.#notice,
        this.#actions,
        this.#sources.root,
      ),
    );
  }

  /** Undefined until the service sends it. */
  get queryId(): string | undefined {
    return this.#answer?.queryId ?? this.#queryId;
  }

  /** Whether the answer arrived whole. */
  get whole(): boolean {
    return this.#phase === "whole";
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
    this.#enter("working", `${doing}…`);
    this.#around.announce(`${doing}.`);
    this.#answer = start({
      onSources: (sources) => {
        this.#sources.show(sources);
        this.#enter("working", "Writing the answer…");
        // Reading an earlier answer reserves nothing.
        if (this.#queryId === undefined) this.#around.held();
        this.#around.grown();
      },
      onToken: (token) => {
        if (this.#phase === "working" || this.#phase === "broken") this.#begin();
        this.#markdown.write(token);
      },
      onRetry: () => {
        this.#enter("broken", "Connection lost. Resuming…");
        this.#around.announce("Connection lost. Resuming.");
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
    this.#tell(STOPPED[receipt.state], receipt.state === "refunded" ? "calm" : "");
  }

  /** Shows why there is no answer to read again. */
  explain(words: string): void {
    this.#enter("failed");
    this.#tell(words, "calm");
    this.#offer();
  }

  #begin(): void {
    if (this.#phase === "working") {
      this.#enter("writing");
      this.#around.announce("Answering.");
      return;
    }
    this.#enter("back", "Connected again.");
    this.#around.announce("Resumed.");
    setTimeout(() => this.#phase === "back" && this.#enter("writing"), BACK_SHOWN_MS);
  }

  #finish(outcome: Outcome, feedback: Receipt["feedback"]): void {
    const { queryId, sources, finish, found, text } = outcome;
    this.#enter("whole");
    this.#sources.settle(sources, found);
    if (finish === "length") this.#tell("The answer was cut at its maximum length.");
    if (!found) this.#tellCost(queryId);
    const rating = new Feedback(
      (rating, comment) => this.#around.rate(queryId, rating, comment),
      (words) => this.#say(words),
      feedback,
    );
    this.#offer(text, rating);
    this.#around.announce(this.#inWords(text.length));
  }

  /** Says whether an answer that found nothing was charged. */
  async #tellCost(queryId: string): Promise<void> {
    const receipt = await this.#around.receipt(queryId);
    if (receipt?.state === "refunded") this.#tell("You were not charged.", "calm");
  }

  /** The announcement of a whole answer. */
  #inWords(length: number): string {
    // Markdown is a little longer than its words. innerText of a long one is slow.
    if (length <= 2 * READ_OUT_LENGTH_MAX) {
      // biome-ignore lint/performance/useDomNodeTextContent: textContent would join the blocks.
      const words = this.#text.innerText.trim();
      if (words.length <= READ_OUT_LENGTH_MAX) return `The answer: ${words}`;
    }
    return `The answer is complete: about ${Math.round(length / 6)} words.`;
  }

  #fail(thrown: unknown): void {
    this.#enter("failed");
    this.#text.classList.toggle("partial", this.#text.hasChildNodes());
    this.#tell(reasonOf(thrown), thrown instanceof CancelledError ? "calm" : "");
    this.#offer(this.#answer?.text ?? "");
  }

  /** Shows the buttons. */
  #offer(text = "", feedback?: Feedback): void {
    const copy = copyButton(
      "Copy the answer",
      () => text,
      (words) => this.#say(words),
    );
    const again = button(
      { class: "action", "aria-label": "Ask again" },
      () => this.#around.again(this),
      icon("again"),
      // The only button of a failed answer gets a label.
      this.whole ? undefined : "Ask again",
    );
    again.classList.toggle("worded", !this.whole);
    this.#actions.replaceChildren(
      ...(text === "" ? [] : [copy]),
      again,
      ...(feedback?.thumbs ?? []),
      this.#said,
    );
    this.#actions.hidden = false;
    if (feedback !== undefined) this.#actions.after(feedback.form);
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
function reasonOf(thrown: unknown): string {
  if (thrown instanceof CancelledError) return "Stopped.";
  if (thrown instanceof QuotaExceededError) {
    const when = renewal(thrown.resetsAt, Date.now());
    return `Your quota is used up. ${when} You were not charged for this one.`;
  }
  if (thrown instanceof ConnectionLostError && thrown.code === "CONNECTION_LOST") {
    return "The connection was lost. An answer that does not arrive whole is not charged. Your history shows what happened to this one.";
  }
  if (!(thrown instanceof BelayError)) return "Something went wrong on this page. Reload it.";
  if (thrown.cause instanceof SessionError) return thrown.cause.message;
  return thrown.message;
}
