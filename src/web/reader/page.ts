// The reader's page: asks, shows answers, updates quota, history and examples.
// exchange.ts renders an answer; client/ keeps its connection.

import { BelayError, createClient, type Receipt, type Turn } from "../../client/client.ts";
import { API_PREFIX, type Examples } from "../../protocol.ts";
import { button, byId, element, icon } from "../element.ts";
import { Composer } from "./composer.ts";
import { Exchange, type Surroundings } from "./exchange.ts";
import { History } from "./history.ts";
import { QuotaMeter, renewal } from "./quota-meter.ts";
import { Session, SessionError } from "./session.ts";
import { View } from "./view.ts";

/** How much of the conversation is sent: the wire takes 20 turns and 64 KiB. */
const TURNS_MAX = 20;
const TURNS_BYTES_MAX = 40_000;
const CLOCK_MS = 30_000;
/** Pauses in ms between reads of the quota, until the last answer is charged. */
const SETTLING_MS = [100, 400, 1_600];
/** Key in sessionStorage: ids of the queries in this tab. */
const KEPT = "belay log";

export class Page {
  readonly #session = new Session();
  readonly #client = createClient({
    url: "",
    token: this.#session.token,
    fetch: this.#session.fetch,
  });
  readonly #log = byId("log", HTMLElement);
  readonly #status = byId("status", HTMLElement);
  readonly #banner = byId("banner", HTMLElement);
  readonly #examples = byId("examples", HTMLElement);
  readonly #sidebar = byId("sidebar", HTMLElement);
  readonly #siteTitle = document.title;
  readonly #meter = new QuotaMeter();
  readonly #composer = new Composer(
    (question) => this.#ask(question),
    () => this.#stop(),
  );
  readonly #history = new History(this.#client, (receipt) => this.#open(receipt));
  readonly #view = new View();
  #thread: Exchange[] = [];
  #live: Exchange | undefined;
  /** Whether `#thread` includes what this tab showed before a reload. */
  #restored = false;
  #quotaReads = 0;
  /** Whether the service has been reached. */
  #begun = false;
  /** Whether it refuses every reader like this one. */
  #closed = false;

  readonly #around: Surroundings = {
    announce: (text) => {
      this.#status.textContent = text;
    },
    again: (exchange) => {
      if (this.#refuseWhileAnswering()) return;
      if (!exchange.whole) this.#drop(exchange);
      this.#ask(exchange.question);
    },
    held: () => {
      // If it fails, the next read is at the end of the answer.
      this.#refreshQuota().catch(() => {});
    },
    rate: async (queryId, rating, comment) => {
      await this.#client.feedback(queryId, rating, comment);
      // The history holds the rating of the answer.
      this.#history.refresh().catch(() => {});
    },
    receipt: (queryId) => this.#resolved(queryId).catch(() => undefined),
    grown: () => this.#view.grown(),
  };

  /** Restores the tab and listens to the reader. */
  start(): void {
    for (const link of document.querySelectorAll("[data-new]")) {
      link.addEventListener("click", () => this.#startAgain());
    }
    addEventListener("online", () => this.#comeBack());
    addEventListener("offline", () => this.#showConnection());
    addEventListener("pagehide", () => this.#keep());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#comeBack();
    });
    // The quota renews while the page is open.
    setInterval(() => this.#renewQuota(), CLOCK_MS);
    this.#showConnection();
    this.#composer.focus();
    this.#begin();
  }

  #renewQuota(): void {
    if (!this.#meter.spent) return;
    const { resetsAt } = this.#meter;
    if (resetsAt === null || Date.parse(resetsAt) > Date.now()) this.#refuseIfSpent();
    else this.#refreshQuota().catch(() => {});
  }

  #open(receipt: Receipt): void {
    if (this.#refuseWhileAnswering()) return;
    this.#clear();
    this.#history.opened = receipt.queryId;
    this.#read(receipt);
    this.#view.toStart();
  }

  async #ask(question: string): Promise<void> {
    if (this.#refuseWhileAnswering()) return;
    this.#restored = true;
    const turns = this.#conversation();
    const exchange = this.#add(new Exchange(question, this.#around));
    this.#view.toEnd();
    await this.#attend(
      exchange,
      exchange.follow("Searching the documents", (options) =>
        this.#client.ask(question, { ...options, history: turns }),
      ),
    );
    await this.#refresh();
    await this.#settleQuota();
  }

  /** The receipt may come after the end of the answer, so refresh again. */
  async #stop(): Promise<void> {
    await this.#live?.stop();
    await this.#refresh();
  }

  /** Reads an earlier answer again, free; live if unfinished. */
  async #read(receipt: Receipt): Promise<void> {
    const { queryId, query, state, answer, feedback } = receipt;
    const exchange = this.#add(new Exchange(query ?? "", this.#around, queryId));
    if (state !== "reserved" && answer === null) {
      exchange.explain("This answer did not arrive whole. It was not charged and not kept.");
      return;
    }
    await this.#attend(
      exchange,
      exchange.follow(
        "Opening the answer",
        (options) => this.#client.events(queryId, options),
        feedback,
      ),
    );
    if (state === "reserved") this.#refresh();
  }

  /** During an answer: tells the reader to wait, and is true. */
  #refuseWhileAnswering(): boolean {
    if (this.#live === undefined) return false;
    const words = "One answer at a time. Wait for this one, or stop it.";
    this.#composer.remark(words);
    this.#around.announce(words);
    return true;
  }

  async #attend(exchange: Exchange, ended: Promise<void>): Promise<void> {
    this.#live = exchange;
    this.#composer.answering = true;
    await ended;
    this.#live = undefined;
    this.#composer.answering = false;
    this.#keep();
  }

  #add(exchange: Exchange): Exchange {
    document.body.classList.remove("fresh");
    if (this.#sidebar.matches(":popover-open")) this.#sidebar.hidePopover();
    this.#thread.push(exchange);
    this.#log.append(exchange.root);
    document.title = `${this.#thread[0]?.question} · ${this.#siteTitle}`;
    return exchange;
  }

  #drop(exchange: Exchange): void {
    this.#thread = this.#thread.filter((other) => other !== exchange);
    exchange.root.remove();
  }

  #clear(): void {
    this.#thread = [];
    this.#restored = true;
    this.#log.replaceChildren();
    this.#history.opened = undefined;
    document.title = this.#siteTitle;
  }

  #startAgain(): void {
    if (this.#refuseWhileAnswering()) return;
    this.#clear();
    this.#keep();
    document.body.classList.add("fresh");
    if (this.#sidebar.matches(":popover-open")) this.#sidebar.hidePopover();
    this.#composer.focus();
    // The documents may have changed.
    this.#showExamples().catch(() => {});
  }

  /** The last turns, whole, as many as may be sent. */
  #conversation(): readonly Turn[] {
    const kept: Turn[] = [];
    let bytes = 0;
    for (const { turns } of this.#thread.toReversed()) {
      bytes += new TextEncoder().encode(JSON.stringify(turns)).length;
      if (bytes > TURNS_BYTES_MAX || kept.length + turns.length > TURNS_MAX) break;
      kept.unshift(...turns);
    }
    return kept;
  }

  #keep(): void {
    if (!this.#restored) return;
    const queryIds = this.#thread.map(({ queryId }) => queryId).filter((id) => id !== undefined);
    sessionStorage.setItem(KEPT, JSON.stringify(queryIds));
  }

  /** What this tab showed before a reload. Throws if the service is unreachable. */
  async #kept(): Promise<readonly Receipt[]> {
    const queryIds: string[] = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
    const receipts = await Promise.all(
      queryIds.map((queryId) =>
        this.#client.query(queryId).catch((thrown) => {
          // Asked in an earlier session.
          if (thrown instanceof BelayError && thrown.code === "NOT_FOUND") return undefined;
          throw thrown;
        }),
      ),
    );
    return receipts.filter((receipt) => receipt !== undefined);
  }

  /** Shows them again. One that the reload stopped can be asked again. */
  async #restore(receipts: readonly Receipt[]): Promise<void> {
    // The reader asked in between, or this ran already.
    if (this.#restored || this.#thread.length > 0) return;
    for (const receipt of receipts) if (receipt.query !== null) await this.#read(receipt);
    this.#restored = true;
    this.#keep();
  }

  /** May fail: the next refresh comes with the next answer. */
  async #refresh(): Promise<void> {
    await Promise.allSettled([this.#refreshQuota(), this.#history.refresh()]);
  }

  async #refreshQuota(): Promise<void> {
    this.#quotaReads += 1;
    const reading = this.#quotaReads;
    const quota = await this.#client.quota();
    // A later answer is newer.
    if (reading !== this.#quotaReads) return;
    this.#meter.show(quota);
    this.#refuseIfSpent();
  }

  /** Reads the quota after the charge, some ms after the answer. */
  async #settleQuota(): Promise<void> {
    for (const ms of SETTLING_MS) {
      if (!this.#meter.held || this.#live !== undefined) return;
      await new Promise((resolve) => setTimeout(resolve, ms));
      await this.#refreshQuota().catch(() => {});
    }
  }

  /** The receipt of an answer, some milliseconds after its end. */
  async #resolved(queryId: string): Promise<Receipt | undefined> {
    for (const ms of [0, ...SETTLING_MS]) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      const receipt = await this.#client.query(queryId);
      if (receipt.state !== "reserved") return receipt;
    }
    return undefined;
  }

  #refuseIfSpent(): void {
    if (this.#closed) return;
    const when = renewal(this.#meter.resetsAt, Date.now());
    this.#refuse(this.#meter.spent ? `Your quota is used up. ${when}` : "");
  }

  #refuse(reason: string): void {
    this.#composer.refuse(reason);
    this.#examples.hidden = reason !== "";
  }

  async #showExamples(): Promise<void> {
    await this.#session.token();
    const response = await this.#session.fetch(`${API_PREFIX}/ai/examples`);
    if (!response.ok) return;
    const { empty, questions }: Examples = await response.json();
    byId("empty-corpus", HTMLElement).hidden = !empty;
    this.#examples.replaceChildren(
      ...questions.map((question) => {
        const words = element("span", { dir: "auto" }, question);
        return element(
          "li",
          {},
          button({}, () => this.#take(question), words, icon("arrow")),
        );
      }),
    );
  }

  #take(example: string): void {
    this.#composer.focus();
    this.#ask(example);
  }

  async #begin(): Promise<void> {
    let receipts: readonly Receipt[];
    try {
      [receipts] = await Promise.all([
        this.#kept(),
        this.#refreshQuota(),
        this.#history.refresh(),
        this.#showExamples(),
      ]);
      this.#begun = true;
      this.#showConnection();
    } catch (thrown) {
      const cause = thrown instanceof BelayError ? thrown.cause : thrown;
      this.#closed = cause instanceof SessionError && cause.closed;
      const words =
        cause instanceof SessionError
          ? cause.message
          : "The service could not be reached. Try again in a moment.";
      if (this.#closed) this.#refuse(words);
      else this.#warn(words);
      return;
    }
    await this.#restore(receipts);
  }

  #warn(words: string): void {
    if (this.#banner.textContent !== words) this.#banner.textContent = words;
    this.#banner.hidden = words === "";
    if (words !== "") this.#around.announce(words);
  }

  #showConnection(): void {
    if (!navigator.onLine)
      this.#warn(
        "You are offline. What you see stays here. New questions are answered when you are online.",
      );
    else if (this.#begun) this.#warn("");
  }

  /** The reader is back: refresh the quota, or try the service again. */
  #comeBack(): void {
    this.#showConnection();
    if (this.#closed || !navigator.onLine || this.#live !== undefined) return;
    if (this.#begun) this.#refresh();
    else this.#begin();
  }
}
