// The reader's page: asks, shows answers, updates quota, history and examples.
// exchange.ts renders an answer; client/ keeps its connection.

import {
  type Answer,
  type AnswerOptions,
  BelayError,
  type Client,
  createClient,
  type Receipt,
} from "../../client/client.ts";
import { backoffMs } from "../../client/connection.ts";
import type { Examples as ExamplesBody } from "../../protocol.ts";
import { answerText } from "../answer-text.ts";
import { Composer, type Refusal } from "../composer.ts";
import { byId } from "../element.ts";
import { Exchange, type Surroundings } from "../exchange.ts";
import { renewal } from "../renewal.ts";
import { SessionError } from "../session-error.ts";
import { conversationOf } from "../turns.ts";
import { Accounts, accountOf } from "./accounts.ts";
import { addressOf, nameAnswer, namedAnswer } from "./address.ts";
import { Banner } from "./banner.ts";
import { Examples } from "./examples.ts";
import { History } from "./history.ts";
import { madeBy, readIdentity, showIdentity, signInAddress } from "./identity.ts";
import { type Asking, keep, kept, newAsking } from "./kept.ts";
import { QuotaMeter } from "./quota-meter.ts";
import { Session } from "./session.ts";
import { SignIn } from "./sign-in.ts";
import { View } from "./view.ts";
import type { PageWords } from "./words/page-words.ts";

const CLOCK_MS = 30_000;
/** Between tries while the browser is offline. Being online again ends the wait. */
const OFFLINE_MS = 30_000;

export class Page {
  readonly #words: PageWords;
  readonly #identity = readIdentity();
  readonly #session: Session;
  readonly #client: Client;
  readonly #log = byId("log", HTMLElement);
  readonly #status = byId("status", HTMLElement);
  readonly #sidebar = byId("sidebar", HTMLElement);
  readonly #siteTitle: string;
  readonly #meter: QuotaMeter;
  readonly #accounts: Accounts;
  readonly #composer: Composer;
  readonly #history: History;
  readonly #examples: Examples;
  readonly #signIn: SignIn;
  readonly #banner: Banner;
  readonly #view = new View();
  readonly #around: Surroundings;
  #thread: Exchange[] = [];
  #live: Exchange | undefined;
  /** What is being asked, for the case that the page is reloaded before it has an id. */
  #asking: Asking | undefined;
  /** Whether `#thread` includes what this tab showed before a reload. */
  #restored = false;
  /** Whether the service has been reached. */
  #begun = false;
  /** Why no reader like this one can ask, if so. */
  #closed: Refusal | undefined;
  /** Whether there are no documents yet. */
  #empty = false;

  constructor(words: PageWords) {
    this.#words = words;
    showIdentity(this.#identity, words);
    this.#siteTitle = document.title;
    this.#session = new Session(words, this.#identity.anonymous);
    this.#client = createClient({
      url: "",
      token: this.#session.token,
      fetch: this.#session.fetch,
      backoff: (attempt) => (navigator.onLine ? backoffMs(attempt) : OFFLINE_MS),
    });
    const announce = (text: string) => {
      this.#status.textContent = text;
    };
    this.#around = {
      words,
      render: answerText,
      announce,
      again: (exchange) => {
        if (this.#refuseWhileAnswering()) return;
        if (!exchange.whole) this.#drop(exchange);
        this.#ask(exchange.question);
      },
      ask: (question) => this.#choose(question),
      held: () => {
        // If it fails, the next read is at the end of the answer.
        this.#accounts.refresh().catch(() => {});
      },
      rate: async (queryId, rating, comment) => {
        await this.#client.feedback(queryId, rating, comment);
        // The history holds the rating of the answer.
        this.#history.refresh().catch(() => {});
      },
      receipt: (queryId) => this.#accounts.receipt(queryId).catch(() => undefined),
      addressOf,
      grown: () => this.#view.grown(),
    };
    this.#meter = new QuotaMeter(words);
    this.#accounts = new Accounts(this.#client, (quota) => {
      this.#meter.show(quota);
      this.#updateRefusal();
    });
    this.#composer = new Composer(
      {
        form: byId("composer", HTMLFormElement),
        input: byId("question", HTMLTextAreaElement),
        send: byId("send", HTMLButtonElement),
        stop: byId("stop", HTMLButtonElement),
        note: byId("composer-note", HTMLElement),
      },
      words,
      (question) => this.#ask(question),
      () => this.#stop(),
    );
    this.#history = new History(this.#client, words, {
      open: (receipt) => this.#open(receipt),
      deleted: (queryId) => this.#deleted(queryId),
      announce,
    });
    this.#examples = new Examples(words, (question) => this.#choose(question));
    this.#signIn = new SignIn(this.#session, words, signInAddress(this.#identity), () => {
      this.#signIn.update();
      this.#composer.focus();
      this.#begin();
    });
    this.#banner = new Banner(() => this.#comeBack(), announce);
  }

  /** Restores the tab and listens to the reader. */
  start(): void {
    for (const link of document.querySelectorAll("[data-new]")) {
      link.addEventListener("click", () => this.#startAgain());
    }
    addEventListener("online", () => this.#comeBack());
    addEventListener("offline", () => this.#showConnection());
    addEventListener("pagehide", () => this.#keep());
    addEventListener("hashchange", () => this.#openNamed());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#comeBack();
    });
    // The quota renews while the page is open.
    setInterval(() => this.#renewQuota(), CLOCK_MS);
    this.#composer.draft = kept().draft;
    this.#showConnection();
    this.#composer.focus();
    this.#begin();
  }

  #renewQuota(): void {
    if (!this.#meter.spent) return;
    const { resetsAt } = this.#meter;
    if (resetsAt === null || Date.parse(resetsAt) > Date.now()) this.#updateRefusal();
    else this.#accounts.refresh().catch(() => {});
  }

  async #open(receipt: Receipt): Promise<void> {
    if (this.#refuseWhileAnswering()) return;
    this.#clear();
    nameAnswer(receipt.queryId);
    this.#history.opened = receipt.queryId;
    const read = this.#read(receipt);
    const exchange = this.#thread[0] as Exchange;
    this.#view.toStart(exchange);
    await read;
    exchange.account(accountOf(receipt, this.#words));
  }

  /** The answer that the address names, for the reader who asked. */
  async #openNamed(): Promise<void> {
    const queryId = namedAnswer();
    if (queryId === undefined) return;
    try {
      const receipt = await this.#client.query(queryId);
      if (receipt.query === null) this.#banner.show(this.#words.notYours);
      else await this.#open(receipt);
    } catch (thrown) {
      if (thrown instanceof BelayError && thrown.code === "NOT_FOUND") {
        nameAnswer(undefined);
        this.#banner.show(this.#words.notYours);
      } else this.#explainStart(thrown);
    }
  }

  /** Asks what the page suggested. */
  #choose(question: string): void {
    this.#composer.focus();
    this.#ask(question);
  }

  /** @param before What was asked before a reload, in this way. */
  async #ask(question: string, before?: Asking): Promise<void> {
    if (this.#refuseWhileAnswering()) return;
    this.#restored = true;
    nameAnswer(undefined);
    this.#showConnection();
    const asking = before ?? newAsking(question, conversationOf(this.#thread));
    this.#asking = asking;
    const exchange = this.#add(new Exchange(question, this.#around));
    this.#view.toQuestion(exchange);
    await this.#follow(exchange, this.#words.searching, (options) =>
      this.#client.ask(question, {
        ...options,
        history: asking.turns,
        idempotencyKey: asking.key,
        stopsOnLeave: false,
      }),
    );
    this.#asking = undefined;
    if (this.#session.needsSignIn) {
      this.#drop(exchange);
      if (this.#composer.draft === "") this.#composer.draft = question;
      this.#signIn.update();
      return;
    }
    await this.#refresh();
    await this.#accounts.settle(() => this.#meter.held && this.#live === undefined);
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
      exchange.explain(this.#words.notWhole);
      return;
    }
    const { opening } = this.#words;
    await this.#follow(exchange, opening, (o) => this.#client.events(queryId, o), feedback);
    if (state === "reserved") this.#refresh();
  }

  /** During an answer: tells the reader to wait, and is true. */
  #refuseWhileAnswering(): boolean {
    if (this.#live === undefined) return false;
    const { oneAtATime } = this.#words;
    this.#composer.remark(oneAtATime);
    this.#around.announce(oneAtATime);
    return true;
  }

  async #follow(
    exchange: Exchange,
    doing: string,
    start: (options: AnswerOptions) => Answer,
    feedback: Receipt["feedback"] = null,
  ): Promise<void> {
    this.#live = exchange;
    this.#composer.answering = true;
    this.#showConnection();
    await exchange.follow(doing, start, feedback);
    this.#live = undefined;
    this.#composer.answering = false;
    this.#view.settle();
    // The answer says why.
    if (exchange.failure === "BLOCKED") this.#closed = { short: "", long: "" };
    this.#updateRefusal();
    this.#showConnection();
    this.#keep();
  }

  #add(exchange: Exchange): Exchange {
    if (this.#sidebar.matches(":popover-open")) this.#sidebar.hidePopover();
    this.#thread.push(exchange);
    this.#log.append(exchange.root);
    this.#showThread();
    return exchange;
  }

  #drop(exchange: Exchange): void {
    this.#thread = this.#thread.filter((other) => other !== exchange);
    exchange.root.remove();
    this.#showThread();
  }

  #clear(): void {
    this.#thread = [];
    this.#restored = true;
    this.#log.replaceChildren();
    this.#history.opened = undefined;
    nameAnswer(undefined);
    this.#view.clear();
    this.#showThread();
  }

  /** What depends on whether there is a conversation. */
  #showThread(): void {
    const [first] = this.#thread;
    document.body.classList.toggle("fresh", first === undefined);
    document.title = first ? `${first.question} · ${this.#siteTitle}` : this.#siteTitle;
    this.#composer.placeholder = first ? this.#words.followUp : this.#words.placeholder;
    // The welcome says it where there is no conversation.
    this.#composer.standing = first ? madeBy(this.#identity, this.#words) : "";
  }

  #startAgain(): void {
    if (this.#refuseWhileAnswering()) return;
    this.#clear();
    this.#keep();
    this.#showConnection();
    if (this.#sidebar.matches(":popover-open")) this.#sidebar.hidePopover();
    this.#composer.focus();
    // The documents may have changed.
    this.#showExamples().catch(() => {});
  }

  #deleted(queryId: string): void {
    if (this.#thread.some((exchange) => exchange.queryId === queryId)) this.#startAgain();
  }

  #keep(): void {
    const { draft } = this.#composer;
    if (!this.#restored) {
      keep({ ...kept(), draft });
      return;
    }
    const queryIds = this.#thread.map(({ queryId }) => queryId).filter((id) => id !== undefined);
    const asking = this.#live?.queryId === undefined ? this.#asking : undefined;
    keep({ queryIds, asking, draft });
  }

  /** What this tab showed before a reload. Throws if the service is unreachable. */
  async #kept(): Promise<readonly Receipt[]> {
    const receipts = await Promise.all(
      kept().queryIds.map((queryId) =>
        this.#client.query(queryId).catch((thrown) => {
          // Asked in an earlier session.
          if (thrown instanceof BelayError && thrown.code === "NOT_FOUND") return undefined;
          throw thrown;
        }),
      ),
    );
    return receipts.filter((receipt) => receipt !== undefined);
  }

  /** Shows them again, and goes on with what was being asked. */
  async #restore(receipts: readonly Receipt[]): Promise<void> {
    // The reader asked in between, or this ran already.
    if (this.#restored || this.#thread.length > 0) return;
    const { asking } = kept();
    for (const receipt of receipts) {
      if (receipt.query === null) continue;
      const read = this.#read(receipt);
      this.#view.toQuestion(this.#thread.at(-1) as Exchange);
      await read;
    }
    this.#restored = true;
    this.#keep();
    if (asking !== undefined) await this.#ask(asking.question, asking);
  }

  /** May fail: the next refresh comes with the next answer. */
  async #refresh(): Promise<void> {
    await Promise.allSettled([this.#accounts.refresh(), this.#history.refresh()]);
    if (this.#empty) await this.#showExamples().catch(() => {});
  }

  #updateRefusal(): void {
    const refusal = this.#closed ?? this.#refusal;
    this.#composer.refuse(refusal);
    document.body.classList.toggle("refusing", refusal !== undefined);
  }

  get #refusal(): Refusal | undefined {
    const { noDocuments, noDocumentsHint, usedUp } = this.#words;
    if (this.#empty) return { short: noDocuments, long: noDocumentsHint };
    if (!this.#meter.spent) return undefined;
    // A question that was refused says when already.
    if (this.#thread.at(-1)?.failure === "QUOTA_EXCEEDED") return { short: usedUp, long: "" };
    return { short: usedUp, long: renewal(this.#words, this.#meter.resetsAt, Date.now()) };
  }

  async #showExamples(): Promise<void> {
    const body = await this.#session.json<ExamplesBody>("/ai/examples");
    if (body === undefined) return;
    this.#empty = body.empty;
    this.#examples.show(body);
    this.#updateRefusal();
  }

  async #begin(): Promise<void> {
    if (this.#signIn.update()) return;
    const reads = [this.#accounts.refresh(), this.#history.refresh(), this.#showExamples()];
    let receipts: readonly Receipt[];
    try {
      [receipts] = await Promise.all([this.#kept(), ...reads]);
    } catch (thrown) {
      this.#explainStart(thrown);
      return;
    }
    this.#begun = true;
    this.#showConnection();
    const named = namedAnswer();
    // A reload shows the conversation that the named answer is in.
    if (named === undefined || receipts.some(({ queryId }) => queryId === named)) {
      await this.#restore(receipts);
    } else await this.#openNamed();
  }

  /** Why the page cannot begin: in one place. */
  #explainStart(thrown: unknown): void {
    if (this.#signIn.update()) return;
    const cause = thrown instanceof BelayError ? thrown.cause : thrown;
    const { failures, unreachable } = this.#words;
    const code = thrown instanceof BelayError ? thrown.code : "";
    if (cause instanceof SessionError && cause.closed) {
      this.#closed = { short: "", long: cause.message };
    } else if (code === "BLOCKED") {
      this.#closed = { short: "", long: failures[code] ?? unreachable };
    } else {
      const words = cause instanceof SessionError ? cause.message : unreachable;
      this.#showConnection(words);
    }
    this.#updateRefusal();
  }

  /** @param trouble Why the service cannot be used, though the browser is online. */
  #showConnection(trouble = ""): void {
    // An answer that is being written says itself that it waits.
    if (!navigator.onLine) this.#banner.show(this.#live ? "" : this.#words.offline);
    else if (trouble !== "") this.#banner.show(trouble, true);
    else if (this.#begun) this.#banner.show("");
  }

  /** The reader is back: refresh the quota, or try the service again. */
  #comeBack(): void {
    this.#showConnection();
    if (this.#closed || !navigator.onLine || this.#live !== undefined) return;
    if (!this.#begun) this.#begin();
    else {
      this.#refresh();
      // It could not be read before.
      if (!this.#thread.some(({ queryId }) => queryId === namedAnswer())) this.#openNamed();
    }
  }
}
