// One conversation: asks, keeps what was asked for the next page, and shows the
// quota or what prevents an answer. exchange.ts renders an answer.

import {
  BelayError,
  type Client,
  createClient,
  type Outcome,
  type Quota,
  type Receipt,
  type TokenOption,
} from "../../client/client.ts";
import { API_PREFIX, type Examples } from "../../protocol.ts";
import { Exchange, type Surroundings } from "../exchange.ts";
import { renewal } from "../renewal.ts";
import { SessionError } from "../session-error.ts";
import { conversationOf } from "../turns.ts";
import { tellAuthor } from "./author.ts";
import type { Frame } from "./frame.ts";
import { LateRendering, loadRenderer } from "./rendering.ts";
import { NoSession, type Session } from "./session.ts";
import type { Settings } from "./settings.ts";
import type { Store } from "./store.ts";
import type { ElementWords } from "./words/en.ts";

/** Restoring one answer takes two requests. */
const RESTORED_MAX = 10;
/** Pauses in ms between reads of a receipt, until the answer is charged. */
const SETTLING_MS = [0, 100, 400, 1_600];
/** A quota that is used up is read again this often. */
const CLOCK_MS = 30_000;

/** What the conversation needs of the element. */
export interface Host {
  readonly settings: Settings;
  readonly frame: Frame;
  readonly words: ElementWords;
  readonly session: Session;
  readonly store: Store;
  /** Set by a page that signs its users in. */
  readonly token: TokenOption | undefined;
  /** Whether the element is on the page. */
  readonly isShown: boolean;
  emit(name: string, detail: unknown): void;
}

export class Conversation {
  readonly #host: Host;
  readonly #url: string;
  readonly #client: Client;
  #thread: Exchange[] = [];
  #live: Exchange | undefined;
  #beginning: Promise<void> | undefined;
  #begun = false;
  /** Whether this is no longer the element's conversation. */
  #ended = false;
  #quota: Quota | undefined;
  #examples: Examples = { empty: false, questions: [] };
  #isLoading = false;
  /** The frame that shows this conversation. */
  #frame: Frame | undefined;
  /** What prevents answers, in words; and whether a retry is useless. */
  #trouble = "";
  #closed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly #around: Surroundings;

  constructor(host: Host) {
    this.#host = host;
    this.#url = host.settings.url;
    this.#client = createClient({
      url: this.#url,
      token: () => this.#bearer(),
      fetch: (url, init) =>
        host.token === undefined ? host.session.fetch(url, init) : fetch(url, init),
    });
    this.#around = {
      get words() {
        return host.words;
      },
      site: this.#url,
      render: (root, around) => new LateRendering(root, around),
      announce: (text) => host.frame.announce(text),
      again: (exchange) => this.#again(exchange),
      ask: (question) => this.ask(question),
      // The query has an id now, which the next page needs.
      held: () => this.#keep(),
      rate: (queryId, rating, comment) => this.#rate(queryId, rating, comment),
      receipt: (queryId) => this.#receipt(queryId),
      grown: () => host.frame.grown(),
    };
  }

  get isEmpty(): boolean {
    return this.#thread.length === 0;
  }

  /** Starts the session and restores what the last page showed. May be repeated. */
  begin(): void {
    this.#beginning ??= this.#begin().catch((thrown) => {
      this.#beginning = undefined;
      this.#isLoading = false;
      this.#fail(thrown);
    });
  }

  /** Resolves when the answer has ended. */
  async ask(question: string): Promise<void> {
    if (this.#refuseWhileAnswering() || this.#closed) return;
    const { emit, frame, settings, words } = this.#host;
    const history = conversationOf(this.#thread);
    const exchange = this.#add(new Exchange(question, this.#around));
    frame.toTop(exchange.root);
    // A log without a height of its own is as long as the page.
    exchange.root.scrollIntoView({ block: "nearest" });
    emit("belay-ask", { question });
    await this.#attend(
      exchange,
      exchange.follow(words.searching, (options) => {
        const { collections } = settings;
        const answer = this.#client.ask(question, {
          ...options,
          history,
          collections,
          // The next page of the site resumes it.
          stopsOnLeave: false,
        });
        answer.done.then(
          (outcome) => this.#told(outcome),
          (thrown) => emit("belay-error", { code: codeOf(thrown), queryId: answer.queryId }),
        );
        return answer;
      }),
    );
    if (!exchange.whole || this.#quota === undefined) await this.#readQuota();
    if (!this.#begun) this.begin();
  }

  async stop(): Promise<void> {
    if (this.#live === undefined) return;
    await this.#live.stop();
    // The refund may come after the end of the answer.
    await this.#readQuota();
  }

  clear(): void {
    this.stop();
    this.#live = undefined;
    this.#host.frame.composer.answering = false;
    for (const { root } of this.#thread) root.remove();
    this.#thread = [];
    this.#keep();
    this.show();
  }

  /** Stops for good. */
  end(): void {
    this.#ended = true;
    this.sleep();
    for (const { root } of this.#thread) root.remove();
  }

  /** The element has left the page. */
  sleep(): void {
    clearTimeout(this.#timer);
    this.stop();
  }

  /** The reader comes back, or the network. */
  wake(): void {
    this.show();
    if (!this.#closed) this.begin();
  }

  /** Shows the quota, or what prevents an answer. */
  show(): void {
    if (this.#ended) return;
    const { frame, isShown, settings, words } = this.#host;
    const { composer } = frame;
    if (frame !== this.#frame) {
      this.#frame = frame;
      composer.answering = this.#live !== undefined;
    }
    frame.examples(settings.examples ?? this.#examples.questions);
    const { limit, remaining, reserved, resetsAt = null } = this.#quota ?? {};
    const spent = remaining === 0 && reserved === 0;
    const used = spent ? words.usedUp(renewal(words, resetsAt, Date.now())) : "";
    const refusal = this.#closed ? this.#trouble : used;
    const placeholder = settings.placeholder || (this.isEmpty ? words.placeholder : words.followUp);
    composer.refuse(refusal === "" ? undefined : { short: placeholder, long: "" });
    composer.standing =
      limit === undefined || remaining === undefined ? "" : words.left(remaining, limit);
    composer.placeholder = placeholder;
    const offline = navigator.onLine ? "" : words.offline;
    frame.banner(refusal || offline || this.#trouble || (this.#examples.empty ? words.empty : ""));
    frame.welcome(this.isEmpty && !this.#isLoading, this.#isLoading ? words.loading : "");
    clearTimeout(this.#timer);
    if (spent && isShown) this.#timer = setTimeout(() => this.#readQuota(), CLOCK_MS);
  }

  async #bearer(): Promise<string> {
    const { session, token, words } = this.#host;
    try {
      if (token === undefined) return await session.token();
    } catch (thrown) {
      if (!(thrown instanceof NoSession)) throw thrown;
      throw this.#refused(thrown);
    }
    try {
      return typeof token === "string" ? token : await token();
    } catch (thrown) {
      tellAuthor("Your `token` function failed.", thrown);
      throw new SessionError(words.refusals.UNAUTHENTICATED);
    }
  }

  /** The reader gets plain words, the page's author the cause. */
  #refused({ refusal }: NoSession): SessionError {
    const { refusals, failures } = this.#host.words;
    const isUnlisted = refusal === "ORIGIN_NOT_LISTED";
    const isClosed = isUnlisted || refusal === "UNAUTHENTICATED";
    const { origin } = location;
    if (isUnlisted) {
      tellAuthor(`${this.#url} does not list ${origin}. Add it to EMBED_ORIGINS there.`);
    } else if (isClosed) {
      tellAuthor(
        `${this.#url} has no anonymous readers. Set ANONYMOUS_LIMIT there, or token here.`,
      );
    }
    const words = { ...failures, ...refusals } as Readonly<Record<string, string>>;
    return Object.assign(new SessionError(words[refusal] ?? "", isClosed), { code: refusal });
  }

  async #begin(): Promise<void> {
    const { store } = this.#host;
    const thread = this.#thread;
    const queryIds = (store.kept.queryIds ?? []).slice(-RESTORED_MAX);
    this.#isLoading = queryIds.length > 0 && this.isEmpty;
    this.show();
    // A failure is told when an answer comes.
    loadRenderer().catch(() => {});
    this.#quota = await this.#client.quota();
    const [receipts, examples] = await Promise.all([
      Promise.all(queryIds.map((queryId) => this.#kept(queryId))),
      this.#readExamples(),
    ]);
    if (this.#ended) return;
    this.#begun = true;
    this.#trouble = "";
    this.#isLoading = false;
    this.#examples = examples ?? this.#examples;
    this.show();
    // The reader may have asked in between.
    if (!this.isEmpty) return;
    for (const receipt of receipts) {
      // Forgotten in between.
      if (this.#thread !== thread) return;
      if (receipt?.query) await this.#read(receipt, receipt.query);
    }
  }

  /** Undefined if another reader asked it, or an earlier session. */
  #kept(queryId: string): Promise<Receipt | undefined> {
    return this.#client.query(queryId).catch((thrown) => {
      if (thrown instanceof BelayError && thrown.status === 404) return undefined;
      throw thrown;
    });
  }

  async #readExamples(): Promise<Examples | undefined> {
    try {
      const bearer = await this.#bearer();
      // Without one, a cookie holds the session.
      const headers: HeadersInit = bearer === "" ? {} : { authorization: `Bearer ${bearer}` };
      const { collections } = this.#host.settings;
      const named = collections && `?collections=${encodeURIComponent(collections.join(","))}`;
      const path = `${API_PREFIX}/ai/examples${named ?? ""}`;
      const response = await fetch(this.#url + path, { headers });
      return response.ok ? await response.json() : undefined;
    } catch {
      // The reader can ask without examples.
      return undefined;
    }
  }

  #fail(thrown: unknown): void {
    const cause = thrown instanceof BelayError ? thrown.cause : undefined;
    const { refusals } = this.#host.words;
    this.#closed = cause instanceof SessionError && cause.closed;
    this.#trouble = cause instanceof SessionError ? cause.message : refusals.UNAVAILABLE;
    this.#host.emit("belay-error", { code: codeOf(thrown) });
    this.show();
  }

  /** Reads an earlier answer again, free; live if unfinished. */
  async #read(receipt: Receipt, question: string): Promise<void> {
    const { queryId, state, answer, feedback } = receipt;
    if (this.#ended) return;
    const exchange = this.#add(new Exchange(question, this.#around, queryId));
    if (state !== "reserved" && answer === null) {
      exchange.explain(this.#host.words.failures.NOT_KEPT ?? "");
      return;
    }
    await this.#attend(
      exchange,
      exchange.follow(
        this.#host.words.opening,
        (options) => this.#client.events(queryId, options),
        feedback,
      ),
    );
    this.#host.frame.toTop(exchange.root);
  }

  #add(exchange: Exchange): Exchange {
    this.#thread.push(exchange);
    this.#host.frame.log.append(exchange.root);
    this.show();
    return exchange;
  }

  async #attend(exchange: Exchange, ended: Promise<void>): Promise<void> {
    this.#live = exchange;
    this.#host.frame.composer.answering = true;
    await ended;
    if (this.#live === exchange) {
      this.#live = undefined;
      this.#host.frame.composer.answering = false;
    }
    this.#keep();
    this.show();
  }

  #again(exchange: Exchange): void {
    if (this.#refuseWhileAnswering()) return;
    if (!exchange.whole) {
      this.#thread = this.#thread.filter((other) => other !== exchange);
      exchange.root.remove();
    }
    this.ask(exchange.question);
  }

  /** During an answer: tells the reader to wait, and is true. */
  #refuseWhileAnswering(): boolean {
    if (this.#live === undefined) return false;
    const { frame, words } = this.#host;
    frame.composer.remark(words.oneAtATime);
    frame.announce(words.oneAtATime);
    return true;
  }

  async #rate(...given: Parameters<Surroundings["rate"]>): Promise<void> {
    await this.#client.feedback(...given);
    const [queryId, rating] = given;
    this.#host.emit("belay-feedback", { queryId, rating });
  }

  /** The answer is whole. The receipt says, a little later, what it cost. */
  async #told({ queryId, finish, found, sources, quotaRemaining }: Outcome): Promise<void> {
    const receipt = await this.#receipt(queryId);
    const charged = receipt && receipt.state === "charged";
    const detail = { queryId, finish, found, sources: sources.length, charged };
    this.#host.emit("belay-answer", detail);
    if (this.#quota === undefined) return;
    this.#quota = { ...this.#quota, reserved: 0, remaining: quotaRemaining };
    this.show();
  }

  /** The receipt of an answer, some milliseconds after its end. */
  async #receipt(queryId: string): Promise<Receipt | undefined> {
    for (const ms of SETTLING_MS) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      const receipt = await this.#client.query(queryId).catch(() => undefined);
      if (receipt?.state !== "reserved") return receipt;
    }
    return undefined;
  }

  async #readQuota(): Promise<void> {
    this.#quota = await this.#client.quota().catch(() => this.#quota);
    this.show();
  }

  #keep(): void {
    if (this.#ended) return;
    const queryIds = this.#thread.map(({ queryId }) => queryId).filter((id) => id !== undefined);
    this.#host.store.keep({ queryIds });
  }
}

function codeOf(thrown: unknown): string {
  if (!(thrown instanceof BelayError)) return "INTERNAL";
  const { code } = (thrown.cause ?? {}) as { readonly code?: unknown };
  return thrown.cause instanceof SessionError && typeof code === "string" ? code : thrown.code;
}
