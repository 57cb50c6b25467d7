// One question and its answer, as they stand in the log: the text as it grows, the sources, what can
// be done with it, and how it ended when it did not end well. What is asked and when is for page.ts.

import {
  type Answer,
  type AnswerOptions,
  type BelayError,
  CancelledError,
  type Outcome,
  QuotaExceededError,
  type Rating,
  type Receipt,
  type Turn,
} from "../client/client.ts";
import { button, element, icon } from "./element.ts";
import { Feedback } from "./feedback.ts";
import { Markdown } from "./markdown.ts";
import { renewal } from "./quota-meter.ts";
import { Sources } from "./sources.ts";

/** What the rest of the page does for an exchange. */
export interface Surroundings {
  /** Says it to who does not see the page. */
  announce(text: string): void;
  /** Asks the same question once more. */
  again(question: string): void;
  /** The question counts against the quota from now on, until it is known how it ends. */
  held(): void;
  rate(queryId: string, rating: Rating | null, comment?: string): Promise<void>;
  /** Something has become longer. */
  grown(): void;
}

export class Exchange {
  readonly root: HTMLElement;
  readonly question: string;
  readonly #around: Surroundings;
  readonly #text = element("div", { class: "answer", dir: "auto" });
  readonly #state = element("p", { class: "state" });
  readonly #notice = element("div", { class: "notice", hidden: true });
  readonly #sources = new Sources();
  readonly #actions = element("div", { class: "actions", hidden: true });
  readonly #markdown: Markdown;
  #answer: Answer | undefined;
  #whole = false;

  constructor(question: string, around: Surroundings) {
    this.question = question;
    this.#around = around;
    this.#markdown = new Markdown(this.#text, (n) => this.#sources.citation(n));
    this.root = element(
      "article",
      { class: "exchange" },
      element("h2", { class: "question", dir: "auto" }, question),
      element(
        "div",
        { class: "reply" },
        this.#state,
        this.#text,
        this.#notice,
        this.#actions,
        this.#sources.root,
      ),
    );
  }

  /** As turns of a conversation, where the answer is whole. */
  get turns(): readonly Turn[] {
    const content = this.#answer?.text ?? "";
    if (!this.#whole || content === "") return [];
    return [
      { role: "user", content: this.question },
      { role: "assistant", content },
    ];
  }

  /** Follows an answer to its end; resolves then, whatever the end is. */
  async follow(
    start: (options: AnswerOptions) => Answer,
    feedback: Receipt["feedback"] = null,
  ): Promise<void> {
    this.root.setAttribute("aria-busy", "true");
    this.#show("Searching the documents…");
    this.#around.announce("Searching the documents.");
    this.#answer = start({
      onSources: (sources) => {
        this.#sources.show(sources);
        this.#around.held();
        this.#around.grown();
      },
      onToken: (token) => {
        if (this.#state.textContent !== "") this.#begin();
        this.#markdown.write(token);
        this.#around.grown();
      },
      onRetry: () => {
        this.#show("Connection lost. Resuming…", "broken");
        this.#around.announce("Connection lost. Resuming.");
      },
    });
    try {
      this.#finish(await this.#answer.done, feedback);
    } catch (thrown) {
      this.#fail(thrown as BelayError);
    }
    this.root.removeAttribute("aria-busy");
    this.#around.grown();
  }

  /** Stops the answer, and says what became of it. */
  async stop(): Promise<void> {
    const receipt = await this.#answer?.cancel();
    const kept =
      "Your refunds are used up: the answer is finished, charged, and kept in your history.";
    if (receipt?.state === "refunded") this.#tell("Stopped. You were not charged.");
    else if (receipt !== undefined) this.#tell(`Stopped. ${kept}`);
  }

  /** Shows why there is no answer to read again. */
  explain(words: string): void {
    this.#tell(words);
    this.#offer();
  }

  #begin(): void {
    const resumed = this.#state.classList.contains("broken");
    this.#show("");
    this.#around.announce(resumed ? "Resumed." : "Answering.");
  }

  #finish({ queryId, text, sources, finish }: Outcome, feedback: Receipt["feedback"]): void {
    this.#show("");
    this.#markdown.end();
    this.#whole = true;
    this.#sources.settle(sources);
    if (finish === "length") this.#tell("The answer was cut where it reached its longest length.");
    const rating = new Feedback(
      (rating, comment) => this.#around.rate(queryId, rating, comment),
      feedback,
    );
    this.#offer(text, rating);
    this.#around.announce(`The answer: ${text}`);
  }

  #fail(error: BelayError): void {
    this.#show("");
    this.#markdown.end();
    this.#text.classList.toggle("partial", this.#text.hasChildNodes());
    if (error instanceof CancelledError) this.#tell("Stopped.");
    else if (error instanceof QuotaExceededError) {
      const when = renewal(error.resetsAt, Date.now());
      this.#tell(`Your quota is used up. ${when} You were not charged for this one.`);
    } else {
      const free = /^(GENERATION|RETRIEVAL)_/.test(error.code) ? " You were not charged." : "";
      this.#tell(error.message + free);
    }
    this.#offer(this.#answer?.text ?? "");
  }

  /** What can be done with what is there. */
  #offer(text = "", feedback?: Feedback): void {
    const copy = button(
      { class: "action", "aria-label": "Copy the answer" },
      () => {
        navigator.clipboard.writeText(text).then(
          () => this.#confirm(copy),
          () => this.#around.announce("The answer could not be copied."),
        );
      },
      icon("copy"),
    );
    const again = button(
      { class: "action", "aria-label": "Ask again" },
      () => this.#around.again(this.question),
      icon("again"),
    );
    this.#actions.replaceChildren(
      ...(text === "" ? [] : [copy]),
      again,
      ...(feedback?.thumbs ?? []),
    );
    this.#actions.hidden = false;
    if (feedback !== undefined) this.#actions.after(feedback.form);
  }

  #confirm(copy: HTMLButtonElement): void {
    copy.replaceChildren(icon("check"));
    this.#around.announce("Copied.");
    setTimeout(() => copy.replaceChildren(icon("copy")), 1_500);
  }

  #show(state: string, kind = "working"): void {
    this.#state.textContent = state;
    this.#state.className = `state ${kind}`;
    this.#state.hidden = state === "";
  }

  #tell(words: string): void {
    this.#notice.textContent = words;
    this.#notice.hidden = false;
    this.#around.announce(words);
  }
}
